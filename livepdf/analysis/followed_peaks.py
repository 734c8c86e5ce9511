"""Peaks of G(r) that are followed: each fitted by itself, and where G(r) is highest near it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import ClassVar

import numpy as np
from numpy.typing import NDArray

from livepdf.analysis.declared import FQ, STRUCTURE, Declared, Measured, More, Need, trend
from livepdf.analysis.maximum import gr_maximum
from livepdf.analysis.peaks import PeakFit, PeakWindow, fit_peak, no_peak, peak_window
from livepdf.analysis.shells import NearShell, near_shell
from livepdf.model.curve import Trend
from livepdf.model.structure import Structure
from livepdf.numerics.form_factors import form_factor, mean_form_factors
from livepdf.numerics.pairs import crystal_pairs

Floats = NDArray[np.float64]

PEAKS = Declared(
    name="peaks of G(r)",
    gives=("position", "FWHM", "area", "maximum"),
    takes=(FQ,),
    needs=(Need(what="a peak to follow", key="peak", table=True),),
    more=(More(gives="neighbours, and whether the peak is resolved", need=STRUCTURE),),
    cost=2.5,
    each="peak",
)


@dataclass(frozen=True, slots=True, kw_only=True)
class WantedPeak:
    """A peak of G(r) to follow."""

    name: str
    near: float
    """Å"""
    reach: float
    """Å"""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class FollowedPeak:
    """A wanted peak, made ready."""

    name: str
    window: PeakWindow
    isolated: bool | None
    """None where no structure tells."""
    per_neighbour: float
    """Area of the peak that one neighbour makes; NaN where no structure tells."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class FollowedPeaks:
    """All of them, in the order of the recipe."""

    declared: ClassVar[Declared] = PEAKS
    peaks: tuple[FollowedPeak, ...]

    def follow(self, found: Measured) -> Measured:
        """Add position, width, area, neighbours and maximum of each."""
        fq, sigma, trends = found.fq, found.sigma, list(found.trends)
        for peak in self.peaks:
            trends += _peak_trends(peak, _fit_peak(peak, fq=fq, sigma=sigma))
            trends.append(_maximum(peak, fq=fq, sigma=sigma))
        return replace(found, trends=tuple(trends))


def followed_peaks(
    peaks: Sequence[WantedPeak],
    *,
    fit_q: Floats,
    qmax: float,
    rpoly: float,
    crystal: Structure | None,
    composition: Mapping[str, float],
) -> FollowedPeaks:
    """Make them ready; arguments as of `build_analysis`, and ValueError as it says."""
    return FollowedPeaks(
        peaks=tuple(
            _followed(
                peak, fit_q=fit_q, qmax=qmax, rpoly=rpoly, crystal=crystal, composition=composition
            )
            for peak in peaks
        )
    )


def _fit_peak(peak: FollowedPeak, *, fq: Floats, sigma: Floats) -> PeakFit:
    try:
        return fit_peak(peak.window, fq=fq, sigma=sigma, isolated=peak.isolated)
    except ValueError as error:
        return no_peak(f"the fit failed: {error}")


def _maximum(peak: FollowedPeak, *, fq: Floats, sigma: Floats) -> Trend:
    # The baseline of a peak is a line through the origin: r itself.
    window = peak.window
    qmax = float(window.fit_q[window.to_r.shape[1] - 1])
    found = gr_maximum(r=window.baseline, to_r=window.to_r, qmax=qmax, fq=fq, sigma=sigma)
    return trend(f"{peak.name} maximum", "Å", found.position, found.sigma, found.reason)


def _followed(
    peak: WantedPeak,
    *,
    fit_q: Floats,
    qmax: float,
    rpoly: float,
    crystal: Structure | None,
    composition: Mapping[str, float],
) -> FollowedPeak:
    weight, isolated, per_neighbour = None, None, float("nan")
    if crystal is not None:
        amplitudes = np.array([form_factor(q=fit_q, element=e) for e in crystal.species])
        shell = _shell_of(peak, crystal, amplitudes[:, len(fit_q) // 2], qmax=qmax)
        if shell is not None:
            one, other = shell.species
            mean = mean_form_factors(q=fit_q, composition=composition)[0]
            weight, isolated = amplitudes[one] * amplitudes[other] / mean**2, shell.isolated
            share = float(np.mean(crystal.species_index == one))
            # Pairs of different species come in both orders.
            per_neighbour = share * float(weight[0]) * (1 if one == other else 2)
    window = peak_window(
        fit_q=fit_q, qmax=qmax, near=peak.near, reach=peak.reach, rpoly=rpoly, weight=weight
    )
    return FollowedPeak(
        name=peak.name, window=window, isolated=isolated, per_neighbour=per_neighbour
    )


def _shell_of(
    peak: WantedPeak, crystal: Structure, amplitudes: Floats, *, qmax: float
) -> NearShell | None:
    kind = crystal.species_index
    shells = crystal_pairs(
        cell=crystal.cell,
        positions=crystal.positions,
        species=kind,
        r_max=peak.near + peak.reach + 5.0 / qmax + 0.5,
    )
    return near_shell(
        shells,
        fractions=np.bincount(kind) / len(kind),
        amplitudes=amplitudes,
        near=peak.near,
        reach=peak.reach,
        qmax=qmax,
    )


def _peak_trends(peak: FollowedPeak, fit: PeakFit) -> list[Trend]:
    name = peak.name
    each = peak.per_neighbour
    unknown = "" if each == each else "no structure tells which pairs these are"
    return [
        trend(f"{name} position", "Å", fit.position, fit.position_sigma, fit.reason),
        trend(f"{name} FWHM", "Å", fit.fwhm, fit.fwhm_sigma, fit.fwhm_reason),
        trend(f"{name} area", "", fit.area, fit.area_sigma, fit.area_reason),
        trend(
            f"{name} neighbours",
            "",
            fit.area / each,
            fit.area_sigma / each,
            unknown or fit.area_reason,
        ),
    ]
