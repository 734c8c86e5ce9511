"""The one number that is not linear in the ad hoc reduction: the scale of the intensity."""

from collections.abc import Callable
from typing import Literal

import numpy as np
from numpy.typing import NDArray

ScaleKind = Literal["lsq", "mean", "high-q", "fixed"]
Floats = NDArray[np.float64]
Scale = tuple[float, Floats]
"""The scale s and its gradient ds/dx, (n_q,)."""

HIGH_Q_SHARE = 0.8
"""The ``high-q`` scale looks at Q above this share of the last point."""


def scale(*, kind: ScaleKind, q: Floats, x: Floats, y: Floats, value: float | None) -> Scale:
    r"""Return s that brings s·x to y, and how s follows x.

    ``lsq``: :math:`s = \sum xy / \sum x^2` (Juhás et al. 2013): repeats PDFgetX3, but sinks as
    the pattern grows peaks. ``mean``: :math:`s = \sum y / \sum x`, does not. ``high-q``: the same
    ratio over the upper fifth of Q, where the structure has died away. ``fixed``: s = value.

    Parameters
    ----------
    q : (n_q,) float64, Å⁻¹
    x : (n_q,) float64
        I/⟨f⟩², without gaps.
    y : (n_q,) float64
        ⟨f²⟩/⟨f⟩².
    value : float or None
        For ``fixed`` alone.

    Returns
    -------
    s, gradient : float and (n_q,) float64
        ValueError when the intensity gives no positive scale, e.g. a dead frame.
    """
    if kind == "fixed":
        if value is None or not value > 0:
            raise ValueError(f"scale fixed needs a positive scale_value, found {value}")
        return value, np.zeros(x.shape)
    if kind not in _RULES:
        raise ValueError(f"scale is {kind!r}, wanted one of {', '.join(SCALES)}")
    return _RULES[kind](q, x, y)


def _least_squares(q: Floats, x: Floats, y: Floats) -> Scale:  # noqa: ARG001
    s = _ratio(float(x @ y), float(x @ x))
    return s, (y - 2 * s * x) / float(x @ x)


def _mean(q: Floats, x: Floats, y: Floats) -> Scale:  # noqa: ARG001
    return _weighted_mean(x, y, np.ones(x.shape))


def _high_q(q: Floats, x: Floats, y: Floats) -> Scale:
    return _weighted_mean(x, y, (q >= HIGH_Q_SHARE * q[-1]).astype(np.float64))


def _weighted_mean(x: Floats, y: Floats, weight: Floats) -> Scale:
    s = _ratio(float(weight @ y), float(weight @ x))
    return s, -s * weight / float(weight @ x)


def _ratio(wanted: float, found: float) -> float:
    if not wanted > 0 or not found > 0:
        raise ValueError("the intensity gives no positive scale: it is zero or over-subtracted")
    return wanted / found


_RULES: dict[ScaleKind, Callable[[Floats, Floats, Floats], Scale]] = {
    "lsq": _least_squares,
    "mean": _mean,
    "high-q": _high_q,
}
SCALES: tuple[ScaleKind, ...] = (*_RULES, "fixed")
"""Every kind of scale there is."""
