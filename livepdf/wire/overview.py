"""How a whole run travels at the resolution of a screen, and one map of it at full resolution."""

from collections.abc import Sequence
from typing import Any

import msgspec
import numpy as np
from numpy.typing import NDArray

from livepdf.model.curve import CurveKind
from livepdf.model.overview import Overview, TrendColumn
from livepdf.model.pyramid import Layer

Array = NDArray[Any]


class OverviewRequest(msgspec.Struct, frozen=True, kw_only=True, tag="overview"):
    """Ask for all windows of a run, with curves averaged over neighbours."""

    run: str


class MapRequest(msgspec.Struct, frozen=True, kw_only=True, tag="map"):
    """Ask for one kind of curve of some windows, every point of it."""

    run: str
    kind: CurveKind
    first: int
    limit: int = 500


class LayerHeader(msgspec.Struct, frozen=True, kw_only=True):
    """Names the buffers of one kind of curve."""

    kind: CurveKind
    grid: int
    """Number of the buffer: (n,) float64, Å or Å⁻¹, of the curves themselves."""
    x: int
    """(rows,) float64, middles of the points that share a row."""
    edges: tuple[float, float]
    means: int
    """(columns, rows) float32, NaN where nothing is."""
    held: int
    """(columns,) int64, windows in each column."""
    each: int
    """Windows that share a column."""


class TrendHeader(msgspec.Struct, frozen=True, kw_only=True):
    """Names the buffers of one trend."""

    name: str
    unit: str
    value: int
    sigma: int
    code: int
    """(windows,) uint16, places in ``reasons``."""
    reasons: tuple[str, ...]


class OverviewReply(msgspec.Struct, frozen=True, kw_only=True, tag="overview"):
    """All windows of a run."""

    run: str
    spans: int
    """(6, windows) float64: start, end, first, last, frames, revision; NaN where absent."""
    trends: tuple[TrendHeader, ...]
    environment: tuple[tuple[str, int], ...]
    """Name and buffer, (windows,) float64, of each slow value."""
    layers: tuple[LayerHeader, ...]
    flag_code: int
    """(windows,) uint16, places in ``flag_sets``."""
    flag_sets: tuple[tuple[str, ...], ...]


class MapReply(msgspec.Struct, frozen=True, kw_only=True, tag="map"):
    """Consecutive windows, beginning with ``first``."""

    run: str
    kind: CurveKind
    first: int
    x: int
    """(n,) float64, Å or Å⁻¹."""
    y: int
    """(windows, n) float32."""


def pack_overview(overview: Overview) -> tuple[OverviewReply, list[Array]]:
    """Return the message and its buffers; nothing is copied."""
    arrays: list[Array] = []

    def place(array: Array) -> int:
        arrays.append(array)
        return len(arrays) - 1

    reply = OverviewReply(
        run=overview.run,
        spans=place(overview.spans),
        trends=tuple(
            TrendHeader(
                name=name,
                unit=column.unit,
                value=place(column.value),
                sigma=place(column.sigma),
                code=place(column.code),
                reasons=tuple(column.reasons),
            )
            for name, column in overview.trends.items()
        ),
        environment=tuple((name, place(values)) for name, values in overview.environment.items()),
        layers=tuple(
            LayerHeader(
                kind=kind,
                grid=place(layer.grid),
                x=place(layer.x),
                edges=layer.edges,
                means=place(layer.means),
                held=place(layer.held),
                each=layer.each,
            )
            for kind, layer in overview.layers.items()
        ),
        flag_code=place(overview.flag_code),
        flag_sets=tuple(overview.flag_sets),
    )
    return reply, arrays


def unpack_overview(reply: OverviewReply, arrays: Sequence[Array]) -> Overview:
    """Return what was packed.

    Raises
    ------
    IndexError, ValueError
        When the buffers do not fit together.
    """
    spans = arrays[reply.spans]
    if spans.ndim != 2 or spans.shape[0] != 6:
        raise ValueError(f"spans of {spans.shape}, wanted (6, windows)")
    overview = Overview(
        run=reply.run,
        spans=spans,
        trends={
            header.name: TrendColumn(
                unit=header.unit,
                value=arrays[header.value],
                sigma=arrays[header.sigma],
                code=arrays[header.code],
                reasons=header.reasons,
            )
            for header in reply.trends
        },
        environment={name: arrays[number] for name, number in reply.environment},
        layers={header.kind: _layer(header, arrays) for header in reply.layers},
        flag_code=arrays[reply.flag_code],
        flag_sets=reply.flag_sets,
    )
    _check(overview)
    return overview


def _layer(header: LayerHeader, arrays: Sequence[Array]) -> Layer:
    held = arrays[header.held]
    return Layer(
        grid=arrays[header.grid],
        x=arrays[header.x],
        edges=header.edges,
        each=header.each,
        means=arrays[header.means],
        held=held,
        stamps=np.ones(held.shape, dtype=np.int64),
    )


def _check(overview: Overview) -> None:
    rows = len(overview)
    columns = [
        overview.flag_code,
        *overview.environment.values(),
        *(array for t in overview.trends.values() for array in (t.value, t.sigma, t.code)),
    ]
    if any(column.shape != (rows,) for column in columns):
        raise ValueError(f"columns of other lengths than the {rows} windows")
    for trend in overview.trends.values():
        if rows and int(trend.code.max()) >= len(trend.reasons):
            raise ValueError("a reason that is not there")
    if rows and int(overview.flag_code.max()) >= len(overview.flag_sets):
        raise ValueError("flags that are not there")
    for layer in overview.layers.values():
        if layer.means.shape != (layer.held.size, layer.x.size) or layer.each < 1:
            raise ValueError(f"means of {layer.means.shape}")
