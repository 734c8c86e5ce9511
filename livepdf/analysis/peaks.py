"""One peak of G(r): where it is, how wide and how large, seen through the window of the data."""

from dataclasses import dataclass, replace
from functools import partial

import numpy as np
from numpy.typing import NDArray
from scipy.stats import chi2 as chi2_distribution

from livepdf.analysis.least_squares import Minimum, minimise, without
from livepdf.numerics.polynomial import PolynomialFit, effective_degree, polynomial_fit
from livepdf.numerics.transform import exact_transform

_STEP = 0.02
"""Å between the points of G that are looked at: finer than any Qmax resolves."""
_INDEPENDENT = 1e-3
"""Combinations of these points with less than this part of the largest variance are left out. They
carry no counts, only what the shape of the model gets wrong."""
_NARROWEST = 0.02
"""Å, standard deviation: colder than any bond."""
_FWHM = float(np.sqrt(8.0 * np.log(2.0)))
_CHANCE = 0.01
_VAGUE = 0.33
_DETECTED = 4.0
"""Three would do for a peak of known shape; position and width are chosen to suit the noise."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class PeakWindow:
    """A stretch of G(r) and how F(Q) gets there: all that does not change from window to window."""

    near: float
    reach: float
    fit_q: NDArray[np.float64]
    """(n_fit,) Å⁻¹, where the correction polynomial is fitted; F(Q) covers the first n_q of it."""
    weight: NDArray[np.float64]
    """(n_fit,) how the strength of the pair falls with Q."""
    to_r: NDArray[np.float64]
    """(n_r, n_q) sine transform of data to the points that are looked at."""
    model_to_r: NDArray[np.float64]
    """(n_r, n_fit) the same for a model, which loses the correction polynomial on the way."""
    baseline: NDArray[np.float64]
    """(n_r,) what lies below the peak, up to a factor: G falls as −4πρ₀r where no atom is."""
    starts: NDArray[np.float64]
    """(n_starts, 2) position and standard deviation in Å."""
    start_shapes: NDArray[np.float64]
    """(n_starts, n_r) G(r) of a peak of unit area there."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PeakFit:
    """What one window says about the peak; NaN where there is a reason."""

    position: float
    """Å, mean distance of the pairs in the peak."""
    position_sigma: float
    fwhm: float
    """Å, of the distances themselves: the width of the window is not in it."""
    fwhm_sigma: float
    area: float
    """Of r·G above the baseline: for a single element the coordination number."""
    area_sigma: float
    reason: str = ""
    fwhm_reason: str = ""
    area_reason: str = ""


def peak_window(
    *,
    fit_q: NDArray[np.float64],
    qmax: float,
    near: float,
    reach: float,
    rpoly: float,
    weight: NDArray[np.float64] | None = None,
) -> PeakWindow:
    """Prepare the fit of one peak.

    Parameters
    ----------
    fit_q : (n_fit,) float64, Å⁻¹
        From qmin to qmaxinst, on equal steps; F(Q) is used up to ``qmax``.
    near, reach : float, Å
        Where the peak is expected and how far to each side the fit looks.
    rpoly : float, Å
        Of the correction polynomial, which is taken from the model as it was from the data.
    weight : (n_fit,) float64 or None
        f_a f_b/⟨f⟩² of the pair of species, where it is known; only its shape matters.
    """
    if not 0.0 < reach < near:
        raise ValueError(f"a peak near {near} Å needs a reach between 0 and that, not {reach} Å")
    r = np.arange(near - reach, near + reach + 0.5 * _STEP, _STEP)
    polynomial = polynomial_fit(q=fit_q, degree=effective_degree(q=fit_q, rpoly=rpoly))
    to_r = exact_transform(q=fit_q[fit_q <= qmax + 1e-8], r=r).rows(r)
    model_to_r = _after_polynomial(to_r, polynomial)
    shape = np.ones_like(fit_q) if weight is None else weight / weight[0]
    starts = np.array(
        [(p, w) for p in near + reach * np.linspace(-0.75, 0.75, 7) for w in (0.06, 0.1, 0.16)]
    )
    curves = [_shell(fit_q, shape, position=p, spread=w)[0] for p, w in starts]
    return PeakWindow(
        near=near,
        reach=reach,
        fit_q=fit_q,
        weight=shape,
        to_r=to_r,
        model_to_r=model_to_r,
        baseline=r,
        starts=starts,
        start_shapes=np.array(curves) @ model_to_r.T,
    )


