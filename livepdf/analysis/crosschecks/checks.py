"""Sizes without the fit, as trends, and by how much the fit disagrees with them."""

import math
from dataclasses import dataclass, replace
from typing import ClassVar

import numpy as np
from numpy.typing import NDArray

from livepdf.analysis.crosschecks.bragg import Bragg, BraggSize, bragg_size, build_bragg
from livepdf.analysis.crosschecks.envelope import (
    Envelope,
    EnvelopeSize,
    build_envelope,
    envelope_size,
)
from livepdf.analysis.declared import (
    FQ,
    QDAMP,
    STRUCTURE,
    STRUCTURE_FOUND,
    Declared,
    Measured,
    Need,
    trend,
)
from livepdf.model.curve import Trend
from livepdf.model.structure import Structure

Floats = NDArray[np.float64]

ENVELOPE, SCHERRER = "size by envelope", "size by Scherrer"
HALL, STRAIN = "size by Williamson-Hall", "strain by Williamson-Hall"
DISAGREEMENT = {ENVELOPE: "size disagreement", SCHERRER: "Scherrer disagreement"}
"""Of a size without the fit, the trend that says by how many σ it lies above that of the fit."""

_LARGEST_ENVELOPE = 70.0
"""Å; the bulk reference takes a second to here, and three to 100 Å."""
_UNCALIBRATED = "the instrument's resolution (qdamp) is not calibrated"
_NO_LINES = "no reflection lies in the range of Q"
_WANTED = Need(what="cross-checks", key="analysis.cross_checks", usual=True)

BY_ENVELOPE = Declared(
    name="size by envelope",
    gives=(ENVELOPE, DISAGREEMENT[ENVELOPE]),
    takes=(FQ, STRUCTURE_FOUND),
    needs=(STRUCTURE, QDAMP, _WANTED),
    cost=3.0,
)
BY_BREADTHS = Declared(
    name="size by Bragg breadths",
    gives=(SCHERRER, HALL, STRAIN, DISAGREEMENT[SCHERRER]),
    takes=(FQ, STRUCTURE_FOUND),
    needs=(STRUCTURE, QDAMP, _WANTED),
    cost=10.0,
)


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class EnvelopeCheck:
    """How G(r) fades against the bulk."""

    declared: ClassVar[Declared] = BY_ENVELOPE
    envelope: Envelope | None
    """None where the resolution is not known."""

    def follow(self, found: Measured) -> Measured:
        """Add the size, and by how many σ it lies above that of the fit."""
        nan = float("nan")
        size = EnvelopeSize(diameter=nan, sigma=nan, reason=_UNCALIBRATED)
        if self.envelope is not None:
            size = envelope_size(self.envelope, fq=found.fq, sigma=found.sigma)
        told = trend(ENVELOPE, "Å", size.diameter, size.sigma, size.reason)
        return replace(found, trends=(*found.trends, told, _disagreement(told, found.size)))


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class BreadthCheck:
    """How broad the Bragg peaks of F(Q) are."""

    declared: ClassVar[Declared] = BY_BREADTHS
    bragg: Bragg | None
    reason: str = _NO_LINES
    """Why there is none."""

    def follow(self, found: Measured) -> Measured:
        """Add the sizes and the strain, and by how many σ Scherrer's lies above that of the fit."""
        peaks = BraggSize.withheld(self.reason)
        if self.bragg is not None:
            peaks = bragg_size(self.bragg, fq=found.fq, sigma=found.sigma)
        told = trend(SCHERRER, "Å", peaks.scherrer, peaks.scherrer_sigma, peaks.reason)
        why = peaks.hall_reason
        more = (
            told,
            trend(HALL, "Å", peaks.hall, peaks.hall_sigma, why),
            trend(STRAIN, "", peaks.strain, peaks.strain_sigma, why),
            _disagreement(told, found.size),
        )
        return replace(found, trends=(*found.trends, *more))


def build_checks(
    structure: Structure,
    *,
    q: Floats,
    qdamp: float | None,
    qbroad: float,
    nuisances: Floats,
    diameters: tuple[float, float],
) -> tuple[EnvelopeCheck, BreadthCheck]:
    """Make them ready for one structure; without ``qdamp`` they only say that it is missing.

    Parameters
    ----------
    q : (n_q,) float64, Å⁻¹
    nuisances : (n_q, k) float64
        What may be in F(Q) beside the crystal.
    diameters : (float, float), Å
    """
    if qdamp is None:
        return EnvelopeCheck(envelope=None), BreadthCheck(bragg=None, reason=_UNCALIBRATED)
    largest = min(diameters[1], _LARGEST_ENVELOPE)
    bragg = build_bragg(
        structure, q=q, qdamp=qdamp, qbroad=qbroad, nuisances=nuisances, diameters=diameters
    )
    envelope = build_envelope(structure, q=q, qdamp=qdamp, largest=largest)
    return EnvelopeCheck(envelope=envelope), BreadthCheck(bragg=bragg)


def _disagreement(checked: Trend, fitted: Trend | None) -> Trend:
    assert fitted is not None, "a structure is fitted before its size is checked"
    spread = math.hypot(checked.sigma, fitted.sigma)
    away = (checked.value - fitted.value) / spread if spread > 0.0 else math.nan
    name = DISAGREEMENT[checked.name]
    return trend(name, "σ", away, 1.0, checked.reason or fitted.reason)
