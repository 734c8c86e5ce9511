"""The history of a run as the window keeps it: columns, and curves averaged to fit a screen."""

import numpy as np
from numpy.typing import NDArray

from livepdf.model.curve import Curve, CurveKind, Result, Span, Trend
from livepdf.model.overview import Environment, Overview, RunColumns, TrendColumn
from livepdf.wire.mirror import Mirror, RunWindows

__all__ = ["History", "RecordedWindows", "RecordingMirror", "TrendColumn"]

History = Overview
_BESIDE: tuple[CurveKind, ...] = ("fq",)
"""Kinds that come with the stream beside I(Q) and G(r)."""


class RecordedWindows(RunWindows):
    """The windows of a run, in memory that does not grow with their curves."""

    def __init__(self, run: str, *, q: NDArray[np.float64], r: NDArray[np.float64]) -> None:
        super().__init__(run, q=q, r=r)
        self.columns = RunColumns(run)

    def __len__(self) -> int:
        """Return the highest number known plus one."""
        return len(self.columns)

    def put(
        self,
        span: Span,
        *,
        iq: NDArray[np.floating],
        gr: NDArray[np.floating],
        trends: tuple[Trend, ...],
        environment: Environment,
    ) -> None:
        """Keep one window; the same window again replaces the older."""
        self.revision = max(self.revision, span.revision)
        self.columns.put(span, trends=trends, environment=environment)
        for kind, x, y in (("iq", self.q, iq), ("gr", self.r, gr)):
            curve = Curve(kind=kind, x=x, y=y, sigma=y)  # type: ignore[arg-type]
            self.columns.put_curve(span.number, curve, revision=span.revision)

    def put_beside(self, result: Result) -> None:
        """Keep the other curves of a window that was put."""
        for curve in result.curves:
            if curve.kind in _BESIDE:
                revision = result.span.revision
                self.columns.put_curve(result.span.number, curve, revision=revision)

    def flag(self, number: int, flags: tuple[str, ...]) -> None:
        """Note what is wrong with a window that was put."""
        self.columns.flag(number, flags)

    def missing(self) -> int | None:
        """Return the number of the oldest absent window, None where all are here."""
        return self.columns.absent(self.first)

    def on(self, *, q: NDArray[np.float64], r: NDArray[np.float64]) -> "RecordedWindows":
        """Let the curves of the next windows be on other grids."""
        self.q, self.r = q, r
        return self

    def span(self, number: int) -> Span | None:
        """Return what one window was made from, None where it is not here."""
        return self.columns.freeze().span(number)

    def freeze(self) -> History:
        """Return what is here now."""
        return self.columns.freeze()


class RecordingMirror(Mirror):
    """A mirror whose windows are recorded as columns."""

    @property
    def takes_overviews(self) -> bool:
        """Whether a run is wanted at the resolution of a screen."""
        return True

    def take_overview(self, overview: Overview) -> None:
        """Begin with all windows of a run; ValueError where it does not fit together."""
        iq, gr = overview.layers.get("iq"), overview.layers.get("gr")
        if iq is None or gr is None:
            return
        windows = RecordedWindows(overview.run, q=iq.grid, r=gr.grid)
        windows.columns.absorb(overview)
        windows.revision = int(np.nanmax(overview.spans[5]))
        self.windows = windows

    def add(self, result: Result) -> None:
        """Take a new result of any scope."""
        super().add(result)
        windows = self.windows
        if result.span.scope == "window" and isinstance(windows, RecordedWindows):
            windows.put_beside(result)

    def make_windows(
        self, run: str, *, q: NDArray[np.float64], r: NDArray[np.float64]
    ) -> RunWindows:
        """Return the empty windows of a new run."""
        return RecordedWindows(run, q=q, r=r)
