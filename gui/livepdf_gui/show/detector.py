"""The newest detector image, in 255 grey levels that gaps and hot pixels do not spoil."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from livepdf_gui.show.ranges import Range
from livepdf_gui.show.state import State
from livepdf_gui.show.words import count

LOW, HIGH = 1.0, 99.7
"""Percentiles of the used pixels between which the colours run."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class DetectorView:
    """An indexed image: 0 is masked, 1 to 255 run from the lower to the upper level."""

    image: NDArray[np.uint8]
    counts: NDArray[np.float32]
    """(ny, nx), NaN where masked."""
    binning: int
    levels: Range
    words: str
    frame: int


def detector_view(state: State, *, before: DetectorView | None) -> DetectorView | None:
    """Scale the preview; None where none has come."""
    preview, counts = state.preview, state.preview_image
    if preview is None or counts is None:
        return None
    if before is not None and before.counts is counts:
        return before
    finite = np.isfinite(counts)
    low, high = _levels(counts[finite])
    # square root: counts span decades between the rings and the background
    scaled = np.sqrt(np.clip((np.where(finite, counts, low) - low) / (high - low), 0.0, 1.0))
    masked = 1.0 - finite.mean() if finite.size else 0.0
    if state.snapshot is not None:
        masked = state.snapshot.masked
    return DetectorView(
        image=np.where(finite, 1 + np.rint(scaled * 254), 0).astype(np.uint8),
        counts=counts,
        binning=preview.binning,
        levels=(low, high),
        words=f"frame {count(preview.frame)}, {low:.3g} to {high:.3g} counts, "
        f"{100 * masked:.1f} % masked",
        frame=preview.frame,
    )


def readout(view: DetectorView, column: int, row: int) -> str:
    """Tell the counts under the cursor."""
    ny, nx = view.counts.shape
    if not (0 <= row < ny and 0 <= column < nx):
        return ""
    value = view.counts[row, column]
    where = f"x {column * view.binning}, y {row * view.binning}"
    return f"{where}: " + (f"{value:.4g} counts" if np.isfinite(value) else "masked")


def _levels(counts: NDArray[np.float32]) -> Range:
    if counts.size == 0:
        return 0.0, 1.0
    low, high = np.percentile(counts[:: max(1, counts.size // 50_000)], [LOW, HIGH])
    return float(low), float(high if high > low else low + 1.0)
