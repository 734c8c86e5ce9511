"""The one number that is not linear in the ad hoc reduction: the scale of the intensity."""

from collections.abc import Callable
from typing import Literal

import numpy as np
from numpy.typing import NDArray

ScaleKind = Literal["lsq", "mean", "high-q", "absolute", "fixed", "monitor", "reference"]
Floats = NDArray[np.float64]

HIGH_Q_SHARE = 0.8
"""The ``high-q`` scale looks at Q above this share of the last point."""
GIVEN: tuple[ScaleKind, ...] = ("fixed", "monitor", "reference")
"""Scales that are told, not found in the pattern."""
NO_SCALE = "the intensity gives no positive scale: it is zero or over-subtracted"


def scale(
    *,
    kind: ScaleKind,
    q: Floats,
    x: Floats,
    y: Floats,
    value: float | None,
    density: float | None = None,
) -> tuple[float, Floats]:
    """Return the scale of one pattern and its gradient ds/dx: :func:`scales` with one row.

    ValueError also when the intensity gives no positive scale, e.g. a dead frame.
    """
    s, gradient = scales(kind=kind, q=q, x=x[None], y=y, value=value, density=density)
    if np.isnan(s[0]):
        raise ValueError(NO_SCALE)
    return float(s[0]), gradient[0]


def scales(
    *,
    kind: ScaleKind,
    q: Floats,
    x: Floats,
    y: Floats,
    value: float | None,
    density: float | None = None,
) -> tuple[Floats, Floats]:
    r"""Return for each pattern s that brings s·x to y, and how s follows x.

    ``lsq``: :math:`s = \sum xy / \sum x^2` (Juhás et al. 2013): repeats PDFgetX3, but sinks as
    the pattern grows peaks. ``mean``: :math:`s = \sum y / \sum x`, does not. ``high-q``: the same
    ratio over the upper fifth of Q, where the structure has died away. ``absolute``:
    :math:`s = (\int Q^2 y \, dQ - 2\pi^2\rho_0) / \int Q^2 x \, dQ` (Krogh-Moe 1956, Norman
    1957), which follows from the slope of G(r) at 0, :math:`-4\pi\rho_0`. ``fixed``, ``monitor``
    and ``reference``: s = value.

    Parameters
    ----------
    q : (n_q,) float64, Å⁻¹
    x : (k, n_q) float64
        I/⟨f⟩² of k patterns, without gaps.
    y : (n_q,) float64
        ⟨f²⟩/⟨f⟩², for ``absolute`` (⟨f²⟩ + Compton)/⟨f⟩².
    value : float or None
        For the given kinds alone.
    density : float or None, Å⁻³
        Atoms per volume ρ0, for ``absolute`` alone.

    Returns
    -------
    s, gradient : (k,) and (k, n_q) float64
        NaN where the intensity gives no positive scale. ValueError for an unknown kind or a
        missing value.
    """
    if kind in GIVEN:
        if value is None or not value > 0:
            raise ValueError(f"scale {kind} needs a positive scale_value, found {value}")
        return np.full(len(x), value), np.zeros(x.shape)
    if kind == "absolute":
        return _krogh_moe_norman(q, x, y, density)
    if kind not in _RULES:
        raise ValueError(f"scale is {kind!r}, wanted one of {', '.join(SCALES)}")
    return _RULES[kind](q, x, y)


def _least_squares(q: Floats, x: Floats, y: Floats) -> tuple[Floats, Floats]:  # noqa: ARG001
    square = np.einsum("kq,kq->k", x, x)
    s = _ratio(x @ y, square)
    return s, (y - 2 * s[:, None] * x) / np.where(square > 0, square, np.nan)[:, None]


def _mean(q: Floats, x: Floats, y: Floats) -> tuple[Floats, Floats]:
    return _weighted_mean(x, y, np.ones(q.shape), 0.0)


def _high_q(q: Floats, x: Floats, y: Floats) -> tuple[Floats, Floats]:
    return _weighted_mean(x, y, (q >= HIGH_Q_SHARE * q[-1]).astype(np.float64), 0.0)


def _krogh_moe_norman(
    q: Floats, x: Floats, y: Floats, density: float | None
) -> tuple[Floats, Floats]:
    if density is None or not density > 0:
        raise ValueError(f"scale absolute needs the density of the sample, found {density}")
    return _weighted_mean(x, y, np.gradient(q) * q**2, 2 * np.pi**2 * density)


def _weighted_mean(x: Floats, y: Floats, weight: Floats, less: float) -> tuple[Floats, Floats]:
    found = x @ weight
    s = _ratio(np.full(len(x), weight @ y - less), found)
    return s, -(s / np.where(found > 0, found, np.nan))[:, None] * weight


def _ratio(wanted: Floats, found: Floats) -> Floats:
    s = np.full(wanted.shape, np.nan)
    np.divide(wanted, found, out=s, where=(wanted > 0) & (found > 0))
    return s


_RULES: dict[ScaleKind, Callable[[Floats, Floats, Floats], tuple[Floats, Floats]]] = {
    "lsq": _least_squares,
    "mean": _mean,
    "high-q": _high_q,
}
SCALES: tuple[ScaleKind, ...] = (*_RULES, "absolute", *GIVEN)
"""Every kind of scale there is."""
