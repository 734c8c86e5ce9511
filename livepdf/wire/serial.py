"""How a report about hits, their powder and their sizes travels."""

from collections.abc import Sequence
from typing import Any

import msgspec
from numpy.typing import NDArray

from livepdf.model.fraction import Fraction
from livepdf.model.laser import ShotCounts
from livepdf.model.serial import HitRate, SerialReport
from livepdf.wire.report import check, named

ARRAYS = (
    *("course_shots", "course_rate", "course_low", "course_high"),
    *("lit_edges", "lit_shots"),
    *("q", "powder", "powder_sigma", "hits_iq", "blanks_iq", "peaks"),
    *("size_edges", "sizes_seen", "efficiency", "sizes_corrected", "sizes_sigma"),
    *("particle_shots", "particle_sizes", "particle_sigmas"),
)
"""The buffers of the message, in this order, by the names of the report."""


class SerialHeader(msgspec.Struct, frozen=True, kw_only=True):
    """What of a report is no array."""

    run: str
    time: float
    counts: ShotCounts
    fractions: tuple[Fraction, ...]
    hit_is: str
    recent: HitRate
    whole: HitRate
    by_class: tuple[tuple[str, HitRate], ...]
    lit_threshold: float
    normalised: str
    sigma_is: str
    peaks_per_hit: float
    sized: tuple[tuple[str, int], ...]
    sizes_reason: str
    warnings: tuple[str, ...]


def take_apart(report: SerialReport) -> tuple[SerialHeader, list[NDArray[Any]]]:
    """Return header and buffers of a report."""
    fields = {name: getattr(report, name) for name in SerialHeader.__struct_fields__}
    return SerialHeader(**fields), [getattr(report, name) for name in ARRAYS]


def put_together(header: SerialHeader, arrays: Sequence[NDArray[Any]]) -> SerialReport:
    """Return the report; ValueError where buffers are missing or do not fit one another."""
    known = named(ARRAYS, arrays)
    n, k, m, p = (
        *(known["course_shots"].size, known["lit_shots"].size),
        *(known["sizes_seen"].size, known["particle_shots"].size),
    )
    edges = m + 1 if m else 0
    check(
        known,
        {
            **dict.fromkeys(("course_shots", "course_rate", "course_low", "course_high"), (n,)),
            "lit_edges": (k + 1,),
            "lit_shots": (k,),
            "size_edges": (edges,),
            **dict.fromkeys(
                ("q", "powder", "powder_sigma", "hits_iq", "blanks_iq", "peaks"), known["q"].shape
            ),
            **dict.fromkeys(("sizes_seen", "efficiency", "sizes_corrected", "sizes_sigma"), (m,)),
            **dict.fromkeys(("particle_shots", "particle_sizes", "particle_sigmas"), (p,)),
        },
    )
    fields: dict[str, Any] = {name: getattr(header, name) for name in header.__struct_fields__}
    return SerialReport(**(fields | known))
