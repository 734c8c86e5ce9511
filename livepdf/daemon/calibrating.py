"""What tiles read becomes photons before anything else looks at an image."""

import threading
from collections.abc import Sequence
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from livepdf.daemon.assemble import Pipeline
from livepdf.daemon.workers import Integrate
from livepdf.errors import FrameError
from livepdf.model.frame import Frame, PackedImage
from livepdf.model.sums import Sums
from livepdf.numerics.tile_correction import TileCorrection
from livepdf.reduction.unpacking import unpacked


def calibrating(integrate: Integrate) -> Integrate:
    """Return the same integration of photons, for profiles with ``[detector.tiles]``.

    One image at a time, in memory of the thread that is used again for the next: whoever keeps an
    image must copy it.
    """
    own = threading.local()

    def integrate_photons(pipeline: Pipeline, frames: Sequence[Frame]) -> list[Sums | FrameError]:
        if pipeline.tiles is None:
            return integrate(pipeline, frames)
        results: list[Sums | FrameError] = []
        for frame in frames:
            try:
                out = _memory(own, frame.image.shape)
                image = in_photons(frame.image, pipeline.tiles, out=out)
            except FrameError as error:
                results.append(error)
                continue
            results += integrate(pipeline, [replace(frame, image=image)])
        return results

    return integrate_photons


def in_photons(
    image: PackedImage, tiles: TileCorrection, *, out: NDArray[np.float32] | None = None
) -> PackedImage:
    """Return an image in photons, NaN where a pixel is not good.

    Raises
    ------
    FrameError
        ``wrong shape``, ``truncated``, ``wrong size`` or ``corrupt``.
    """
    if image.shape != tiles.pedestal.shape:
        wanted = tiles.pedestal.shape
        raise FrameError("wrong shape", f"found {image.shape}, wanted {wanted}")
    made = tiles.photons(unpacked(image, out=None), out=out)
    blob = made.data.cast("B")
    return PackedImage(blob=blob, algorithm="raw", shape=made.shape, dtype=made.dtype)


def _memory(own: threading.local, shape: tuple[int, int]) -> NDArray[np.float32]:
    held: NDArray[np.float32] | None = getattr(own, "image", None)
    if held is None or held.shape != shape:
        held = own.image = np.empty(shape, dtype=np.float32)
    return held
