"""What the reading process hands back of one file."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from livepdf.model.frame import Integrated, PackedImage
from livepdf.sources.qxrd import Sidecar

HDF5 = (".h5", ".hdf5", ".nxs", ".hdf", ".nx5")
"""Suffixes of files that hold a series of images, perhaps still growing."""
OPEN_END = "open end"
"""What is said to grow where only the dataset's kind allows it."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class ReadImage:
    """One image of a file."""

    number: int
    """Place in the file, from 0."""
    image: PackedImage
    exposure: float | None = None
    """s"""
    monitor: float | None = None
    time: float | None = None
    """Unix seconds, where the file says it."""
    label: str = ""
    """What people call it, where that is not its number."""
    environment: Mapping[str, float] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class Unusable:
    """An image of a file that cannot be used while the others can."""

    number: int
    reason: str
    detail: str


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Facts:
    """What a file says about all its images."""

    mask: NDArray[np.bool_] | None = None
    """(ny, nx), True = ignore."""
    saturation: float | None = None
    """Counts at and above which a pixel says nothing."""
    wavelength: float | None = None
    """Å"""
    integrated: Integrated | None = None
    metadata: Mapping[str, str | int | float | bool | None] = field(default_factory=dict)


NO_FACTS = Facts()


class FileState(NamedTuple):
    """By what a file that was written to again differs from what it was."""

    size: int
    mtime_ns: int
    inode: int


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Batch:
    """What could be read of a file at one time."""

    images: list[ReadImage | Unusable]
    more: bool
    """Whether further images can be read at once."""
    growing: str = ""
    """Why more may come later, empty when the file is finished."""
    stack: bool = False
    """Whether the file is of a kind that holds a series of its own."""
    sidecar: Sidecar = field(default_factory=Sidecar)
    facts: Facts = NO_FACTS
    """Told with the first images of a file only."""
    modified: float | None = None
    """Unix seconds when the file was written last."""
    state: FileState | None = None
    """The state in which the file was read, None where it changed name meanwhile."""


def blob_size(image: ReadImage | Unusable) -> int:
    """Return the bytes that an image holds."""
    return len(image.image.blob) if isinstance(image, ReadImage) else 0
