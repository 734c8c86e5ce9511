"""The images of one HDF5 file, whatever its layout, from one of them on."""

from contextlib import ExitStack
from pathlib import Path
from typing import Any, Protocol

from livepdf.errors import FrameError
from livepdf.sources.batch import NO_FACTS, OPEN_END, Batch, Facts, ReadImage, Unusable, blob_size
from livepdf.sources.hdf5_file import open_hdf5
from livepdf.sources.hdf5_images import find_parts
from livepdf.sources.nxazint import Patterns, azint_group
from livepdf.sources.sacla import SaclaRuns, is_sacla
from livepdf.sources.stacks import Stack


class Series(Protocol):
    """Images one after the other, as many as a file has by now."""

    missing: str
    """Why there may be fewer than there should be."""

    @property
    def facts(self) -> Facts:
        """What the file says about all of them."""

    @property
    def count(self) -> int:
        """Images that there is room for; some may not be written yet."""

    @property
    def open_end(self) -> bool:
        """Whether its kind allows more images to come."""

    def image(self, number: int) -> ReadImage | Unusable | None:
        """Read one image, None where it is announced but not written."""


def read_hdf5(path: Path, *, dataset: str | None, first: int, most_bytes: int) -> Batch:
    """Read images of one HDF5 file from number ``first`` on, as far as they are written.

    Raises FrameError where there is nothing to be had: why, and what to do.
    """
    with ExitStack() as files:
        file = open_hdf5(files, path)
        return read_series(_series(files, path, file, dataset), first=first, most_bytes=most_bytes)


def read_series(series: Series, *, first: int, most_bytes: int) -> Batch:
    """Read images from number ``first`` on, at least one, up to ``most_bytes``."""
    facts = series.facts if first == 0 else NO_FACTS
    images: list[ReadImage | Unusable] = []
    taken = 0
    for number in range(first, series.count):
        if taken >= most_bytes:
            return Batch(images=images, more=True, stack=True, facts=facts)
        image = _image(series, number)
        if image is None:
            lacking = f"image {number} is not written"
            return Batch(images=images, more=False, stack=True, growing=lacking, facts=facts)
        images.append(image)
        taken += blob_size(image)
    growing = series.missing or (OPEN_END if series.open_end else "")
    return Batch(images=images, more=False, stack=True, growing=growing, facts=facts)


def _series(files: ExitStack, path: Path, file: Any, dataset: str | None) -> Series:
    if dataset is None:
        if is_sacla(file):
            return SaclaRuns(file)
        group = azint_group(file)
        if group is not None:
            return Patterns(group)
    return Stack(file, find_parts(files, path, file, dataset=dataset))


def _image(series: Series, number: int) -> ReadImage | Unusable | None:
    try:
        return series.image(number)
    except FrameError as error:
        if error.reason == "incomplete":
            raise
        return Unusable(number=number, reason=error.reason, detail=error.detail)
