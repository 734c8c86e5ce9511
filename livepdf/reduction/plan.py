"""The plan: everything of the reduction that does not depend on the frames, made once."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from livepdf.numerics.adhoc import SCALES, ScaleKind
from livepdf.numerics.composition import parse_composition
from livepdf.numerics.form_factors import mean_form_factors
from livepdf.numerics.polynomial import PolynomialFit, effective_degree, polynomial_fit
from livepdf.numerics.tapers import TaperKind, taper
from livepdf.numerics.transform import (
    TRANSFORMS,
    Transform,
    TransformKind,
    exact_transform,
    fft_transform,
    spacing,
)
from livepdf.numerics.variance import VarianceMap, variance_map
from livepdf.reduction.background import Background

Floats = NDArray[np.float64]

# A datum at 23.999999999 still counts for qmax = 24.
_EDGE = 1e-8


@dataclass(frozen=True, slots=True, kw_only=True)
class Parameters:
    """What a person chose; names as in PDFgetX3."""

    composition: Mapping[str, float]
    """Atoms per formula unit by element."""
    qmin: float
    qmax: float
    qmaxinst: float
    rpoly: float
    rmin: float
    rmax: float
    rstep: float
    scale: ScaleKind
    scale_value: float | None
    taper: TaperKind
    transform: TransformKind


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Plan:
    """Parameters and the operators made from them: G = s·(A·I) − b but for the one scalar s.

    A is kept in factors, transform · taper · (1 − polynomial) · Q/⟨f⟩². "Fit range" below are the
    points of q in [qmin, qmaxinst], "window" those in [qmin, qmax]: the first part of them.
    """

    revision: int
    parameters: Parameters
    q: Floats
    """(n_q,) Å⁻¹, equidistant: the grid that intensities come on."""
    r: Floats
    """(n_r,) Å, equidistant."""
    backgrounds: tuple[Background, ...]
    fit: slice
    """The fit range in q."""
    window: slice
    """The window in q."""
    mean_f2_inverse: Floats
    """(n_fit,) 1/⟨f⟩²."""
    target: Floats
    """(n_fit,) ⟨f²⟩/⟨f⟩², what the scaled intensity should approach."""
    offset_fq: Floats
    """(n_fit,) (1 − polynomial)·Q·⟨f²⟩/⟨f⟩², taken off F."""
    offset_gr: Floats
    """(n_r,) b, taken off G."""
    polynomial: PolynomialFit
    taper: Floats
    """(n_window,)"""
    transform: Transform
    """From the window to r."""
    variance: VarianceMap
    """From the variance of I over the fit range to that of G/s at fixed s."""

    @property
    def fit_q(self) -> Floats:
        """(n_fit,) Å⁻¹."""
        return self.q[self.fit]

    @property
    def window_size(self) -> int:
        """Points in the window."""
        return self.taper.size


def build_plan(
    *,
    q: Floats,
    composition: str | Mapping[str, float],
    qmin: float,
    qmax: float,
    qmaxinst: float,
    rpoly: float,
    rmin: float,
    rmax: float,
    rstep: float,
    scale: ScaleKind = "lsq",
    scale_value: float | None = None,
    taper: TaperKind = "none",
    transform: TransformKind = "exact",
    backgrounds: Sequence[Background] = (),
    revision: int = 1,
) -> Plan:
    """Make the plan of the ad hoc reduction (Juhás et al. 2013, as its program really does it).

    Parameters
    ----------
    q : (n_q,) float64, Å⁻¹
        Equidistant; see :func:`livepdf.numerics.resample.resample_uniform` for other grids.
    composition : a formula or atoms per formula unit by element
    qmin, qmax, qmaxinst : float, Å⁻¹
        Transform limits, and the end of the points that scale and polynomial are fitted to.
    rpoly : float, Å
        Below it the polynomial takes everything out of G(r); 0 leaves the polynomial away.
    rmin, rmax, rstep : float, Å

    Raises
    ------
    ValueError
        When a parameter has no meaning or asks for Q that the grid does not have.
    """
    parameters = Parameters(
        composition=_composition(composition),
        qmin=qmin,
        qmax=qmax,
        qmaxinst=qmaxinst,
        rpoly=rpoly,
        rmin=rmin,
        rmax=rmax,
        rstep=rstep,
        scale=scale,
        scale_value=scale_value,
        taper=taper,
        transform=transform,
    )
    _check(parameters, q, backgrounds)
    return _assemble(parameters, q.astype(np.float64), tuple(backgrounds), revision)


def _assemble(
    parameters: Parameters, q: Floats, backgrounds: tuple[Background, ...], revision: int
) -> Plan:
    fit = _points(q, parameters.qmin, parameters.qmaxinst)
    window = _points(q, parameters.qmin, parameters.qmax)
    r = r_grid(rmin=parameters.rmin, rmax=parameters.rmax, rstep=parameters.rstep)
    mean_f, mean_f2 = mean_form_factors(q=q[fit], composition=parameters.composition)
    degree = effective_degree(q=q[fit], rpoly=parameters.rpoly)
    polynomial = polynomial_fit(q=q[fit], degree=degree)
    tapered = taper(kind=parameters.taper, q=q[window], qmin=parameters.qmin, qmax=parameters.qmax)
    transform = _transform(parameters, q, window, r)
    offset = polynomial.remove(q[fit] * mean_f2 / mean_f**2)
    return Plan(
        revision=revision,
        parameters=parameters,
        q=q,
        r=r,
        backgrounds=backgrounds,
        fit=fit,
        window=window,
        mean_f2_inverse=1 / mean_f**2,
        target=mean_f2 / mean_f**2,
        offset_fq=offset,
        offset_gr=transform.apply(offset[: tapered.size] * tapered),
        polynomial=polynomial,
        taper=tapered,
        transform=transform,
        variance=variance_map(
            transform=transform,
            taper=tapered,
            polynomial=polynomial,
            gain=q[fit] / mean_f**2,
            r=r,
            band=None if parameters.transform == "fft" else 2 * float(q[window][-1]),
        ),
    )


def r_grid(*, rmin: float, rmax: float, rstep: float) -> Floats:
    """Return rmin, rmin + rstep, … up to rmax, (n_r,) Å."""
    count = int(np.floor((rmax - rmin) / rstep + 1e-6)) + 1
    return np.asarray(rmin + rstep * np.arange(count), dtype=np.float64)


def _transform(parameters: Parameters, q: Floats, window: slice, r: Floats) -> Transform:
    if parameters.transform == "exact":
        return exact_transform(q=q[window], r=r)
    return fft_transform(q=q[window], r=r, step=spacing(q), qmin=parameters.qmin)


def _composition(composition: str | Mapping[str, float]) -> Mapping[str, float]:
    return parse_composition(composition) if isinstance(composition, str) else dict(composition)


def _points(q: Floats, low: float, high: float) -> slice:
    inside = np.flatnonzero((q >= low - _EDGE) & (q <= high + _EDGE))
    if inside.size < 10:
        raise ValueError(f"only {inside.size} points of Q lie between {low} and {high} 1/A")
    return slice(int(inside[0]), int(inside[-1]) + 1)


def _check(parameters: Parameters, q: Floats, backgrounds: Sequence[Background]) -> None:
    step = spacing(q)
    p = parameters
    if not 0 <= p.qmin < p.qmax <= p.qmaxinst:
        raise ValueError(
            f"wanted 0 <= qmin < qmax <= qmaxinst, found {p.qmin}, {p.qmax}, {p.qmaxinst}"
        )
    if p.qmaxinst > q[-1] + step:
        raise ValueError(f"qmaxinst is {p.qmaxinst}, but the data end at {q[-1]:.4f} 1/A")
    if not (0 <= p.rmin < p.rmax and 0 < p.rstep <= p.rmax - p.rmin):
        raise ValueError(
            f"wanted 0 <= rmin < rmax and a smaller rstep, found {p.rmin}, {p.rmax}, {p.rstep}"
        )
    if p.rpoly < 0:
        raise ValueError(f"rpoly is {p.rpoly}, wanted 0 or more")
    if p.scale not in SCALES:
        raise ValueError(f"scale is {p.scale!r}, wanted one of {', '.join(SCALES)}")
    if p.transform not in TRANSFORMS:
        raise ValueError(f"transform is {p.transform!r}, wanted one of {', '.join(TRANSFORMS)}")
    for background in backgrounds:
        if background.intensity.shape != q.shape or background.sigma.shape != q.shape:
            raise ValueError(f"background {background.name} is not on the plan's grid of {q.size}")
