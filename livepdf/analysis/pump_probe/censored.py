"""Bins of Q in which too many pixels were saturated: what they say is "at least", not "so much"."""

from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from livepdf.analysis.pump_probe.difference import Grouped

LIMIT = 0.01
"""Share of lost pixels above which a bin is left out."""


class Censored:
    """Shares of lost pixels, class by class: a change that saturates only one of them counts."""

    def __init__(self, whole: NDArray[np.float64], *, limit: float = LIMIT) -> None:
        """``whole``: (n_q,) pixels of each bin when none is lost."""
        self._whole = whole
        self._limit = limit
        self._lost: dict[str, NDArray[np.float64]] = {}
        self._shots: dict[str, int] = {}

    def add(self, kind: str, pixels: NDArray[np.float64]) -> None:
        """Add a shot of a class by its (n_q,) pixels that counted."""
        lost = np.clip(self._whole - pixels, 0.0, None)
        self._lost[kind] = self._lost.get(kind, 0.0) + lost
        self._shots[kind] = self._shots.get(kind, 0) + 1

    def share(self) -> NDArray[np.float64]:
        """Return the larger share of lost pixels of any class, (n_q,); 0 where there are none."""
        worst = np.zeros(self._whole.shape)
        for kind, lost in self._lost.items():
            total = self._whole * self._shots[kind]
            part = np.divide(lost, total, out=np.zeros_like(lost), where=total > 0)
            worst = np.maximum(worst, part)
        return worst

    def flagged(self) -> NDArray[np.bool_]:
        """Return which bins are to be left out, (n_q,)."""
        return self.share() > self._limit

    def warning(self, q: NDArray[np.float64]) -> str:
        """Return what people must know; empty where no bin is flagged."""
        bins = self.flagged()
        if not bins.any():
            return ""
        share = 100 * self.share()[bins].max()
        return (
            f"saturated pixels: {np.count_nonzero(bins)} bins from {q[bins][0]:.3g} to "
            f"{q[bins][-1]:.3g} Å⁻¹ are left out, up to {share:.2g} % of their pixels are lost "
            f"(limit {100 * self._limit:g} %)"
        )


def without_bins(found: Grouped, left_out: NDArray[np.bool_]) -> Grouped:
    """Return the same blocks of time with nothing in the bins that are left out, (n_q,)."""
    if not left_out.any():
        return found
    return replace(
        found,
        on_incident=np.where(left_out, 0.0, found.on_incident),
        on_excess=np.where(left_out, np.nan, found.on_excess),
        off_excess=np.where(left_out, np.nan, found.off_excess),
    )
