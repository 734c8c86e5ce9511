"""Termination functions: how F(Q) is let down towards Qmax before the transform."""

from collections.abc import Callable
from typing import Literal

import numpy as np
from numpy.typing import NDArray

TaperKind = Literal["none", "lorch", "lorch-pdfgetx3", "cosine"]
Floats = NDArray[np.float64]


def taper(*, kind: TaperKind, q: Floats, qmin: float, qmax: float) -> Floats:
    r"""Return the factor on F(Q), (n_q,) without unit, for points inside [qmin, qmax].

    ``none`` is 1; ``lorch`` is :math:`\mathrm{sinc}(Q/Q_{max})` with
    :math:`\mathrm{sinc}\,x = \sin(\pi x)/(\pi x)`; ``lorch-pdfgetx3`` is
    :math:`\mathrm{sinc}((Q-Q_{min})/(Q_{max}-Q_{min}))`; ``cosine`` is
    :math:`\cos(\pi Q/2Q_{max})`, which GSAS-II calls Lorch. ValueError names an unknown kind.
    """
    if kind not in _TAPERS:
        raise ValueError(f"taper is {kind!r}, wanted one of {', '.join(TAPERS)}")
    return _TAPERS[kind](q, qmin, qmax)


def _none(q: Floats, qmin: float, qmax: float) -> Floats:  # noqa: ARG001
    return np.ones(q.shape)


def _lorch(q: Floats, qmin: float, qmax: float) -> Floats:  # noqa: ARG001
    return np.asarray(np.sinc(q / qmax), dtype=np.float64)


def _lorch_pdfgetx3(q: Floats, qmin: float, qmax: float) -> Floats:
    return np.asarray(np.sinc((q - qmin) / (qmax - qmin)), dtype=np.float64)


def _cosine(q: Floats, qmin: float, qmax: float) -> Floats:  # noqa: ARG001
    return np.asarray(np.cos(np.pi * q / (2 * qmax)), dtype=np.float64)


_TAPERS: dict[TaperKind, Callable[[Floats, float, float], Floats]] = {
    "none": _none,
    "lorch": _lorch,
    "lorch-pdfgetx3": _lorch_pdfgetx3,
    "cosine": _cosine,
}
TAPERS: tuple[TaperKind, ...] = tuple(_TAPERS)
"""Every termination function there is."""
