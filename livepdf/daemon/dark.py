"""The detector in the dark, averaged over frames as they come."""

import threading
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import count
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from livepdf.daemon.assemble import Pipeline
from livepdf.daemon.workers import Integrate
from livepdf.errors import FileError, FrameError
from livepdf.model.frame import Frame
from livepdf.model.sums import Sums
from livepdf.numerics.integrate import usable_range


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Dark:
    """A mean image, with how well it is known."""

    mean: NDArray[np.float64]
    """(ny, nx), NaN where no frame had a usable value: such pixels are never used."""
    sigma: NDArray[np.float64]
    """(ny, nx) of the mean, from the scatter of the frames; NaN with less than two."""
    frames: int


class DarkCapture:
    """Averages the images that pass the workers between its start and its end."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._sums: tuple[NDArray[np.float64], ...] | None = None
        self._frames = 0
        self.active = False
        """Whether images are being averaged."""

    def begin(self) -> None:
        """Average from the next image on."""
        with self._lock:
            self._sums, self._frames, self.active = None, 0, True

    def watching(self, integrate: Integrate) -> Integrate:
        """Return the same integration, which lets this see the images."""

        def integrate_seen(pipeline: Pipeline, frames: Sequence[Frame]) -> list[Sums | FrameError]:
            if self.active:
                self._take(pipeline, frames)
            return integrate(pipeline, frames)

        return integrate_seen

    def end(self) -> Dark | None:
        """Stop averaging; None when no image came."""
        with self._lock:
            self.active = False
            if self._sums is None:
                return None
            number, total, squares = self._sums
            frames, self._sums = self._frames, None
        mean, variance = np.full((2, *total.shape), np.nan)
        np.divide(total, number, out=mean, where=number > 0)
        several = number > 1
        scatter = squares - number * np.square(np.nan_to_num(mean))
        np.divide(scatter, number * (number - 1), out=variance, where=several)
        return Dark(mean=mean, sigma=np.sqrt(np.maximum(variance, 0.0)), frames=frames)

    def _take(self, pipeline: Pipeline, frames: Sequence[Frame]) -> None:
        integrator = pipeline.integrator
        for frame in frames:
            try:
                image = integrator.unpack_image(frame.image)
            except FrameError:
                # It is refused and counted when it is integrated.
                continue
            low, high = usable_range(
                image.dtype, sentinels=integrator.sentinels, saturation=integrator.saturation
            )
            usable = (image >= low) & (image <= high)
            values = np.where(usable, image, 0).astype(np.float64)
            parts = (usable.astype(np.float64), values, values**2)
            with self._lock:
                if self.active:
                    old = self._sums
                    fresh = old is None or old[0].shape != image.shape
                    self._sums = parts if fresh or old is None else tuple(map(np.add, old, parts))
                    self._frames = 1 if fresh else self._frames + 1


def save_dark(dark: Dark, *, run: str, folder: Path) -> Path:
    """Write mean and σ beside the results, under names that are free; return that of the mean.

    Raises
    ------
    FileError
        When the disk refuses.
    """
    stems = (f"{run or 'run'}-dark-{number}" for number in count(1))
    stem = next(stem for stem in stems if not (folder / f"{stem}.npy").exists())
    path = folder / f"{stem}.npy"
    try:
        np.save(path, dark.mean)
        np.save(folder / f"{stem}-sigma.npy", dark.sigma)
    except OSError as error:
        raise FileError(f"{path}: {error.strerror or error}") from None
    return path
