"""All values that are followed over a run, from the F(Q) of one window."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from livepdf.analysis.peaks import PeakFit, PeakWindow, fit_peak, no_peak, peak_window
from livepdf.analysis.shells import NearShell, near_shell
from livepdf.analysis.size import SizeFit, fit_size, fitted_fq, no_size
from livepdf.analysis.sphere import SizeModel, all_but, size_model
from livepdf.model.curve import Trend
from livepdf.model.structure import Structure
from livepdf.numerics.bulk import pair_weights
from livepdf.numerics.form_factors import form_factor, mean_form_factors
from livepdf.numerics.pairs import PairShells, crystal_pairs

NO_QDAMP = (
    "Q resolution (qdamp) is not calibrated: measure a standard and set qdamp under [resolution] "
    "in the profile"
)
_DEFAULT_UISO = 0.005
"""Å², where the structure gives none: near that of most solids at room temperature."""


@dataclass(frozen=True, slots=True, kw_only=True)
class WantedPeak:
    """A peak of G(r) to follow."""

    name: str
    near: float
    """Å"""
    reach: float
    """Å"""


@dataclass(frozen=True, slots=True, kw_only=True)
class WantedSize:
    """A comparison with a bulk structure."""

    structure: Structure
    rmin: float
    """Å"""
    rmax: float
    """Å"""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class FollowedPeak:
    """A wanted peak, made ready."""

    name: str
    window: PeakWindow
    isolated: bool | None
    """None where no structure tells."""
    rest: SizeModel | None
    """All other distances of the structure, at the q of ``window``."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Analysis:
    """What is followed, made ready once for each plan; see `build_analysis`."""

    q: NDArray[np.float64]
    """(n_q,) Å⁻¹, from qmin to qmax."""
    peaks: tuple[FollowedPeak, ...]
    size: SizeModel | None
    qdamp: float | None
    """Å⁻¹; None while it is unknown."""
    qdamp_sigma: float

    def evaluate(self, *, fq: NDArray[np.float64], sigma: NDArray[np.float64]) -> tuple[Trend, ...]:
        """Return every value that is followed, each with σ, or NaN and the reason.

        Always the same names in the same order, whatever the data. ValueError only when the
        arrays are not on ``q``.

        Parameters
        ----------
        fq, sigma : (n_q,) float64, Å⁻¹
            F(Q) of a window, without taper, and its σ.
        """
        if fq.shape != self.q.shape or sigma.shape != self.q.shape:
            raise ValueError(f"F(Q) has {fq.shape} and σ {sigma.shape}, wanted {self.q.shape}")
        fitted = None if self.size is None else self._fit_size(self.size, fq=fq, sigma=sigma)
        trends: list[Trend] = []
        for peak in self.peaks:
            trends += _peak_trends(peak.name, _fit_peak(peak, fq=fq, sigma=sigma, size=fitted))
        if fitted is not None:
            trends += _size_trends(fitted, qdamp=self.qdamp)
        return tuple(trends)

    def _fit_size(
        self, model: SizeModel, *, fq: NDArray[np.float64], sigma: NDArray[np.float64]
    ) -> SizeFit:
        try:
            return fit_size(model, fq=fq, sigma=sigma, qdamp_sigma=self.qdamp_sigma)
        except ValueError as error:  # numpy's LinAlgError is one
            return no_size(f"the fit failed: {error}")


def _fit_peak(
    peak: FollowedPeak,
    *,
    fq: NDArray[np.float64],
    sigma: NDArray[np.float64],
    size: SizeFit | None,
) -> PeakFit:
    rest = None
    if peak.rest is not None and size is not None and not size.strain_reason:
        rest = fitted_fq(peak.rest, size)
    try:
        return fit_peak(peak.window, fq=fq, sigma=sigma, isolated=peak.isolated, rest=rest)
    except ValueError as error:
        return no_peak(f"the fit failed: {error}")


