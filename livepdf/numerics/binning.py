"""Which pixel falls into which bin, and with what share: the same answer as pyFAI's."""

from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from livepdf.numerics.geometry import Geometry, RadialUnit

Splitting = Literal["no", "bbox", "full"]
"""Whole pixels by their centre; split along their bounding box; split along their edges."""

OUTSIDE = -1
"""Bin number of a pixel that belongs to none."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class CentreBins:
    """Each pixel in the one bin that its centre falls into."""

    centres: NDArray[np.float64]
    """(n,) bin centres, in the unit asked for."""
    number: NDArray[np.int64]
    """(ny, nx) bin of each pixel, −1 for none."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class SplitBins:
    """Pixels shared out among the bins that they cover, as one sparse matrix."""

    centres: NDArray[np.float64]
    """(n,) bin centres, in the unit asked for."""
    starts: NDArray[np.int64]
    """(ny·nx + 1,) entries of pixel i are ``starts[i]`` to ``starts[i + 1]``."""
    bins: NDArray[np.int64]
    """(entries,) bin of each entry, rising within a pixel."""
    shares: NDArray[np.float32]
    """(entries,) share of the pixel that lies in the bin."""


def centre_bins(
    geometry: Geometry,
    *,
    npt: int,
    unit: RadialUnit,
    radial_range: tuple[float, float] | None,
    mask: NDArray[np.bool_],
) -> CentreBins:
    """Put whole pixels into bins by their centre.

    Without a range the bins reach from the lowest to the highest unmasked pixel centre, as in
    pyFAI's sparse engines (its histogram engine counts masked pixels in). With a range, pixels
    below it are left out, where pyFAI counts those up to one bin below it into the first bin.

    Parameters
    ----------
    npt : int
        Number of bins.
    radial_range : (low, high) in ``unit``, optional
    mask : (ny, nx) bool
        True = ignore, in the orientation of the calibration.

    Raises
    ------
    ValueError
        No bins, no pixels left, or an empty range.
    """
    _check(npt=npt, radial_range=radial_range, mask=mask, geometry=geometry)
    scale = _scale(unit)
    position = np.asarray(
        geometry.pyfai.array_from_unit(geometry.shape, "center", unit, scale=False), np.float64
    )
    low, high = _limits(position[~mask], radial_range=radial_range, scale=scale)
    step = (high - low) / npt
    number = np.floor((position - low) / step).astype(np.int64)
    number[(number < 0) | (number >= npt) | mask] = OUTSIDE
    centres = np.linspace(low + 0.5 * step, high - 0.5 * step, npt) * scale
    geometry.pyfai.reset(collect_garbage=False)
    return CentreBins(centres=centres, number=number)


def split_bins(
    geometry: Geometry,
    *,
    npt: int,
    unit: RadialUnit,
    radial_range: tuple[float, float] | None,
    mask: NDArray[np.bool_],
    split: Literal["bbox", "full"],
) -> SplitBins:
    """Share pixels out among bins with pyFAI's own matrix; arguments as in :func:`centre_bins`.

    With a range, one more bin is laid on either side of it and dropped again: pyFAI counts what a
    pixel leaves outside the range into the outermost bin.
    """
    from scipy.sparse import csr_array

    _check(npt=npt, radial_range=radial_range, mask=mask, geometry=geometry)
    padding = 0 if radial_range is None else 1
    engine = geometry.pyfai.setup_sparse_integrator(
        geometry.shape,
        npt + 2 * padding,
        mask=mask.astype(np.int8) if mask.any() else None,
        pos0_range=None if radial_range is None else _padded(radial_range, npt=npt),
        unit=unit,
        split=split,
        algo="CSR",
    )
    kept = slice(padding, padding + npt)
    size = geometry.shape[0] * geometry.shape[1]
    rows = (np.asarray(engine.data), np.asarray(engine.indices), np.asarray(engine.indptr))
    columns = csr_array(rows, shape=(npt + 2 * padding, size))[kept].tocsc()
    columns.sort_indices()
    centres = np.asarray(engine.bin_centers, np.float64)[kept] * _scale(unit)
    geometry.pyfai.reset(collect_garbage=False)
    return SplitBins(
        centres=centres,
        starts=columns.indptr.astype(np.int64),
        bins=columns.indices.astype(np.int64),
        shares=columns.data.astype(np.float32),
    )


def _check(
    *,
    npt: int,
    radial_range: tuple[float, float] | None,
    mask: NDArray[np.bool_],
    geometry: Geometry,
) -> None:
    if npt < 1:
        raise ValueError(f"the number of bins is {npt}, wanted at least 1")
    if mask.shape != geometry.shape:
        raise ValueError(f"the mask is {mask.shape}, the detector {geometry.shape}")
    if mask.all():
        raise ValueError("the mask leaves no pixel")
    if radial_range is not None and not 0 <= radial_range[0] < radial_range[1] < np.inf:
        raise ValueError(f"radial range {radial_range} is not 0 ≤ low < high")


def _scale(unit: RadialUnit) -> float:
    from pyFAI.units import to_unit

    return float(to_unit(unit).scale)


# pyFAI widens the upper limit by one float32 step, so that the outermost pixel is inside.
_WIDEN = 1.0 + float(np.finfo(np.float32).eps)


def _limits(
    position: NDArray[np.float64], *, radial_range: tuple[float, float] | None, scale: float
) -> tuple[float, float]:
    if radial_range is not None:
        return radial_range[0] / scale, radial_range[1] / scale * _WIDEN
    return max(0.0, float(position.min())), float(position.max()) * _WIDEN


def _padded(radial_range: tuple[float, float], *, npt: int) -> tuple[float, float]:
    low, high = radial_range
    step = (high * _WIDEN - low) / npt
    return low - step, high + step / _WIDEN
