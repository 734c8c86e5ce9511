"""What the reading process hands back of one file."""

from dataclasses import dataclass, field

from livepdf.model.frame import PackedImage
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


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Batch:
    """What could be read of a file at one time."""

    images: list[ReadImage]
    more: bool
    """Whether further images can be read at once."""
    growing: str = ""
    """Why more may come later, empty when the file is finished."""
    stack: bool = False
    """Whether the file is of a kind that holds a series of its own."""
    sidecar: Sidecar = field(default_factory=Sidecar)
