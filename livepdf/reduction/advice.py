"""How good a reduction is, in numbers that can be followed, and what to change."""

import numpy as np
from numpy.typing import NDArray

from livepdf.model.curve import Curve, Trend
from livepdf.numerics.noise_window import advised_qmax, wiener_window
from livepdf.reduction.plan import Plan, with_taper

Floats = NDArray[np.float64]

TAIL = 0.8
"""S is judged above this share of qmax."""
SAFE_RPOLY = 0.45
"""A polynomial up to this share of the first bond leaves the bond's peak alone."""
_LOW = 0.75
"""Share of the first bond below which there should be no feature."""
_SHOWN = 10.0
"""Å beyond the first bond that the low-r residual is compared with."""


def quality(*, fq: Curve, gr: Curve, bond: float | None) -> tuple[Trend, ...]:
    """Return how well S(Q) is normalised, three numbers ready to be followed.

    ``S(Q) tail``: mean of S − 1 above 0.8 qmax; should vanish within a few σ. ``low-r residual``:
    rms of G(r) about the best line through the origin below 0.75 of the first bond, in parts of
    the rms of G over the 10 Å from the bond on; ripples there come from wrong backgrounds, a
    wrong scale or noise, never from the sample. ``advised qmax``: see
    :func:`livepdf.numerics.noise_window.advised_qmax`.

    Parameters
    ----------
    fq, gr : curves of one pattern
    bond : float or None, Å
        The shortest distance between atoms; None where nobody said.
    """
    return (_tail(fq), _low_r(gr, bond), _qmax(fq))


def rpoly_advice(*, rpoly: float, bond: float) -> str:
    """Return what is wrong with rpoly for a sample whose first bond is at ``bond`` Å, or ""."""
    if rpoly >= bond:
        return (
            f"rpoly = {rpoly:g} Å reaches the first bond at {bond:.2f} Å: "
            f"its peak is taken out; choose {SAFE_RPOLY * bond:.2f} or less"
        )
    if rpoly > SAFE_RPOLY * bond:
        return (
            f"rpoly = {rpoly:g} Å is above {SAFE_RPOLY:g} of the first bond at {bond:.2f} Å: "
            f"height and area of its peak change by more than a tenth; "
            f"{SAFE_RPOLY * bond:.2f} or less leaves them"
        )
    return ""


def wiener_plan(plan: Plan, fq: Curve, *, revision: int) -> Plan:
    """Return the plan with the taper that a pattern's own noise asks for, frozen.

    For a series use one pattern for all: a window that changes moves peak heights with the dose.
    ValueError when the errors of F are not known.
    """
    window = wiener_window(q=fq.x, fq=fq.y, sigma=fq.sigma)
    return with_taper(plan, window, revision=revision)


def _tail(fq: Curve) -> Trend:
    above = fq.x >= TAIL * fq.x[-1]
    q = fq.x[above]
    value = float(np.mean(fq.y[above] / q))
    sigma = float(np.sqrt(np.sum((fq.sigma[above] / q) ** 2)) / q.size)
    return Trend(name="S(Q) tail", unit="", value=value, sigma=sigma)


def _low_r(gr: Curve, bond: float | None) -> Trend:
    nothing = Trend(name="low-r residual", unit="", value=np.nan, sigma=np.nan)
    if bond is None:
        return _withheld(nothing, "the shortest distance between atoms is not known")
    low = (gr.x > 0) & (gr.x < _LOW * bond)
    shown = (gr.x >= bond) & (gr.x <= bond + _SHOWN)
    if np.count_nonzero(low) < 10 or np.count_nonzero(shown) < 10:
        return _withheld(nothing, f"G(r) does not cover {_LOW * bond:.1f} Å and beyond")
    r, left = gr.x[low], gr.y[low]
    left = left - (r @ left) / (r @ r) * r
    size = float(np.sqrt(np.mean(gr.y[shown] ** 2)))
    value = float(np.sqrt(np.mean(left**2)))
    # Points closer than the resolution share their noise: its rms is what noise alone would give.
    sigma = float(np.sqrt(np.mean(gr.sigma[low] ** 2)))
    return Trend(name="low-r residual", unit="", value=value / size, sigma=sigma / size)


def _qmax(fq: Curve) -> Trend:
    nothing = Trend(name="advised qmax", unit="Å⁻¹", value=np.nan, sigma=np.nan)
    if not np.all(np.isfinite(fq.sigma)):
        return _withheld(nothing, "the errors of F(Q) are not known")
    value = advised_qmax(q=fq.x, fq=fq.y, sigma=fq.sigma)
    # It steps with the local mean, whose width is what it can be trusted to.
    return Trend(name="advised qmax", unit="Å⁻¹", value=value, sigma=1.5)


def _withheld(trend: Trend, reason: str) -> Trend:
    return Trend(
        name=trend.name, unit=trend.unit, value=trend.value, sigma=trend.sigma, reason=reason
    )
