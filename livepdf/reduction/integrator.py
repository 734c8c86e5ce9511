"""Images in, additive sums per Q bin out: geometry, masks and corrections in one frozen object."""

import threading
from dataclasses import dataclass, field, replace
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from livepdf.errors import FrameError
from livepdf.model.frame import PackedImage
from livepdf.model.sums import Sums
from livepdf.numerics.binning import Splitting, centre_bins, split_bins
from livepdf.numerics.geometry import Geometry, RadialUnit
from livepdf.numerics.integrate import (
    Projection,
    Sentinels,
    centre_projection,
    split_projection,
    usable_range,
)
from livepdf.numerics.unpack import UnpackError, unpack

Flip = Literal["none", "ud", "lr", "udlr"]
"""How the image as read must be mirrored to match the calibration: up-down, left-right, both."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Integrator:
    """Turns images of one detector into sums; any number of threads may use it at once."""

    q: NDArray[np.float64]
    """(n,) bin centres, in ``unit``."""
    unit: RadialUnit
    shape: tuple[int, int]
    """(ny, nx) of the images."""
    sentinels: Sentinels
    saturation: float | None
    gain: float
    projection: Projection
    scratch: threading.local = field(default_factory=threading.local)
    """One unpacked image per thread, re-used."""

    def integrate(
        self,
        image: NDArray[Any],
        *,
        monitor: float | None = None,
        exposure: float | None = None,
        normalize_monitor: bool = False,
        normalize_exposure: bool = False,
    ) -> Sums:
        """Add the pixels of one image up.

        The variance is gain × counts as they were read, before the dark is subtracted; the noise
        of the dark itself is left out, since a dark is averaged over many exposures.

        Parameters
        ----------
        image : (ny, nx) integer or float
            As read from the detector: not flipped, not corrected. NaN is ignored.
        monitor : float, optional
            I0 counts; multiplies the weight with ``normalize_monitor``.
        exposure : float, optional, s
            Multiplies the weight with ``normalize_exposure``.

        Raises
        ------
        FrameError
            ``wrong shape``, ``wrong dtype``, ``no monitor`` or ``no exposure``.
        """
        factor = 1.0
        if normalize_monitor:
            factor *= _positive(monitor, reason="no monitor")
        if normalize_exposure:
            factor *= _positive(exposure, reason="no exposure")
        pixels = self._flat(image)
        low, high = usable_range(pixels.dtype, sentinels=self.sentinels, saturation=self.saturation)
        sums = self.projection.project(pixels, low=low, high=high)
        return Sums(
            signal=sums.signal,
            variance=self.gain * sums.variance,
            weight=factor * sums.weight,
            pixels=sums.pixels,
            frames=1,
            monitor=np.nan if monitor is None else float(monitor),
            exposure=np.nan if exposure is None else float(exposure),
        )

    def integrate_packed(
        self,
        image: PackedImage,
        *,
        monitor: float | None = None,
        exposure: float | None = None,
        normalize_monitor: bool = False,
        normalize_exposure: bool = False,
    ) -> Sums:
        """Unpack an image into this thread's buffer and add it up, as :meth:`integrate` does.

        Raises
        ------
        FrameError
            As there, and ``truncated``, ``wrong size`` or ``corrupt``.
        """
        self._check(image.shape, image.dtype)
        raw = image.algorithm == "raw"
        return self.integrate(
            _unpacked(image, out=None if raw else self._buffer(image.dtype)),
            monitor=monitor,
            exposure=exposure,
            normalize_monitor=normalize_monitor,
            normalize_exposure=normalize_exposure,
        )

    def unpack_image(self, image: PackedImage) -> NDArray[Any]:
        """Unpack an image into memory of its own, e.g. for a preview.

        Returns
        -------
        image : (ny, nx), native byte order, as read

        Raises
        ------
        FrameError
            ``wrong shape``, ``wrong dtype``, ``truncated``, ``wrong size`` or ``corrupt``.
        """
        self._check(image.shape, image.dtype)
        return _unpacked(image, out=np.empty(image.shape, image.dtype.newbyteorder("=")))

    def with_mask(self, extra: NDArray[np.bool_]) -> "Integrator":
        """Return an integrator that ignores more pixels and keeps the bins.

        Parameters
        ----------
        extra : (ny, nx) bool
            True = ignore; in the orientation of the image as read.
        """
        if extra.shape != self.shape:
            raise ValueError(f"the mask is {extra.shape}, the images {self.shape}")
        fewer = self.projection.without(np.ascontiguousarray(extra, dtype=np.bool_).ravel())
        return replace(self, projection=fewer, scratch=threading.local())

    def warm_up(self, dtype: np.dtype[Any]) -> None:
        """Compile what images of that type need, so that the first frame does not wait."""
        self.integrate(np.zeros(self.shape, dtype))

    def _check(self, shape: tuple[int, ...], dtype: np.dtype[Any]) -> None:
        if shape != self.shape:
            raise FrameError("wrong shape", f"found {shape}, wanted {self.shape}")
        if dtype.kind not in "iuf" or dtype.itemsize > 8:
            raise FrameError("wrong dtype", f"found {dtype}, wanted integers or floats")

    def _flat(self, image: NDArray[Any]) -> NDArray[Any]:
        self._check(image.shape, image.dtype)
        kind = image.dtype.newbyteorder("=")
        if kind == np.float16:
            kind = np.dtype(np.float32)
        flat = np.ascontiguousarray(image, dtype=kind).reshape(-1)
        if flat.ctypes.data % 8:
            flat = flat.copy()
        view = flat.view()
        # One compiled kernel serves all images, also those in a received, read-only buffer.
        view.flags.writeable = False
        return view

    def _buffer(self, dtype: np.dtype[Any]) -> NDArray[Any]:
        native = dtype.newbyteorder("=")
        held: NDArray[Any] | None = getattr(self.scratch, "image", None)
        if held is None or held.dtype != native:
            held = np.empty(self.shape, native)
            self.scratch.image = held
        return held


def build_integrator(
    geometry: Geometry,
    *,
    npt: int,
    unit: RadialUnit = "q_A^-1",
    radial_range: tuple[float, float] | None = None,
    split: Splitting = "no",
    polarization: float | None = None,
    solid_angle: bool = True,
    mask: NDArray[np.bool_] | None = None,
    flat: NDArray[Any] | None = None,
    dark: NDArray[Any] | None = None,
    flip: Flip = "none",
    sentinels: Sentinels = "mask",
    saturation: float | None = None,
    gain: float = 1.0,
) -> Integrator:
    """Prepare everything about a detector that does not change from frame to frame.

    Mask, flat and dark are (ny, nx) in the orientation of the images as read, before any flip.
    The gaps of a detector model named in the calibration are masked as well, and so are pixels
    whose flat, dark or solid angle is not finite, or whose weight is not above 0.

    Parameters
    ----------
    npt : int
        Number of bins.
    radial_range : (low, high) in ``unit``, optional
        Default: from the lowest to the highest position of an unmasked pixel, as in pyFAI.
    polarization : float, optional
        Factor from −1 to 1; None for no correction.
    mask : bool, optional
        True = ignore.
    flat : optional
        Relative response.
    dark : optional
        Counts of an exposure without beam; subtracted.
    flip : {"none", "ud", "lr", "udlr"}
        How the image as read must be mirrored to match the calibration.
    sentinels : {"mask", "keep"}
        Whether the type's largest and, if it has a sign, negative values mean "no data".
    saturation : float, optional
        Values from here on are ignored.
    gain : float
        Detector units per photon; the variance is gain × counts.

    Raises
    ------
    ValueError
        Arrays of another shape, no pixel left, or a value out of its range.
    """
    if not (np.isfinite(gain) and gain > 0):
        raise ValueError(f"gain is {gain}, wanted above 0")
    usable_range(np.dtype(np.float64), sentinels=sentinels, saturation=saturation)
    weight = _weight(geometry, polarization=polarization, solid_angle=solid_angle, flip=flip)
    if flat is not None:
        weight = weight * _checked(flat, shape=geometry.shape, name="flat")
    offset = None if dark is None else _checked(dark, shape=geometry.shape, name="dark")
    ignored = _ignored(geometry, mask=mask, weight=weight, dark=offset, flip=flip)
    centres, projection = _project(
        geometry,
        npt=npt,
        unit=unit,
        radial_range=radial_range,
        split=split,
        flip=flip,
        ignored=ignored,
        weight=np.where(ignored, 0.0, weight),
        dark=None if offset is None else np.where(ignored, 0.0, offset),
    )
    return Integrator(
        q=centres,
        unit=unit,
        shape=geometry.shape,
        sentinels=sentinels,
        saturation=saturation,
        gain=gain,
        projection=projection,
    )


def _project(
    geometry: Geometry,
    *,
    npt: int,
    unit: RadialUnit,
    radial_range: tuple[float, float] | None,
    split: Splitting,
    flip: Flip,
    ignored: NDArray[np.bool_],
    weight: NDArray[np.float64],
    dark: NDArray[np.float64] | None,
) -> tuple[NDArray[np.float64], Projection]:
    mask = _flipped(ignored, flip=flip)
    if split == "no":
        whole = centre_bins(geometry, npt=npt, unit=unit, radial_range=radial_range, mask=mask)
        turned = replace(whole, number=_flipped(whole.number, flip=flip))
        return whole.centres, centre_projection(turned, weight=weight, dark=dark)
    parts = split_bins(
        geometry, npt=npt, unit=unit, radial_range=radial_range, mask=mask, split=split
    )
    order = _flipped(np.arange(mask.size).reshape(mask.shape), flip=flip)
    return parts.centres, split_projection(parts, order=order, weight=weight, dark=dark)


def _weight(
    geometry: Geometry, *, polarization: float | None, solid_angle: bool, flip: Flip
) -> NDArray[np.float64]:
    weight = geometry.solid_angle() if solid_angle else np.ones(geometry.shape)
    if polarization is not None:
        weight = weight * geometry.polarization(polarization)
    return _flipped(weight, flip=flip)


def _ignored(
    geometry: Geometry,
    *,
    mask: NDArray[np.bool_] | None,
    weight: NDArray[np.float64],
    dark: NDArray[np.float64] | None,
    flip: Flip,
) -> NDArray[np.bool_]:
    ignored = ~(np.isfinite(weight) & (weight > 0))
    if dark is not None:
        ignored |= ~np.isfinite(dark)
    gaps = geometry.detector_mask()
    if gaps is not None:
        ignored |= _flipped(gaps, flip=flip)
    if mask is not None:
        ignored |= _checked(mask, shape=geometry.shape, name="mask").astype(np.bool_)
    return ignored


def _flipped(array: NDArray[Any], *, flip: Flip) -> NDArray[Any]:
    rows = -1 if "ud" in flip else 1
    columns = -1 if "lr" in flip else 1
    return np.ascontiguousarray(array[::rows, ::columns])


def _checked(array: NDArray[Any], *, shape: tuple[int, int], name: str) -> NDArray[np.float64]:
    if array.shape != shape:
        raise ValueError(f"the {name} is {array.shape}, the detector {shape}")
    return np.asarray(array, dtype=np.float64)


def _positive(value: float | None, *, reason: str) -> float:
    if value is None or not np.isfinite(value) or value <= 0:
        raise FrameError(reason, f"found {value}, wanted a number above 0")
    return float(value)


def _unpacked(image: PackedImage, *, out: NDArray[Any] | None) -> NDArray[Any]:
    try:
        return unpack(
            image.blob, algorithm=image.algorithm, shape=image.shape, dtype=image.dtype, out=out
        )
    except UnpackError as error:
        raise FrameError(error.reason, str(error)) from error
