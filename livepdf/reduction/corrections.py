"""What each pixel weighs, and which are never used."""

from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from livepdf.numerics.geometry import Geometry

Flip = Literal["none", "ud", "lr", "udlr"]
"""How the image as read must be mirrored to match the calibration: up-down, left-right, both."""


def weight(
    geometry: Geometry, *, polarization: float | None, solid_angle: bool, flip: Flip
) -> NDArray[np.float64]:
    """Return solid angle × polarization of each pixel, in the orientation of the image."""
    weight = geometry.solid_angle() if solid_angle else np.ones(geometry.shape)
    if polarization is not None:
        weight = weight * geometry.polarization(polarization)
    return flipped(weight, flip=flip)


def ignored(
    geometry: Geometry,
    *,
    mask: NDArray[np.bool_] | None,
    weight: NDArray[np.float64],
    dark: NDArray[np.float64] | None,
    flip: Flip,
) -> NDArray[np.bool_]:
    """Return which pixels are never used, in the orientation of the image."""
    ignored = ~(np.isfinite(weight) & (weight > 0))
    if dark is not None:
        ignored |= ~np.isfinite(dark)
    gaps = geometry.detector_mask()
    if gaps is not None:
        ignored |= flipped(gaps, flip=flip)
    if mask is not None:
        ignored |= checked(mask, shape=geometry.shape, name="mask").astype(np.bool_)
    return ignored


def flipped(array: NDArray[Any], *, flip: Flip) -> NDArray[Any]:
    """Mirror an array from the orientation of the image to that of the calibration, or back."""
    rows = -1 if "ud" in flip else 1
    columns = -1 if "lr" in flip else 1
    return np.ascontiguousarray(array[::rows, ::columns])


def checked(array: NDArray[Any], *, shape: tuple[int, int], name: str) -> NDArray[np.float64]:
    """Return an array as float64; ValueError for one of another shape."""
    if array.shape != shape:
        raise ValueError(f"the {name} is {array.shape}, the detector {shape}")
    return np.asarray(array, dtype=np.float64)