def fit_peak(
    window: PeakWindow,
    *,
    fq: NDArray[np.float64],
    sigma: NDArray[np.float64],
    isolated: bool | None = None,
    rest: NDArray[np.float64] | None = None,
) -> PeakFit:
    """Fit a Gaussian shell of neighbours on a line through the origin to the G(r) of one window.

    The shell is made in Q, loses the correction polynomial and ends at Qmax as the data do, so its
    ripples are part of the model (bias in position at Qmax 20 Å⁻¹ below 0.01 Å for first shells,
    where a Gaussian drawn into G(r) is off by up to 0.02 Å). G is compared on all independent
    combinations of its points, weighted with their full covariance. σ grows by the root of the
    reduced χ² where less than 1 in 100 windows would have such a χ² by chance.

    Parameters
    ----------
    fq, sigma : (n_q,) float64, Å⁻¹
        F(Q) up to qmax and its σ.
    isolated : bool or None
        Whether no other shell lies closer than Qmax can separate; None where nobody knows. Where
        one does, the peak needs ``rest``.
    rest : (n_fit,) float64 or None, Å⁻¹
        F(Q) of all other distances at ``window.fit_q``, before the polynomial, where a fit of the
        structure knows it; its ripples would pull at the peak.
    """
    n_q = window.to_r.shape[1]
    if fq.shape != (n_q,) or sigma.shape != (n_q,):
        raise ValueError(f"F(Q) has {fq.shape} and σ {sigma.shape}, wanted ({n_q},)")
    if isolated is False and rest is None:
        closest = 3.8 / window.fit_q[n_q - 1]
        return no_peak(f"unresolved at this Qmax: other distances closer than {closest:.2f} Å")
    if not np.isfinite(fq).all():
        return no_peak("F(Q) has gaps")
    if not (np.isfinite(sigma).all() and (sigma > 0.0).all()):
        return no_peak("the uncertainty of the data is unknown")
    whitening = _whitening((window.to_r * sigma**2) @ window.to_r.T)
    freedom = len(whitening) - 4
    if freedom < 0:
        return no_peak("too few independent points: widen the reach or raise Qmax")
    line = whitening @ window.baseline
    basis = (line / np.linalg.norm(line))[:, None]
    gr = window.to_r @ fq
    if rest is not None:
        gr = gr - window.model_to_r @ rest
    data = without(whitening @ gr, basis)
    start = _best_start(without(window.start_shapes @ whitening.T, basis), data)
    if start is None:
        return no_peak(f"no peak here above {_DETECTED:g} times its uncertainty")
    shape, area = start
    minimum = minimise(
        partial(_residuals, window, whitening @ window.model_to_r, basis, data),
        start=np.array([area, *window.starts[shape]]),
        lower=np.array([-np.inf, window.near - window.reach, _NARROWEST]),
        upper=np.array([np.inf, window.near + window.reach, window.reach]),
    )
    return _conclusion(window, minimum, freedom)


def _after_polynomial(to_r: NDArray[np.float64], polynomial: PolynomialFit) -> NDArray[np.float64]:
    # T(1 − U w Uᵀ), where T sees only the first points of what the polynomial sees.
    n_q, n_fit = to_r.shape[1], polynomial.basis.shape[0]
    seen = (to_r @ polynomial.basis[:n_q]) * polynomial.weights
    return np.asarray(np.pad(to_r, ((0, 0), (0, n_fit - n_q))) - seen @ polynomial.basis.T)


def _shell(
    q: NDArray[np.float64], weight: NDArray[np.float64], *, position: float, spread: float
) -> NDArray[np.float64]:
    # F(Q) of neighbours around one distance with unit area in G, and its derivatives by position
    # and standard deviation: (3, n_q).
    damped = weight * np.exp(-0.5 * (spread * q) ** 2)
    sine = damped * np.sin(q * position)
    return np.array([sine, damped * q * np.cos(q * position), -spread * q**2 * sine])


