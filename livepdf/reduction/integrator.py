"""Images in, additive sums per Q bin out: geometry, masks and corrections in one frozen object."""

import threading
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from livepdf.errors import FrameError
from livepdf.model.frame import PackedImage
from livepdf.model.sums import Sums
from livepdf.numerics.binning import Splitting, centre_bins, split_bins
from livepdf.numerics.centre_projection import centre_projection
from livepdf.numerics.geometry import Geometry, RadialUnit
from livepdf.numerics.integrate import BinSums, Projection, Sentinels, usable_range
from livepdf.numerics.packed import Packed, bare, open_packed
from livepdf.numerics.split_projection import split_projection
from livepdf.numerics.unpack import UnpackError, unpack

Flip = Literal["none", "ud", "lr", "udlr"]
"""How the image as read must be mirrored to match the calibration: up-down, left-right, both."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Norm:
    """What one exposure is divided by."""

    factor: float
    """Multiplies the weight."""
    monitor: float
    """NaN where there is none."""
    exposure: float
    """s, NaN where there is none."""


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
        norm = _norm(
            monitor, exposure, by_monitor=normalize_monitor, by_exposure=normalize_exposure
        )
        return self._sums(self._project(bare(self._flat(image))), norm)

    def integrate_packed(
        self,
        image: PackedImage,
        *,
        monitor: float | None = None,
        exposure: float | None = None,
        normalize_monitor: bool = False,
        normalize_exposure: bool = False,
    ) -> Sums:
        """Add an image up while it is unpacked, with the very result of :meth:`integrate`.

        Each block is unpacked into cache and added there. A bare LZ4 block, one too large for
        that, and pixels of the other byte order go through a buffer of this thread.

        Raises
        ------
        FrameError
            As there, and ``truncated``, ``wrong size`` or ``corrupt``.
        """
        norm = _norm(
            monitor, exposure, by_monitor=normalize_monitor, by_exposure=normalize_exposure
        )
        return self._sums(self._project(self._open(image)), norm)

    def integrate_batch(
        self,
        images: Sequence[PackedImage],
        *,
        monitors: Sequence[float | None] | None = None,
        exposures: Sequence[float | None] | None = None,
        normalize_monitor: bool = False,
        normalize_exposure: bool = False,
    ) -> list[Sums | FrameError]:
        """Add images up, 16 side by side: for many that wait, a single one is quicker alone.

        Without splitting integers give the very sums of :meth:`integrate_packed`, else the same
        within 1e-6. Images of one type and one way of packing share lanes; 16 at a time is best.

        Parameters
        ----------
        monitors, exposures : optional
            One for each image.

        Returns
        -------
        sums : in the order of the images
            In place of an unusable one, what :meth:`integrate_packed` would have raised.
        """
        results: list[Sums | FrameError | None] = [None] * len(images)
        groups: dict[str, list[tuple[int, Packed, Norm]]] = {}
        for k, image in enumerate(images):
            try:
                norm = _norm(
                    None if monitors is None else monitors[k],
                    None if exposures is None else exposures[k],
                    by_monitor=normalize_monitor,
                    by_exposure=normalize_exposure,
                )
                ready = self._ready(image)
                if ready is None:
                    results[k] = self._sums(self._project(self._open(image)), norm)
                else:
                    groups.setdefault(ready.dtype.str, []).append((k, ready, norm))
            except FrameError as error:
                results[k] = error
        for group in groups.values():
            for (k, _, norm), found in zip(group, self._side_by_side(group), strict=True):
                if isinstance(found, UnpackError):
                    results[k] = _refused(found)
                else:
                    results[k] = self._sums(found, norm)
        return [result for result in results if result is not None]

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

    def _project(self, image: Packed) -> BinSums:
        low, high = self._range(image.dtype)
        try:
            return self.projection.project(image, low=low, high=high)
        except UnpackError as error:
            raise _refused(error) from error

    def _side_by_side(
        self, group: Sequence[tuple[int, Packed, Norm]]
    ) -> list[BinSums | UnpackError]:
        low, high = self._range(group[0][1].dtype)
        return self.projection.project_batch([image for _, image, _ in group], low=low, high=high)

    def _range(self, dtype: np.dtype[Any]) -> tuple[Any, Any]:
        return usable_range(dtype, sentinels=self.sentinels, saturation=self.saturation)

    def _sums(self, sums: BinSums, norm: Norm) -> Sums:
        return Sums(
            signal=sums.signal,
            variance=self.gain * sums.variance,
            weight=norm.factor * sums.weight,
            pixels=sums.pixels,
            frames=1,
            monitor=norm.monitor,
            exposure=norm.exposure,
        )

    def _ready(self, image: PackedImage) -> Packed | None:
        self._check(image.shape, image.dtype)
        try:
            return open_packed(
                image.blob, algorithm=image.algorithm, shape=image.shape, dtype=image.dtype
            )
        except UnpackError as error:
            raise _refused(error) from error

    def _open(self, image: PackedImage) -> Packed:
        ready = self._ready(image)
        if ready is not None:
            return ready
        raw = image.algorithm == "raw"
        return bare(self._flat(_unpacked(image, out=None if raw else self._buffer(image.dtype))))

    def _flat(self, image: NDArray[Any]) -> NDArray[Any]:
        self._check(image.shape, image.dtype)
        kind = image.dtype.newbyteorder("=")
        if kind == np.float16:
            kind = np.dtype(np.float32)
        flat = np.ascontiguousarray(image, dtype=kind).reshape(-1)
        if flat.ctypes.data % 8:
            flat = flat.copy()
        return flat

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


def _norm(
    monitor: float | None, exposure: float | None, *, by_monitor: bool, by_exposure: bool
) -> Norm:
    factor = 1.0
    if by_monitor:
        factor *= _positive(monitor, reason="no monitor")
    if by_exposure:
        factor *= _positive(exposure, reason="no exposure")
    return Norm(
        factor=factor,
        monitor=np.nan if monitor is None else float(monitor),
        exposure=np.nan if exposure is None else float(exposure),
    )


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
        raise _refused(error) from error


def _refused(error: UnpackError) -> FrameError:
    return FrameError(error.reason, str(error))
