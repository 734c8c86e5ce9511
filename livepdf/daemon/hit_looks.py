"""Looks at the pixels of every shot of a serial run, where workers have its image in hand."""

import threading
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from livepdf.config.serial import Peaks, Serial
from livepdf.daemon.assemble import Pipeline
from livepdf.daemon.workers import Integrate
from livepdf.errors import FrameError
from livepdf.model.frame import Frame
from livepdf.model.sums import Sums
from livepdf.numerics.centre_projection import CentreProjection
from livepdf.numerics.hit_pixels import lit_photons
from livepdf.numerics.integrate import usable_range
from livepdf.numerics.spots import NOT_USED, SpotPlan, SpotSettings, find_spots, spot_plan
from livepdf.reduction.unpacking import unpacked

_MOST = 1 << 14
"""Looks that wait for their frames to be booked."""
_RINGS = 300


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class HitLook:
    """What the pixels of one shot say."""

    lit: int
    """Lit pixels."""
    photons: NDArray[np.float64] | None
    """(n_q,) whole photons in lit pixels, of a hit."""
    total: float
    """Photons in lit pixels."""
    peaks: int
    """-1 where no peaks were searched."""
    peak_sums: NDArray[np.float64] | None
    """(n_q,) photons in peaks, where any were found."""


class HitLooks:
    """Workers add looks, the collector's thread takes them."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._looks: dict[tuple[str, int], HitLook] = {}
        self._plans: tuple[Pipeline, SpotPlan] | None = None
        self._planning = threading.Lock()

    def watching(self, integrate: Integrate) -> Integrate:
        """Return the same integration, which shows this every image of a serial run."""

        def integrate_looked(
            pipeline: Pipeline, frames: Sequence[Frame]
        ) -> list[Sums | FrameError]:
            results = integrate(pipeline, frames)
            serial = pipeline.recipe.serial
            if serial is not None:
                for frame, found in zip(frames, results, strict=True):
                    if isinstance(found, Sums):
                        self._keep(frame, self._look(pipeline, serial, frame))
            return results

        return integrate_looked

    def take(self, frame: Frame) -> HitLook | None:
        """Return the look at a frame, and forget it."""
        with self._lock:
            return self._looks.pop((frame.series, frame.index), None)

    def _keep(self, frame: Frame, look: HitLook | None) -> None:
        if look is None:
            return
        with self._lock:
            # Frames that are refused later leave theirs behind.
            if len(self._looks) >= _MOST:
                del self._looks[next(iter(self._looks))]
            self._looks[frame.series, frame.index] = look

    def _look(self, pipeline: Pipeline, serial: Serial, frame: Frame) -> HitLook | None:
        integrator = pipeline.integrator
        projection = integrator.projection
        if not isinstance(projection, CentreProjection):
            return None
        try:
            image = unpacked(frame.image, out=None)
        except FrameError:
            # It was integrated: only a frame that is damaged in passing comes here.
            return None
        n = integrator.q.size
        _, high = usable_range(
            image.dtype, sentinels=integrator.sentinels, saturation=integrator.saturation
        )
        lit, photons = lit_photons(
            image,
            bins=projection.places.bins,
            n=n,
            threshold=serial.lit * integrator.gain,
            highest=float(high),
            photon=integrator.gain,
        )
        peaks, sums = -1, None
        if serial.peaks is not None and frame.index % serial.peaks.every == 0:
            peaks, sums = self._search(pipeline, serial.peaks, image, float(high))
        return HitLook(
            lit=lit,
            photons=photons if lit >= serial.hit_from else None,
            total=float(photons.sum()),
            peaks=peaks,
            peak_sums=sums,
        )

    def _search(
        self, pipeline: Pipeline, peaks: Peaks, image: NDArray[Any], high: float
    ) -> tuple[int, NDArray[np.float64] | None]:
        integrator = pipeline.integrator
        in_photons = image.astype(np.float32) * np.float32(1 / integrator.gain)
        in_photons[image > high] = np.nan
        found = find_spots(
            in_photons,
            self._plan(pipeline),
            SpotSettings(
                snr=peaks.snr,
                threshold=peaks.threshold,
                fewest_pixels=peaks.fewest_pixels,
                most_pixels=peaks.most_pixels,
                background_radius=peaks.background_radius,
            ),
        )
        if not found.found:
            return 0, None
        bins = _bins(pipeline)
        at = bins[np.rint(found.row).astype(int), np.rint(found.column).astype(int)]
        sums = np.bincount(at, found.total, minlength=integrator.q.size)[: integrator.q.size]
        return found.found, np.asarray(sums, dtype=np.float64)

    def _plan(self, pipeline: Pipeline) -> SpotPlan:
        """Return where rings and tiles are; who comes first finds out, and the others wait."""
        with self._planning:
            known = self._plans
            if known is None or known[0].integrator is not pipeline.integrator:
                known = self._plans = (pipeline, _planned(pipeline))
            return known[1]


def _bins(pipeline: Pipeline) -> NDArray[np.unsignedinteger[Any]]:
    projection = pipeline.integrator.projection
    assert isinstance(projection, CentreProjection)
    return projection.places.bins.reshape(pipeline.integrator.shape)


def _planned(pipeline: Pipeline) -> SpotPlan:
    bins, n = _bins(pipeline), pipeline.integrator.q.size
    each = max(1, -(-n // _RINGS))
    rings = np.where(bins < n, bins // each, NOT_USED).astype(np.uint16)
    ny, nx = pipeline.integrator.shape
    tiles = pipeline.profile.detector.tiles
    rows = ny if tiles is None else tiles.rows
    panels = np.array([[first, first + rows, 0, nx] for first in range(0, ny, rows)])
    return spot_plan(rings=rings, panels=panels)
