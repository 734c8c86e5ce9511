"""Bragg spots of single crystals in one image: found against the rings they stand on."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from livepdf.numerics.kernel import inner, kernel

NOT_USED = 65535
"""Ring number of pixels that count for nothing."""
_ROUNDS = 5
_MARGIN = 2
"""Pixels around a spot that its tails may reach."""
_MOST_PIXELS = 4096


@dataclass(frozen=True, slots=True, kw_only=True)
class SpotSettings:
    """What counts as a spot; names as in the peak finders of serial crystallography."""

    snr: float = 5.0
    """The highest pixel must stand so many σ above the background around it."""
    threshold: float = 0.0
    """Pixels must be above this whatever the scatter of the ring, in units of the image."""
    fewest_pixels: int = 2
    most_pixels: int = 60
    background_radius: int = 5
    """Pixels on each side of the centre within which the background is taken."""
    limit: int = 2048
    """Spots kept; more are counted but not listed."""

    def __post_init__(self) -> None:
        if not 1 <= self.fewest_pixels <= self.most_pixels <= _MOST_PIXELS:
            raise ValueError(
                f"fewest_pixels {self.fewest_pixels} and most_pixels {self.most_pixels}: wanted "
                f"1 ≤ fewest ≤ most ≤ {_MOST_PIXELS}"
            )
        if self.snr <= 0 or self.background_radius < 1 or self.limit < 1:
            raise ValueError("snr, background_radius and limit must be positive")


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Spots:
    """The spots of one image, in the order of their first pixel."""

    row: NDArray[np.float64]
    """(n,) centre of intensity, pixels from the centre of the first one."""
    column: NDArray[np.float64]
    total: NDArray[np.float64]
    """(n,) intensity above the background."""
    snr: NDArray[np.float64]
    """(n,) of the highest pixel."""
    pixels: NDArray[np.int64]
    found: int
    """All, also those beyond the limit of the list."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class SpotPlan:
    """What does not change from image to image; see `spot_plan`."""

    rings: NDArray[np.uint16]
    """(ny, nx) ring of each pixel, `NOT_USED` for masked ones."""
    panels: NDArray[np.int64]
    """(n_panels, 4) first row, row after the last, first column, column after the last."""
    samples: NDArray[np.int64]
    """Pixels that tell the background of each ring, ring after ring."""
    starts: NDArray[np.int64]
    """(n_rings + 1,) where each ring begins among the samples."""


def spot_plan(
    *, rings: NDArray[np.uint16], panels: NDArray[np.int64], per_ring: int = 400
) -> SpotPlan:
    """Choose the pixels that tell the background of each ring.

    Parameters
    ----------
    rings : (ny, nx) uint16
        Ring of each pixel, `NOT_USED` for those that count for nothing.
    panels : (n_panels, 4) int64
        First row, row after the last, first column, column after the last: spots do not cross.
    per_ring : int
        Pixels of each ring that are looked at, spread evenly over it; 400 give its scatter to 4 %.

    Raises
    ------
    ValueError
        Shapes are wrong or a panel lies outside of the image.
    """
    if rings.ndim != 2 or panels.ndim != 2 or panels.shape[1] != 4:
        raise ValueError(f"rings of {rings.shape}, panels of {panels.shape}: wanted 2-D, (n, 4)")
    low, high = panels[:, 0::2], panels[:, 1::2]
    if np.any(low < 0) or np.any(high > rings.shape) or np.any(low >= high):
        raise ValueError(f"a panel lies outside of the image of {rings.shape}")
    order = np.argsort(rings, axis=None, kind="stable")
    counts = np.bincount(rings.ravel(), minlength=NOT_USED + 1)[:NOT_USED]
    counts = counts[: int(np.flatnonzero(counts)[-1]) + 1] if counts.any() else counts[:0]
    ends = np.cumsum(counts)
    chosen = [
        order[np.linspace(end - count, end - 1, min(count, per_ring)).astype(np.int64)]
        for count, end in zip(counts, ends, strict=True)
    ]
    return SpotPlan(
        rings=rings,
        panels=panels.astype(np.int64),
        samples=np.concatenate([np.zeros(0, dtype=np.int64), *chosen]),
        starts=np.cumsum([0, *map(len, chosen)]).astype(np.int64),
    )


