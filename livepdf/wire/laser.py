"""How a report about shots with and without a laser travels."""

from collections.abc import Sequence
from typing import Any

import msgspec
import numpy as np
from numpy.typing import NDArray

from livepdf.model.laser import LaserReport, LaserTest, Limits, ShotCounts

ARRAYS = (
    "delays",
    "edges",
    "q",
    "diq",
    "diq_sigma",
    "off_iq",
    "off_iq_sigma",
    "on_iq_sigma",
    "r",
    "dgr",
    "dgr_sigma",
    "off_gr",
    "off_gr_sigma",
    "on_gr_sigma",
    "growth_shots",
    "growth_sigma",
    "strength",
    "components",
    "component_delays",
)
"""The buffers of the message, in this order, by the names of the report."""


class LaserHeader(msgspec.Struct, frozen=True, kw_only=True):
    """What of a report is no array."""

    run: str
    time: float
    counts: ShotCounts
    sigma_is: str
    normalised: str
    limits: Limits
    counting_sigma: float
    tests: tuple[LaserTest, ...]
    warnings: tuple[str, ...]


def take_apart(report: LaserReport) -> tuple[LaserHeader, list[NDArray[Any]]]:
    """Return header and buffers of a report."""
    header = LaserHeader(
        run=report.run,
        time=report.time,
        counts=report.counts,
        sigma_is=report.sigma_is,
        normalised=report.normalised,
        limits=report.limits,
        counting_sigma=report.counting_sigma,
        tests=report.tests,
        warnings=report.warnings,
    )
    return header, [getattr(report, name) for name in ARRAYS]


def put_together(header: LaserHeader, arrays: Sequence[NDArray[Any]]) -> LaserReport:
    """Return the report; ValueError where buffers are missing or do not fit one another."""
    if len(arrays) != len(ARRAYS):
        raise ValueError(f"{len(arrays)} buffers of a report, wanted {len(ARRAYS)}")
    named = dict(zip(ARRAYS, arrays, strict=True))
    bins, n_q, n_r = (named[name].size for name in ("delays", "q", "r"))
    wanted = {
        "edges": (bins + 1,),
        **dict.fromkeys(("diq", "diq_sigma"), (bins, n_q)),
        **dict.fromkeys(("off_iq", "off_iq_sigma", "on_iq_sigma"), (bins, n_q)),
        **dict.fromkeys(("dgr", "dgr_sigma"), (bins, n_r)),
        **dict.fromkeys(("off_gr", "off_gr_sigma", "on_gr_sigma"), (bins, n_r)),
        "growth_sigma": named["growth_shots"].shape,
        "components": (named["strength"].size, n_q),
        "component_delays": (named["strength"].size, bins),
    }
    for name, shape in wanted.items():
        if named[name].shape != shape:
            raise ValueError(f"{name} has {named[name].shape}, wanted {shape}")
    if len(header.tests) != bins:
        raise ValueError(f"{len(header.tests)} tests for {bins} bins")
    known = {name: np.asarray(array) for name, array in named.items()}
    return LaserReport(
        run=header.run,
        time=header.time,
        counts=header.counts,
        sigma_is=header.sigma_is,
        normalised=header.normalised,
        limits=header.limits,
        counting_sigma=header.counting_sigma,
        tests=header.tests,
        warnings=header.warnings,
        **known,
    )
