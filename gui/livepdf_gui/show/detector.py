"""The newest detector image, in 255 grey levels that gaps and hot pixels do not spoil."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from livepdf_gui.show.ranges import Range
from livepdf_gui.show.state import Angles, State
from livepdf_gui.show.words import count

LOW, HIGH = 1.0, 99.7
"""Percentiles of the used pixels between which the colours run."""
SCALES = ("square root", "linear", "logarithmic")
_SIGNS = {"square root": " (√)", "linear": "", "logarithmic": " (log)"}
_RING, _SATURATED, _SECTOR = (255, 255, 255, 150), (230, 20, 20, 255), (120, 200, 255, 110)
_MOST_RINGS = 24


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class DetectorView:
    """An indexed image: 0 is masked, 1 to 255 run from the lower to the upper level."""

    image: NDArray[np.uint8]
    counts: NDArray[np.float32]
    """(ny, nx), NaN where masked."""
    saturated: NDArray[np.bool_] | None
    """(ny, nx) what holds a saturated pixel."""
    angles: Angles | None
    over: NDArray[np.uint8] | None
    """(ny, nx, 4) rings, sectors and saturated pixels to lay over the image; None without any."""
    binning: int
    levels: Range
    scale: str
    words: str
    frame: int
    key: tuple[object, ...]


def detector_view(
    state: State,
    *,
    before: DetectorView | None,
    scale: str = SCALES[0],
    rings: Sequence[float] = (),
    ring_name: str = "",
    sectors: bool = False,
) -> DetectorView | None:
    """Scale the preview; None where none has come.

    Parameters
    ----------
    rings : Å⁻¹
        Where a structure or calibrant says that rings are.
    """
    preview, counts = state.preview, state.preview_image
    if preview is None or counts is None:
        return None
    key = (id(counts), scale, tuple(rings), sectors, id(state.angles), id(state.saturated))
    if before is not None and before.counts is counts and before.key == key:
        return before
    finite = np.isfinite(counts)
    low, high = _levels(counts[finite])
    masked = 1.0 - finite.mean() if finite.size else 0.0
    if state.snapshot is not None and state.snapshot.masked == state.snapshot.masked:
        masked = state.snapshot.masked
    angles = state.angles if _fits(state.angles, counts) else None
    spoilt = state.saturated
    if spoilt is not None and spoilt.shape != counts.shape:
        spoilt = None
    said = f", {count(int(spoilt.sum()))} saturated" if spoilt is not None and spoilt.any() else ""
    ringed = f", rings: {ring_name}" if len(rings) and angles is not None else ""
    return DetectorView(
        image=_coloured(counts, finite, (low, high), scale),
        counts=counts,
        saturated=spoilt,
        angles=angles,
        over=_over(counts.shape, angles, spoilt, rings, sectors),
        binning=preview.binning,
        levels=(low, high),
        scale=scale,
        words=f"frame {count(preview.frame)}, {low:.3g}–{high:.3g} counts{_SIGNS[scale]}, "
        f"{100 * masked:.1f} % masked{said}{ringed}",
        frame=preview.frame,
        key=key,
    )


def readout(view: DetectorView, column: int, row: int) -> str:
    """Tell the counts and the angles under the cursor."""
    ny, nx = view.counts.shape
    if not (0 <= row < ny and 0 <= column < nx):
        return ""
    value = view.counts[row, column]
    said = f"{value:.4g} counts" if np.isfinite(value) else "masked"
    if view.saturated is not None and view.saturated[row, column]:
        said += ", saturated"
    where = f"x {column * view.binning}, y {row * view.binning}: {said}"
    if view.angles is None:
        return where
    q = float(view.angles.q[row, column])
    two_theta = np.degrees(2 * np.arcsin(min(q * view.angles.wavelength / (4 * np.pi), 1.0)))
    d = 2 * np.pi / q if q > 0 else float("inf")
    return f"{where}   Q = {q:.3f} Å⁻¹   d = {d:.3f} Å   2θ = {two_theta:.2f}°"


def _fits(angles: Angles | None, counts: NDArray[np.float32]) -> bool:
    return angles is not None and angles.q.shape == counts.shape


def _coloured(
    counts: NDArray[np.float32], finite: NDArray[np.bool_], levels: Range, scale: str
) -> NDArray[np.uint8]:
    low, high = levels
    share = np.clip((np.where(finite, counts, low) - low) / (high - low), 0.0, 1.0)
    # counts span decades between the rings and the background
    if scale == "square root":
        share = np.sqrt(share)
    elif scale == "logarithmic":
        share = np.log1p(999.0 * share) / np.log(1000.0)
    return np.where(finite, 1 + np.rint(share * 254), 0).astype(np.uint8)


def _over(
    shape: tuple[int, ...],
    angles: Angles | None,
    saturated: NDArray[np.bool_] | None,
    rings: Sequence[float],
    sectors: bool,
) -> NDArray[np.uint8] | None:
    over = np.zeros((*shape, 4), dtype=np.uint8)
    if angles is not None:
        if sectors and angles.sectors is not None:
            over[_edges(angles.sectors)] = _SECTOR
        inside = [q for q in rings if q > 0][:_MOST_RINGS]
        if inside:
            # which ring a pixel is beyond: it changes from one pixel to the next on a ring
            over[_edges(np.searchsorted(np.sort(inside), angles.q))] = _RING
    if saturated is not None:
        over[saturated] = _SATURATED
    return over if over.any() else None


def _edges(number: NDArray[np.integer]) -> NDArray[np.bool_]:
    edge = np.zeros(number.shape, dtype=np.bool_)
    edge[:, 1:] |= number[:, 1:] != number[:, :-1]
    edge[1:] |= number[1:] != number[:-1]
    return edge


def _levels(counts: NDArray[np.float32]) -> Range:
    if counts.size == 0:
        return 0.0, 1.0
    low, high = np.percentile(counts[:: max(1, counts.size // 50_000)], [LOW, HIGH])
    return float(low), float(high if high > low else low + 1.0)