def ring_scatter(
    image: NDArray[np.float32], plan: SpotPlan, *, snr: float
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return mean and scatter of each ring without its spots.

    Pixels that stand ``snr`` scatters above the mean are left out, five times over (the radial
    statistics of Barty et al. 2014).

    Returns
    -------
    mean, sigma : (n_rings,) float64
        NaN where a ring has fewer than eight pixels.
    """
    _same_shape(image, plan.rings)
    mean = np.full(len(plan.starts) - 1, np.nan)
    sigma = np.full(len(plan.starts) - 1, np.nan)
    values = np.empty(int(np.diff(plan.starts).max(initial=0)))
    _scatter(image.ravel(), plan.samples, plan.starts, snr, values, mean, sigma)
    return mean, sigma


def find_spots(image: NDArray[np.float32], plan: SpotPlan, settings: SpotSettings) -> Spots:
    """Return the spots that stand above their rings and above what is around them.

    As in the radial peak finders (Barty et al. 2014): connected pixels above mean + snr × scatter
    of their ring are a candidate; its highest pixel must be ``snr`` scatters above the local
    background and above every background pixel. Unlike there, pixels next to the spot do not
    count as background: its own tails would hide weak ones.

    Parameters
    ----------
    image : (ny, nx) float32

    Raises
    ------
    ValueError
        The image does not have the shape of the plan.
    """
    mean, sigma = ring_scatter(image, plan, snr=settings.snr)
    known = np.isfinite(mean)
    threshold = np.full(NOT_USED + 1, np.inf, dtype=np.float32)
    offset = np.zeros(NOT_USED + 1, dtype=np.float32)
    limits = np.maximum(mean + settings.snr * sigma, settings.threshold)
    threshold[: len(mean)] = np.where(known, limits, np.inf)
    offset[: len(mean)] = np.where(known, mean, 0.0)
    out = np.empty((settings.limit, 5))
    found = _find(
        image,
        plan.rings,
        plan.panels,
        threshold,
        offset,
        settings.snr,
        settings.fewest_pixels,
        settings.most_pixels,
        settings.background_radius,
        np.zeros(image.shape, dtype=np.uint8),
        np.empty((_MOST_PIXELS + 8, 2), dtype=np.int64),
        out,
    )
    listed = out[: min(found, settings.limit)]
    return Spots(
        row=listed[:, 0],
        column=listed[:, 1],
        total=listed[:, 2],
        snr=listed[:, 3],
        pixels=listed[:, 4].astype(np.int64),
        found=int(found),
    )


def lit_pixels(
    image: NDArray[np.float32], *, ignore: NDArray[np.bool_], threshold: float
) -> tuple[int, float]:
    """Return how many pixels are above a threshold, and the sum of all that count.

    Parameters
    ----------
    image : (ny, nx) float32
    ignore : (ny, nx) bool
    threshold : float
        In units of the image; give it in photons where the image is.
    """
    _same_shape(image, ignore)
    return _lit(image.ravel(), ignore.ravel(), threshold)  # type: ignore[no-any-return]


def _same_shape(image: NDArray[np.float32], other: NDArray[np.generic]) -> None:
    if image.ndim != 2 or image.shape != other.shape:
        raise ValueError(f"image and map of pixels differ: {image.shape} and {other.shape}")


@kernel
def _scatter(image, samples, starts, snr, values, mean, sigma):  # type: ignore[no-untyped-def]
    for k in range(mean.size):
        n = starts[k + 1] - starts[k]
        for i in range(n):
            values[i] = image[samples[starts[k] + i]]
        limit = np.inf
        for _ in range(_ROUNDS):
            count = 0
            total = 0.0
            squares = 0.0
            for i in range(n):
                # NaN is above every limit.
                if values[i] < limit:
                    count += 1
                    total += values[i]
                    squares += values[i] * values[i]
            if count < 8:
                mean[k] = np.nan
                sigma[k] = np.nan
                break
            mean[k] = total / count
            sigma[k] = np.sqrt(max(squares / count - mean[k] * mean[k], 0.0))
            limit = mean[k] + snr * sigma[k]


@kernel
def _lit(image, ignore, threshold):  # type: ignore[no-untyped-def]
    count = 0
    total = 0.0
    for i in range(image.size):
        value = image[i]
        if ignore[i] or not np.isfinite(value):
            continue
        total += value
        count += value > threshold
    return count, total


@kernel
def _find(  # type: ignore[no-untyped-def]
    image, rings, panels, threshold, offset, snr, fewest, most, radius, state, stack, out
):
    found = 0
    for p in range(panels.shape[0]):
        top, bottom, left, right = panels[p, 0], panels[p, 1], panels[p, 2], panels[p, 3]
        for i in range(top, bottom):
            for j in range(left, right):
                if not image[i, j] > threshold[rings[i, j]] or state[i, j] != 0:
                    continue
                pixels = _flood(
                    image, rings, threshold, i, j, top, bottom, left, right, most, state, stack
                )
                if pixels < fewest or pixels > most:
                    continue
                if _measure(
                    image, rings, threshold, offset, top, bottom, left, right,
                    snr, radius, pixels, stack, out, found,
                ):  # fmt: skip
                    found += 1
    return found


@inner
def _flood(  # type: ignore[no-untyped-def]
    image, rings, threshold, row, column, top, bottom, left, right, most, state, stack
):
    """Mark the connected pixels above their thresholds; the first ``most`` + 1 are on the stack."""
    stack[0, 0] = row
    stack[0, 1] = column
    state[row, column] = 1
    count = 1
    done = 0
    while done < count:
        y, x = stack[done, 0], stack[done, 1]
        done += 1
        for dy in range(-1, 2):
            for dx in range(-1, 2):
                i, j = y + dy, x + dx
                if i < top or i >= bottom or j < left or j >= right or state[i, j] != 0:
                    continue
                if not image[i, j] > threshold[rings[i, j]]:
                    continue
                if count > most:
                    return count
                state[i, j] = 1
                stack[count, 0] = i
                stack[count, 1] = j
                count += 1
    return count


@inner
def _near(i, j, stack, pixels):  # type: ignore[no-untyped-def]
    """Whether a pixel is within two of one of the spot's."""
    for k in range(pixels):
        if abs(stack[k, 0] - i) <= _MARGIN and abs(stack[k, 1] - j) <= _MARGIN:
            return True
    return False


@inner
def _measure(  # type: ignore[no-untyped-def]
    image, rings, threshold, offset, top, bottom, left, right,
    snr, radius, pixels, stack, out, found,
):  # fmt: skip
    """Write a spot to its row of ``out`` when it stands above what is around it."""
    weight = 0.0
    y = 0.0
    x = 0.0
    for k in range(pixels):
        i, j = stack[k, 0], stack[k, 1]
        above = image[i, j] - offset[rings[i, j]]
        weight += above
        y += above * i
        x += above * j
    y /= weight
    x /= weight
    count = 0
    total = 0.0
    squares = 0.0
    highest_around = -np.inf
    centre_y, centre_x = int(np.rint(y)), int(np.rint(x))
    for i in range(max(top, centre_y - radius), min(bottom, centre_y + radius + 1)):
        for j in range(max(left, centre_x - radius), min(right, centre_x + radius + 1)):
            if rings[i, j] == NOT_USED or image[i, j] > threshold[rings[i, j]]:
                continue
            if _near(i, j, stack, pixels):
                continue
            above = image[i, j] - offset[rings[i, j]]
            count += 1
            total += above
            squares += above * above
            highest_around = max(highest_around, above)
    local = 0.0
    sigma = 0.01
    if count > 0:
        local = total / count
        sigma = max(np.sqrt(max(squares / count - local * local, 0.0)), 0.01)
    highest = -np.inf
    weight = 0.0
    for k in range(pixels):
        i, j = stack[k, 0], stack[k, 1]
        above = image[i, j] - offset[rings[i, j]] - local
        weight += above
        highest = max(highest, above)
    if highest < snr * sigma or highest < highest_around:
        return False
    if found < out.shape[0]:
        out[found, 0] = y
        out[found, 1] = x
        out[found, 2] = weight
        out[found, 3] = highest / sigma
        out[found, 4] = pixels
    return True
