"""Sizes without the fit, as trends, and by how much the fit disagrees with them."""

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from livepdf.analysis.crosschecks.bragg import Bragg, BraggSize, bragg_size, build_bragg
from livepdf.analysis.crosschecks.envelope import (
    Envelope,
    EnvelopeSize,
    build_envelope,
    envelope_size,
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


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Checks:
    """What tells a size without the fit, made ready."""

    envelope: Envelope | None
    bragg: Bragg | None
    reason: str = ""
    """Why there is no envelope."""

    def trends(self, *, fq: Floats, sigma: Floats, fitted: Trend) -> tuple[Trend, ...]:
        """Return each size, and what the fit's is off it; always the same names.

        Parameters
        ----------
        fq, sigma : (n_q,) float64, Å⁻¹
        fitted : Trend
            Size by the fit.
        """
        nan = float("nan")
        envelope = EnvelopeSize(diameter=nan, sigma=nan, reason=self.reason)
        if self.envelope is not None:
            envelope = envelope_size(self.envelope, fq=fq, sigma=sigma)
        outer = _trend(ENVELOPE, "Å", envelope.diameter, envelope.sigma, envelope.reason)
        peaks = self._breadths(fq, sigma)
        inner = _trend(SCHERRER, "Å", peaks.scherrer, peaks.scherrer_sigma, peaks.reason)
        why = peaks.hall_reason
        return (
            outer,
            _disagreement(outer, fitted),
            inner,
            _trend(HALL, "Å", peaks.hall, peaks.hall_sigma, why),
            _trend(STRAIN, "", peaks.strain, peaks.strain_sigma, why),
            _disagreement(inner, fitted),
        )

    def _breadths(self, fq: Floats, sigma: Floats) -> BraggSize:
        if self.bragg is not None:
            return bragg_size(self.bragg, fq=fq, sigma=sigma)
        return BraggSize.withheld(self.reason or _NO_LINES)


def build_checks(
    structure: Structure,
    *,
    q: Floats,
    qdamp: float | None,
    qbroad: float,
    nuisances: Floats,
    diameters: tuple[float, float],
) -> Checks:
    """Make them ready for one structure; without ``qdamp`` they only say that it is missing.

    Parameters
    ----------
    q : (n_q,) float64, Å⁻¹
    nuisances : (n_q, k) float64
        What may be in F(Q) beside the crystal.
    diameters : (float, float), Å
    """
    if qdamp is None:
        return Checks(envelope=None, bragg=None, reason=_UNCALIBRATED)
    largest = min(diameters[1], _LARGEST_ENVELOPE)
    return Checks(
        envelope=build_envelope(structure, q=q, qdamp=qdamp, largest=largest),
        bragg=build_bragg(
            structure, q=q, qdamp=qdamp, qbroad=qbroad, nuisances=nuisances, diameters=diameters
        ),
    )


def _disagreement(checked: Trend, fitted: Trend) -> Trend:
    spread = math.hypot(checked.sigma, fitted.sigma)
    away = (checked.value - fitted.value) / spread if spread > 0.0 else math.nan
    name = DISAGREEMENT[checked.name]
    return _trend(name, "σ", away, 1.0, checked.reason or fitted.reason)


def _trend(name: str, unit: str, value: float, sigma: float, reason: str) -> Trend:
    nan = float("nan")
    shown = (nan, nan) if reason else (float(value), float(sigma))
    return Trend(name=name, unit=unit, value=shown[0], sigma=shown[1], reason=reason)
