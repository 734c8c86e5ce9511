"""One image of any file that a source can read, with what the file says about its pixels."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from livepdf.errors import FileError, FrameError
from livepdf.files.images import read_image
from livepdf.numerics.unpack import UnpackError, unpack
from livepdf.sources.batch import HDF5, Batch, ReadImage, Unusable
from livepdf.sources.read_images import read_batch

Mask = NDArray[np.bool_]


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class OneImage:
    """An image as read."""

    image: NDArray[Any]
    """(ny, nx)"""
    mask: Mask | None = None
    """(ny, nx), True = ignore: what the file marks as bad."""
    saturation: float | None = None
    """Counts at and above which a pixel says nothing."""

    def with_mask(self, mask: Mask | None) -> Mask | None:
        """Return the file's mask and another together; ValueError where they differ in shape."""
        if self.mask is None or mask is None:
            return self.mask if mask is None else mask
        if self.mask.shape != mask.shape:
            raise ValueError(f"the mask is {mask.shape}, the file's own {self.mask.shape}")
        return self.mask | mask


def read_one(file: str, *, frame: int) -> OneImage:
    """Read one image.

    Raises
    ------
    FileError
        Missing, damaged, without such an image, with several datasets that could be meant, or
        with patterns in place of images.
    """
    name, _, dataset = file.partition("::")
    path = Path(name)
    if not (path.is_dir() or path.suffix.lower() in HDF5):
        return OneImage(image=read_image(file, frame=frame))
    try:
        said = read_batch(path, first=0, most_bytes=1, dataset=dataset or None)
        batch = said if frame == 0 else _later(path, frame, dataset or None)
        if said.facts.integrated is not None:
            raise FrameError("no image", "patterns that are integrated already: livepdf process")
        image = _image(batch, frame)
    except (FrameError, UnpackError) as error:
        raise FileError(f"{file}: {error}") from error
    return OneImage(image=image, mask=said.facts.mask, saturation=said.facts.saturation)


def _later(path: Path, frame: int, dataset: str | None) -> Batch:
    return read_batch(path, first=frame, most_bytes=1, dataset=dataset)


def _image(batch: Batch, frame: int) -> NDArray[Any]:
    item: ReadImage | Unusable | None = batch.images[0] if batch.images else None
    if item is None:
        raise FrameError("no image", f"frame {frame} asked for, {batch.growing or 'it has fewer'}")
    if isinstance(item, Unusable):
        raise FrameError(item.reason, item.detail)
    packed = item.image
    return unpack(packed.blob, algorithm=packed.algorithm, shape=packed.shape, dtype=packed.dtype)
