"""Images in, additive sums per Q bin out: geometry, masks and corrections in one frozen object."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from livepdf.errors import FrameError
from livepdf.model.frame import PackedImage
from livepdf.model.sums import Sums
from livepdf.numerics.binning import Splitting
from livepdf.numerics.centre_projection import CentreProjection
from livepdf.numerics.geometry import Geometry, RadialUnit
from livepdf.numerics.integrate import BinSums, Projection, Sentinels, usable_range
from livepdf.numerics.measured import measured
from livepdf.numerics.packed import Packed
from livepdf.numerics.sectors import (
    agreeing_sectors,
    by_sector,
    ring_sums,
)
from livepdf.numerics.side_by_side import FEWEST
from livepdf.numerics.unpack import UnpackError
from livepdf.reduction.corrections import Flip as Flip
from livepdf.reduction.corrections import checked, ignored, weight
from livepdf.reduction.live_time import DeadTime, live_sums
from livepdf.reduction.norm import Norm, norm_of
from livepdf.reduction.projecting import Variance as Variance
from livepdf.reduction.projecting import check_rings, project_pixels
from livepdf.reduction.unpacking import Unpacker, refused, unpacked


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
    unpacker: Unpacker
    sectors: int = 1
    """Into which each ring is cut."""
    clip: float | None = None
    """Sectors further than this many σ from the median of their ring are left out."""
    dead_time: DeadTime | None = None
    """What each pixel misses; put back in every frame, which then needs its exposure time."""
    correlation: tuple[float, ...] = ()
    """Of the noise of bins 1, 2, … apart: they share split pixels."""

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
        norm = norm_of(
            monitor, exposure, by_monitor=normalize_monitor, by_exposure=normalize_exposure
        )
        return self._sums(self._project(self.unpacker.in_memory(image)), norm)

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
        norm = norm_of(
            monitor, exposure, by_monitor=normalize_monitor, by_exposure=normalize_exposure
        )
        return self._sums(self._project(self.unpacker.opened(image)), norm)

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

        Each gives the very sums of :meth:`integrate_packed`. Images of one type and one way of
        packing share lanes; 16 at a time is best.

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
                norm = norm_of(
                    None if monitors is None else monitors[k],
                    None if exposures is None else exposures[k],
                    by_monitor=normalize_monitor,
                    by_exposure=normalize_exposure,
                )
                ready = self.unpacker.in_pieces(image)
                if ready is None:
                    results[k] = self._sums(self._project(self.unpacker.opened(image)), norm)
                else:
                    groups.setdefault(ready.dtype.str, []).append((k, ready, norm))
            except FrameError as error:
                results[k] = error
        for group in groups.values():
            for (k, _, norm), found in zip(group, self._side_by_side(group), strict=True):
                if isinstance(found, UnpackError):
                    results[k] = refused(found)
                else:
                    results[k] = self._sums(found, norm)
        return [result for result in results if result is not None]

    def integrate_sectors(self, image: NDArray[Any] | PackedImage) -> BinSums:
        """Add one image up by bin and sector: I(Q, χ).

        Returns
        -------
        sums : (sectors, n)
            The variance in detector units, not yet multiplied by the gain. The middles of the
            sectors are :func:`livepdf.numerics.sectors.sector_centres`.

        Raises
        ------
        FrameError
            As :meth:`integrate_packed`.
        """
        if isinstance(image, PackedImage):
            sums = self._project(self.unpacker.opened(image))
        else:
            sums = self._project(self.unpacker.in_memory(image))
        return by_sector(sums, sectors=self.sectors)

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
        self.unpacker.check(image.shape, image.dtype)
        return unpacked(image, out=np.empty(image.shape, image.dtype.newbyteorder("=")))

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
        return replace(self, projection=fewer, unpacker=Unpacker(shape=self.shape))

    def warm_up(self, dtype: np.dtype[Any], *, batch: bool = False) -> None:
        """Compile what images of that type need, so that the first frame does not wait.

        Parameters
        ----------
        batch : bool
            For :meth:`integrate_batch` as well.
        """
        blank = np.zeros(self.shape, dtype.newbyteorder("="))
        self.integrate(blank, exposure=1.0)
        if batch:
            image = PackedImage(
                blob=blank.tobytes(),
                algorithm="raw",
                shape=self.shape,
                dtype=blank.dtype,
            )
            self.integrate_batch([image] * FEWEST, exposures=[1.0] * FEWEST)

    def _project(self, image: Packed) -> BinSums:
        low, high = self._range(image.dtype)
        try:
            return self.projection.project(image, low=low, high=high)
        except UnpackError as error:
            raise refused(error) from error

    def _side_by_side(
        self, group: Sequence[tuple[int, Packed, Norm]]
    ) -> list[BinSums | UnpackError]:
        low, high = self._range(group[0][1].dtype)
        return self.projection.project_batch([image for _, image, _ in group], low=low, high=high)

    def _range(self, dtype: np.dtype[Any]) -> tuple[Any, Any]:
        return usable_range(dtype, sentinels=self.sentinels, saturation=self.saturation)

    def _sums(self, sums: BinSums, norm: Norm) -> Sums:
        if self.sectors > 1:
            cut = by_sector(sums, sectors=self.sectors)
            kept = None if self.clip is None else agreeing_sectors(cut, limit=self.clip)
            sums = ring_sums(cut, kept=kept)
        found = Sums(
            signal=sums.signal,
            variance=self.gain * sums.variance,
            weight=norm.factor * sums.weight,
            pixels=sums.pixels,
            frames=1,
            monitor=norm.monitor,
            exposure=norm.exposure,
        )
        return found if self.dead_time is None else live_sums(found, self.dead_time)


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
    variance: Variance = "poisson",
    sectors: int = 1,
    clip: float | None = None,
    dead_time: DeadTime | None = None,
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
    variance : {"poisson", "measured"}
        Gain × counts, or the scatter of the pixels in each bin, in which ``gain`` has no part.
    sectors : int
        Into which each ring is cut, for :meth:`Integrator.integrate_sectors` and ``clip``.
    clip : float, optional
        Leave out of each ring the sectors further than this many σ from its median: zingers,
        diamond spots, single grains. Wants sectors, 36 for example, and 4 or more σ.
    dead_time : optional
        Counts that each pixel misses are put back, ring by ring: see
        :func:`livepdf.reduction.live_time.live_sums`.

    Raises
    ------
    ValueError
        Arrays of another shape, no pixel left, a value out of its range, or split pixels with a
        measured variance or sectors: both want each pixel in one bin.
    """
    check_rings(split=split, variance=variance, sectors=sectors, clip=clip)
    if not (np.isfinite(gain) and gain > 0):
        raise ValueError(f"gain is {gain}, wanted above 0")
    usable_range(np.dtype(np.float64), sentinels=sentinels, saturation=saturation)
    response = weight(geometry, polarization=polarization, solid_angle=solid_angle, flip=flip)
    if flat is not None:
        response = response * checked(flat, shape=geometry.shape, name="flat")
    offset = None if dark is None else checked(dark, shape=geometry.shape, name="dark")
    unused = ignored(geometry, mask=mask, weight=response, dark=offset, flip=flip)
    centres, projection, correlation = project_pixels(
        geometry,
        npt=npt,
        unit=unit,
        radial_range=radial_range,
        split=split,
        flip=flip,
        sectors=sectors,
        unused=unused,
        weight=np.where(unused, 0.0, response),
        dark=None if offset is None else np.where(unused, 0.0, offset),
    )
    if variance == "measured" and isinstance(projection, CentreProjection):
        projection, gain = measured(projection), 1.0
    return Integrator(
        q=centres,
        unit=unit,
        shape=geometry.shape,
        sentinels=sentinels,
        saturation=saturation,
        gain=gain,
        projection=projection,
        unpacker=Unpacker(shape=geometry.shape),
        sectors=sectors,
        clip=clip,
        dead_time=dead_time,
        correlation=correlation,
    )