def build_analysis(
    *,
    fit_q: NDArray[np.float64],
    qmax: float,
    rpoly: float,
    composition: Mapping[str, float],
    peaks: Sequence[WantedPeak] = (),
    size: WantedSize | None = None,
    qdamp: float | None = None,
    qdamp_sigma: float = 0.0,
) -> Analysis:
    """Make ready all that does not change from window to window (about half a second).

    Parameters
    ----------
    fit_q : (n_fit,) float64, Å⁻¹
        The points that the reduction fits its polynomial to, from qmin to qmaxinst, equidistant.
    qmax : float, Å⁻¹
        F(Q) is given up to here: the first n_q points of ``fit_q``.
    rpoly : float, Å
        Of the correction polynomial.
    composition : atoms per formula unit by element
        As the reduction was told.
    peaks, size
        What to follow. With a structure, peaks also know whether they can stand alone.
    qdamp : float or None, Å⁻¹
        Resolution of the instrument; without it the size is withheld.
    qdamp_sigma : float, Å⁻¹

    Raises
    ------
    ValueError
        When a wanted value makes no sense with these limits; says which and why.
    """
    q = fit_q[fit_q <= qmax + 1e-8]
    crystal = None if size is None else _Crystal.of(size, fit_q=fit_q, composition=composition)
    model = None
    if size is not None and crystal is not None:
        model = size_model(
            q=q,
            shells=crystal.shells,
            fractions=crystal.fractions,
            density=len(size.structure.elements) / size.structure.volume,
            amplitudes=crystal.amplitudes[:, : len(q)],
            mean_amplitude=crystal.mean_amplitude[: len(q)],
            uiso=crystal.uiso,
            qdamp=0.0 if qdamp is None else qdamp,
            rmin=size.rmin,
            rmax=size.rmax,
            slow_degree=int(np.ceil(rpoly * (fit_q[-1] - fit_q[0]) / np.pi)),
        )
    followed = tuple(
        _followed(peak, fit_q=fit_q, qmax=qmax, rpoly=rpoly, crystal=crystal, model=model)
        for peak in peaks
    )
    return Analysis(q=q, peaks=followed, size=model, qdamp=qdamp, qdamp_sigma=qdamp_sigma)


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class _Crystal:
    shells: PairShells
    fractions: NDArray[np.float64]
    amplitudes: NDArray[np.float64]
    mean_amplitude: NDArray[np.float64]
    uiso: NDArray[np.float64]

    @classmethod
    def of(
        cls,
        size: WantedSize,
        *,
        fit_q: NDArray[np.float64],
        composition: Mapping[str, float],
    ) -> "_Crystal":
        structure = size.structure
        kind = structure.species_index
        given = np.where(np.isfinite(structure.uiso), structure.uiso, _DEFAULT_UISO)
        kinds = range(len(structure.species))
        return cls(
            shells=crystal_pairs(
                cell=structure.cell,
                positions=structure.positions,
                species=kind,
                r_max=size.rmax,
            ),
            fractions=np.bincount(kind) / len(kind),
            amplitudes=np.array([form_factor(q=fit_q, element=e) for e in structure.species]),
            mean_amplitude=mean_form_factors(q=fit_q, composition=composition)[0],
            uiso=np.array([given[kind == k].mean() for k in kinds]),
        )

    def shell_of(self, peak: WantedPeak, *, qmax: float) -> NearShell | None:
        """Return the shell that a wanted peak shows."""
        return near_shell(
            self.shells,
            fractions=self.fractions,
            amplitudes=self.amplitudes[:, self.amplitudes.shape[1] // 2],
            near=peak.near,
            reach=peak.reach,
            qmax=qmax,
        )


def _followed(
    peak: WantedPeak,
    *,
    fit_q: NDArray[np.float64],
    qmax: float,
    rpoly: float,
    crystal: _Crystal | None,
    model: SizeModel | None,
) -> FollowedPeak:
    shell = None if crystal is None else crystal.shell_of(peak, qmax=qmax)
    if crystal is None or model is None or shell is None:
        window = peak_window(fit_q=fit_q, qmax=qmax, near=peak.near, reach=peak.reach, rpoly=rpoly)
        return FollowedPeak(name=peak.name, window=window, isolated=None, rest=None)
    weights = pair_weights(
        model.grid, amplitudes=crystal.amplitudes, mean_amplitude=crystal.mean_amplitude
    )
    window = peak_window(
        fit_q=fit_q,
        qmax=qmax,
        near=peak.near,
        reach=peak.reach,
        rpoly=rpoly,
        weight=weights[model.grid.pairs.index(shell.species)],
    )
    rest = all_but(
        model,
        q=fit_q,
        weights=weights,
        species=shell.species,
        first=shell.first,
        last=shell.last,
    )
    return FollowedPeak(name=peak.name, window=window, isolated=shell.isolated, rest=rest)


def _trend(name: str, unit: str, value: float, sigma: float, reason: str) -> Trend:
    nan = float("nan")
    shown = (nan, nan) if reason else (value, sigma)
    return Trend(name=name, unit=unit, value=shown[0], sigma=shown[1], reason=reason)


def _peak_trends(name: str, fit: PeakFit) -> list[Trend]:
    return [
        _trend(f"{name} position", "Å", fit.position, fit.position_sigma, fit.reason),
        _trend(f"{name} FWHM", "Å", fit.fwhm, fit.fwhm_sigma, fit.fwhm_reason),
        _trend(f"{name} area", "", fit.area, fit.area_sigma, fit.area_reason),
    ]


def _size_trends(fit: SizeFit, *, qdamp: float | None) -> list[Trend]:
    unknown = NO_QDAMP if qdamp is None else ""
    return [
        _trend(
            "domain size",
            "Å",
            fit.diameter,
            fit.diameter_sigma,
            unknown or fit.reason,
        ),
        _trend("lattice strain", "%", 100 * fit.strain, 100 * fit.strain_sigma, fit.strain_reason),
        _trend("crystalline scale", "", fit.scale, fit.scale_sigma, unknown or fit.scale_reason),
    ]
