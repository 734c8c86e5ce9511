"""From what a tiled integrating detector reads to photons: pedestal, gain, common mode, states."""

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from livepdf.numerics.kernel import kernel

GOOD, DEAD, SATURATED, GAP = 0, 1, 2, 3
"""States of a pixel in one shot; of all but good ones nothing is added up."""
_CLASSES = 512
"""Of the histogram that the median of a tile comes from."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class TileCorrection:
    """What of a detector does not change from shot to shot; see `tile_correction`."""

    pedestal: NDArray[np.float32]
    """(ny, nx) detector units."""
    per_unit: NDArray[np.float32]
    """(ny, nx) photons per detector unit, NaN for dead pixels and gaps."""
    rows: int
    """Of a tile; tiles lie one below the other."""
    common_mode: bool
    dark_below: float
    """Photons; pixels that read less tell the common mode."""
    noise: float
    """Photons, that one pixel may be off in the dark: width of the histogram's classes."""
    saturation: float
    """Detector units at and above which a pixel says only "at least"."""

    def photons(
        self, image: NDArray[Any], out: NDArray[np.float32] | None = None
    ) -> NDArray[np.float32]:
        """Return the photons of each pixel, (ny, nx), NaN where it is not good.

        In the order pedestal, gain, common mode. The common mode of a tile is the median of its
        dark pixels, where there are enough of them.

        Parameters
        ----------
        image : (ny, nx)
            As read.
        out : (ny, nx) float32, optional
            Memory to write to.

        Raises
        ------
        ValueError
            For an image of another shape.
        """
        if image.shape != self.pedestal.shape:
            raise ValueError(f"an image of {image.shape}, wanted {self.pedestal.shape}")
        made = np.empty(image.shape, dtype=np.float32) if out is None else out
        _photons(
            np.ascontiguousarray(image),
            self.pedestal,
            self.per_unit,
            self.rows,
            self.common_mode,
            self.dark_below,
            self.noise,
            self.saturation,
            np.zeros(_CLASSES, dtype=np.int64),
            made,
        )
        return made

    def states(self, image: NDArray[Any]) -> NDArray[np.uint8]:
        """Return what each pixel is in one shot, (ny, nx); a gap is told by the mask, not here."""
        found = np.full(image.shape, GOOD, dtype=np.uint8)
        found[image >= self.saturation] = SATURATED
        found[np.isnan(self.per_unit)] = DEAD
        return found


def tile_correction(
    *,
    pedestal: NDArray[Any] | float,
    gain: NDArray[Any] | float,
    shape: tuple[int, int],
    rows: int,
    common_mode: bool = True,
    dark_below: float = 0.5,
    saturation: float = np.inf,
) -> TileCorrection:
    """Prepare the correction.

    Parameters
    ----------
    pedestal : (ny, nx) or float, detector units
    gain : (ny, nx) or float, detector units per photon
        Pixels with a gain that is not positive are dead.
    shape : (ny, nx)
    rows : int
        Of a tile.

    Raises
    ------
    ValueError
        Arrays of another shape, or tiles that do not fill the image.
    """
    ny, _ = shape
    if rows < 1 or ny % rows:
        raise ValueError(f"tiles of {rows} rows do not fill images of {ny}")
    offset = _filled(pedestal, shape, "pedestal")
    slope = _filled(gain, shape, "gain")
    usable = np.isfinite(slope) & (slope > 0) & np.isfinite(offset)
    if not usable.any():
        raise ValueError("no pixel has a positive gain")
    per_unit = np.full(shape, np.nan, dtype=np.float32)
    np.divide(1.0, slope, out=per_unit, where=usable, casting="unsafe")
    return TileCorrection(
        pedestal=np.where(usable, offset, 0.0).astype(np.float32),
        per_unit=per_unit,
        rows=rows,
        common_mode=common_mode,
        dark_below=dark_below,
        noise=4 * dark_below / _CLASSES,
        saturation=float(saturation),
    )


def _filled(values: NDArray[Any] | float, shape: tuple[int, int], name: str) -> NDArray[np.float64]:
    array = np.asarray(values, dtype=np.float64)
    if array.ndim and array.shape != shape:
        raise ValueError(f"the {name} is an image of {array.shape}, wanted {shape}")
    return np.broadcast_to(array, shape)


@kernel
def _photons(  # type: ignore[no-untyped-def]
    image, pedestal, per_unit, rows, common_mode, dark_below, width, saturation, classes, out
):
    ny, nx = image.shape
    for first in range(0, ny, rows):
        shift = 0.0
        if common_mode:
            # 4096 pixels tell the median to 1.25 noise / 64
            stride = max(1, rows * nx // 4096)
            classes[:] = 0
            count = 0
            # the histogram covers twice the range on either side
            low = -2.0 * dark_below
            for k in range(0, rows * nx, stride):
                i, j = first + k // nx, k % nx
                raw = np.float64(image[i, j])
                value = (raw - pedestal[i, j]) * per_unit[i, j]
                place = (value - low) / width
                # NaN fails both
                if raw < saturation and place >= 0.0 and place < classes.size:
                    classes[int(place)] += 1
                    count += 1
            if count >= 64:
                shift = _middle(classes, low, width, dark_below)
        for i in range(first, first + rows):
            for j in range(nx):
                raw = np.float64(image[i, j])
                if raw >= saturation:
                    out[i, j] = np.nan
                else:
                    out[i, j] = (raw - pedestal[i, j]) * per_unit[i, j] - shift


@kernel
def _middle(classes, low, width, dark_below):  # type: ignore[no-untyped-def]
    """Return the median of what is near the mode of the dark; 0 where hardly anything is dark."""
    top = 0
    # the mode of the light is one photon further
    for k in range(1, int((dark_below - low) / width)):
        if classes[k] > classes[top]:
            top = k
    # pixels with a photon lie one photon above; a window about the mode leaves them out
    reach = classes.size // 8
    begin, end = max(0, top - reach), min(classes.size, top + reach + 1)
    total = 0
    for k in range(begin, end):
        total += classes[k]
    if total < 64:
        return 0.0
    seen = 0
    for k in range(begin, end):
        if seen + classes[k] >= 0.5 * total:
            return low + width * (k + (0.5 * total - seen) / max(classes[k], 1))
        seen += classes[k]
    return 0.0
