"""Backgrounds whose scale is found in every pattern, as their fit and its errors need them."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from livepdf.reduction.background import Background, bridge

Floats = NDArray[np.float64]

FIT_BLANKS_FROM = 8.0
"""Å⁻¹; above it the structure is faint enough to fit blanks beside the self-scattering, and at
least the upper half of the range is used."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Blanks:
    """The m backgrounds with the scale ``fit``."""

    intensity: Floats
    """(m, n_q) NaN where a bin is empty."""
    sigma: Floats
    """(m, n_q)"""
    signed: NDArray[np.bool_]
    """(m,) whether the scale may be negative."""
    fitted: slice
    """The points in the fit range that the scales are fitted to: all where one has a sign, as
    what changes with temperature changes at low Q."""
    bridged: Floats
    """(m, n_fit) without gaps."""
    self_scattering: Floats
    """(n_fit,) ⟨f²⟩ + Compton."""
    fq: Floats
    """(m, n_fit) each blank as F per unit of scale: (1 − polynomial)·Q/⟨f⟩²·B."""
    gr: Floats
    """(m, n_r) each blank as G per unit of scale."""


def fitted_blanks(
    backgrounds: Sequence[Background],
    *,
    q: Floats,
    fit: slice,
    self_scattering: Floats,
    to_fq: Callable[[Floats], Floats],
    to_gr: Callable[[Floats], Floats],
) -> Blanks:
    """Prepare those of the backgrounds whose scale is fitted.

    Parameters
    ----------
    q : (n_q,) float64, Å⁻¹
    fit : the fit range in q
    to_fq : (m, n_fit) intensities to F per unit of scale
    to_gr : (m, n_fit) of F to (m, n_r) of G
    """
    fitted = [background for background in backgrounds if background.scale == "fit"]
    m = len(fitted)
    bridged = np.empty((m, fit.stop - fit.start))
    for row, b in enumerate(fitted):
        bridged[row] = bridge(
            q=q[fit], intensity=b.intensity[fit], variance=b.sigma[fit] ** 2
        ).intensity
    fq = to_fq(bridged)
    return Blanks(
        intensity=np.array([b.intensity for b in fitted]).reshape(m, q.size),
        sigma=np.array([b.sigma for b in fitted]).reshape(m, q.size),
        signed=np.array([b.signed for b in fitted], dtype=np.bool_),
        fitted=_upper(q[fit], everything=any(b.signed for b in fitted)),
        bridged=bridged,
        self_scattering=self_scattering,
        fq=fq,
        gr=to_gr(fq),
    )


def _upper(q: Floats, *, everything: bool) -> slice:
    start = np.searchsorted(q, min(FIT_BLANKS_FROM, (q[0] + q[-1]) / 2))
    return slice(0 if everything else int(start), q.size)
