"""One window in Q for two curves: before G(r) of different Qmin, Qmax or taper are compared."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from livepdf.numerics.tapers import TaperKind, taper
from livepdf.numerics.transform import pair_distribution

Floats = NDArray[np.float64]

_LEAST_TAPER = 0.02
"""A taper below this cannot be divided out again: noise would be multiplied by 50."""
_EDGE = 5
"""Ripples, 2π/Qmax each, from the end of a G(r) that lack what lies beyond the end."""
_STEP = 0.01
"""Å⁻¹, of F between a G(r) and another; times r it must stay well below π."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Window:
    """What of Q is in a G(r)."""

    qmin: float
    """Å⁻¹"""
    qmax: float
    """Å⁻¹"""
    taper: TaperKind = "none"

    def __post_init__(self) -> None:
        if not 0 <= self.qmin < self.qmax:
            raise ValueError(f"qmin {self.qmin:g} must lie below qmax {self.qmax:g}, from 0 on")


def peak_width(window: Window) -> float:
    r"""Return the full width at half maximum, Å, of one sharp distance in G(r).

    That of :math:`\int_0^{Q_{max}} w(Q) \cos(Qx)\,dQ`: 3.79/Qmax without a taper, 5.44/Qmax with
    ``lorch``. What is missing below Qmin takes away a broad hump and makes nothing sharper, so that
    it is left out.
    """
    q = np.linspace(0.0, window.qmax, 801)
    height = np.clip(q, window.qmin, None) if window.taper == "lorch-pdfgetx3" else q
    weight = taper(kind=window.taper, q=height, qmin=window.qmin, qmax=window.qmax)
    x = np.linspace(0.0, 8.0 / window.qmax, 801)
    shape = np.asarray(np.trapezoid(np.cos(np.outer(x, q)) * weight, q, axis=1))
    below = int(np.flatnonzero(shape < 0.5 * shape[0])[0])
    part = (shape[below - 1] - 0.5 * shape[0]) / (shape[below - 1] - shape[below])
    return float(2 * (x[below - 1] + part * (x[1] - x[0])))


def windowed_fq(*, q: Floats, fq: Floats, r: Floats, window: Window) -> Floats:
    """Transform F(Q) to G(r) in a window.

    Parameters
    ----------
    q, fq : (n_q,) float64, Å⁻¹
        Without a taper; must reach over the window.
    r : (n_r,) float64, Å

    Returns
    -------
    (n_r,) float64, Å⁻²

    Raises
    ------
    ValueError
        When the curve does not reach over the window: nothing is extrapolated.
    """
    step = float(np.max(np.diff(q)))
    _must_reach(Window(qmin=max(q[0] - step / 2, 0.0), qmax=float(q[-1]) + step / 2), window)
    inside = q[(q > window.qmin) & (q < window.qmax)]
    ends = np.clip([window.qmin, window.qmax], q[0], q[-1])
    points = np.unique(np.concatenate([ends[:1], inside, ends[1:]]))
    weight = taper(kind=window.taper, q=points, qmin=window.qmin, qmax=window.qmax)
    return pair_distribution(q=points, fq=np.interp(points, q, fq) * weight, r=r)


def rewindowed_gr(*, r: Floats, gr: Floats, seen: Window, wanted: Window) -> Floats:
    r"""Return what a G(r) would be in a narrower window, on the same r.

    :math:`F(Q) = \int G(r) \sin(Qr)\,dr`, its own taper divided out, in the wanted window.

    Parameters
    ----------
    r : (n_r,) float64, Å
        Equidistant from 0 or from one step on, and finer than half a ripple of ``seen``.
    gr : (n_r,) float64, Å⁻²
    seen, wanted : Window
        In which G(r) was made, and in which it is to be compared.

    Returns
    -------
    (n_r,) float64, Å⁻²
        NaN over the last five ripples, 10π/Qmax, where what lies beyond the end would matter.

    Raises
    ------
    ValueError
        When the wanted window is not inside the other, reaches where the old taper has nearly
        nothing left, or r does not begin at 0 or is too coarse.
    """
    _must_reach(seen, wanted)
    step = float(r[1] - r[0])
    if r[0] > 1.01 * step:
        raise ValueError(f"G(r) begins at {r[0]:g} Å: it must begin at 0 or {step:g} Å")
    if step * seen.qmax > np.pi / 2:
        raise ValueError(f"steps of {step:g} Å are too coarse for qmax {seen.qmax:g} Å⁻¹")
    fine = min(_STEP, 0.5 / float(r[-1]))
    count = int(np.ceil((wanted.qmax - wanted.qmin) / fine)) + 1
    q = np.linspace(wanted.qmin, wanted.qmax, count)
    old = taper(kind=seen.taper, q=q, qmin=seen.qmin, qmax=seen.qmax)
    new = taper(kind=wanted.taper, q=q, qmin=wanted.qmin, qmax=wanted.qmax)
    lost = old < _LEAST_TAPER
    if np.any(lost & (new > old)):
        raise ValueError(
            f"taper {seen.taper} left nothing near {q[lost][0]:.3g} Å⁻¹: take qmax below that"
        )
    ratio = np.divide(new, old, out=np.ones(q.shape), where=~lost)
    # The inverse of the sine transform is itself, but for 2/π.
    fq = np.pi / 2 * pair_distribution(q=r, fq=gr, r=q)
    result = pair_distribution(q=q, fq=fq * ratio, r=r)
    result[r > r[-1] - _EDGE * 2 * np.pi / wanted.qmax] = np.nan
    return result


def _must_reach(seen: Window, wanted: Window) -> None:
    tiny = 1e-9 * seen.qmax
    if wanted.qmin < seen.qmin - tiny or wanted.qmax > seen.qmax + tiny:
        raise ValueError(
            f"the curve reaches from {seen.qmin:g} to {seen.qmax:g} Å⁻¹, wanted "
            f"{wanted.qmin:g} to {wanted.qmax:g}: nothing is extrapolated"
        )
