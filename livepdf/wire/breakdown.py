"""How a report about samples that a laser destroys travels."""

from collections.abc import Sequence
from typing import Any

import msgspec
from numpy.typing import NDArray

from livepdf.model.breakdown import Along, BreakdownReport, Breaking
from livepdf.model.fraction import Fraction
from livepdf.model.laser import Limits, ShotCounts
from livepdf.wire.report import check, named

ARRAYS = (
    *("q", "bank", "bank_scatter"),
    *("x", "x_edges", "shots", "diq", "diq_sigma"),
    *("r", "dgr", "dgr_sigma"),
    *("values", "sigmas", "sample_x", "sample_values", "sample_sigmas"),
)
"""The buffers of the message, in this order, by the names of the report."""


class BreakdownHeader(msgspec.Struct, frozen=True, kw_only=True):
    """What of a report is no array."""

    run: str
    time: float
    counts: ShotCounts
    fractions: tuple[Fraction, ...]
    sigma_is: str
    normalised: str
    limits: Limits
    along: Along
    unit: str
    log: bool
    bank_shots: int
    bank_reason: str
    measures: tuple[Breaking, ...]
    warnings: tuple[str, ...]


def take_apart(report: BreakdownReport) -> tuple[BreakdownHeader, list[NDArray[Any]]]:
    """Return header and buffers of a report."""
    fields = {name: getattr(report, name) for name in BreakdownHeader.__struct_fields__}
    return BreakdownHeader(**fields), [getattr(report, name) for name in ARRAYS]


def put_together(header: BreakdownHeader, arrays: Sequence[NDArray[Any]]) -> BreakdownReport:
    """Return the report; ValueError where buffers are missing or do not fit one another."""
    known = named(ARRAYS, arrays)
    bins, samples, n_q, n_r = (known[name].size for name in ("x", "sample_x", "q", "r"))
    measures = len(header.measures)
    check(
        known,
        {
            **dict.fromkeys(("q", "bank", "bank_scatter"), (n_q,)),
            "x": (bins,),
            "x_edges": (bins + 1,),
            "shots": (bins,),
            **dict.fromkeys(("diq", "diq_sigma"), (bins, n_q)),
            "r": (n_r,),
            "dgr": (bins, n_r),
            "dgr_sigma": (bins, n_r),
            **dict.fromkeys(("values", "sigmas"), (measures, bins)),
            "sample_x": (samples,),
            **dict.fromkeys(("sample_values", "sample_sigmas"), (measures, samples)),
        },
    )
    fields: dict[str, Any] = {name: getattr(header, name) for name in header.__struct_fields__}
    return BreakdownReport(**(fields | known))