def _whitening(covariance: NDArray[np.float64]) -> NDArray[np.float64]:
    # Rows that turn the points of G into independent numbers of unit variance.
    variance, direction = np.linalg.eigh(covariance)
    kept = variance > _INDEPENDENT * variance[-1]
    return np.asarray((direction[:, kept] / np.sqrt(variance[kept])).T)


def _best_start(shapes: NDArray[np.float64], data: NDArray[np.float64]) -> tuple[int, float] | None:
    areas = (shapes @ data) / np.einsum("sn,sn->s", shapes, shapes)
    gain = np.where(areas > 0.0, areas * (shapes @ data), 0.0)
    best = int(np.argmax(gain))
    return (best, float(areas[best])) if gain[best] > 0.0 else None


def _residuals(
    window: PeakWindow,
    seen: NDArray[np.float64],
    basis: NDArray[np.float64],
    data: NDArray[np.float64],
    parameters: NDArray[np.float64],
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    area, position, spread = parameters
    curves = _shell(window.fit_q, window.weight, position=position, spread=spread)
    columns = without(curves @ seen.T, basis)
    columns[1:] *= area
    return area * columns[0] - data, columns.T


def _conclusion(window: PeakWindow, minimum: Minimum, freedom: int) -> PeakFit:
    area, position, spread = (float(value) for value in minimum.parameters)
    covariance = minimum.covariance
    if freedom > 0 and minimum.chi2 > chi2_distribution.isf(_CHANCE, freedom):
        covariance = covariance * minimum.chi2 / freedom
    reason = _why_not(window, minimum, covariance)
    if reason:
        return no_peak(reason)
    # Neighbours are r times the area of the peak in G.
    by = np.array([position, area])
    fwhm, fwhm_sigma = _FWHM * spread, _FWHM * float(np.sqrt(covariance[2, 2]))
    neighbours = area * position
    neighbours_sigma = float(np.sqrt(by @ covariance[:2, :2] @ by))
    return _with_reasons(
        PeakFit(
            position=position,
            position_sigma=float(np.sqrt(covariance[1, 1])),
            fwhm=fwhm,
            fwhm_sigma=fwhm_sigma,
            area=neighbours,
            area_sigma=neighbours_sigma,
        ),
        narrow=bool(minimum.at_limit[2]),
    )


def _with_reasons(fit: PeakFit, *, narrow: bool) -> PeakFit:
    # Width and area share what a weak peak says; above a third, their errors are not symmetric.
    nan, vague = float("nan"), f"more uncertain than {100 * _VAGUE:.0f} %"
    if narrow or not fit.fwhm_sigma < _VAGUE * fit.fwhm:
        reason = "narrower than this Qmax can show" if narrow else vague
        fit = replace(fit, fwhm=nan, fwhm_sigma=nan, fwhm_reason=reason)
    if not fit.area_sigma < _VAGUE * fit.area:
        fit = replace(fit, area=nan, area_sigma=nan, area_reason=vague)
    return fit


def _why_not(window: PeakWindow, minimum: Minimum, covariance: NDArray[np.float64]) -> str:
    area, position, _ = minimum.parameters
    # At the position and width that were found: with them free the area of a clear peak may be
    # vague, but that something is there is not.
    if area * np.linalg.norm(minimum.jacobian[:, 0]) < _DETECTED:
        return f"no peak here above {_DETECTED:g} times its uncertainty"
    if not minimum.converged:
        return "the fit of the peak did not settle"
    if minimum.at_limit[1] or abs(position - window.near) > 0.95 * window.reach:
        return "the peak has left the reach of the fit"
    if minimum.at_limit[2] and minimum.parameters[2] > _NARROWEST:
        return "no peak here: only something wider than the reach"
    if not (np.isfinite(covariance[:2, :2]).all() and covariance[1, 1] > 0.0):
        return "the data do not determine the peak"
    if np.sqrt(covariance[1, 1]) > 0.5 * window.reach:
        return "position more uncertain than half the reach"
    return ""


def no_peak(reason: str) -> PeakFit:
    """Return a fit that says nothing but why."""
    nan = float("nan")
    return PeakFit(
        position=nan,
        position_sigma=nan,
        fwhm=nan,
        fwhm_sigma=nan,
        area=nan,
        area_sigma=nan,
        reason=reason,
        fwhm_reason=reason,
        area_reason=reason,
    )
