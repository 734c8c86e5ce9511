"""A watched folder, files written into it by others' writers, and what came of them."""

from collections.abc import Callable
from pathlib import Path

import fabio
import numpy as np

from livepdf.model.frame import Frame, FrameRefused, SourceItem
from livepdf.numerics.unpack import unpack
from livepdf.sources.directory import DirectorySource
from tests.sources.conftest import kinds, wait_for

SHAPE = (20, 30)
Opener = Callable[..., DirectorySource]


def image(value: int) -> np.ndarray:
    return np.full(SHAPE, value, np.int32)


def write(path: Path, value: int) -> Path:
    """Write an image by fabio, in the format of the suffix."""
    kind = {
        ".tif": fabio.tifimage.TifImage,
        ".cbf": fabio.cbfimage.CbfImage,
        ".edf": fabio.edfimage.EdfImage,
    }[path.suffix]
    kind(data=image(value), header={}).write(str(path))
    return path


def frames(items: list[SourceItem]) -> list[Frame]:
    return [item for item in items if isinstance(item, Frame)]


def values(items: list[SourceItem]) -> list[int]:
    """First pixel of every frame; all its pixels are the same."""
    found = []
    for frame in frames(items):
        packed = frame.image
        pixels = unpack(
            packed.blob, algorithm=packed.algorithm, shape=packed.shape, dtype=packed.dtype
        )
        assert np.all(pixels == pixels[0, 0])
        found.append(int(pixels[0, 0]))
    return found


def reasons(items: list[SourceItem]) -> list[str]:
    return [item.reason for item in items if isinstance(item, FrameRefused)]


def gather(
    source: DirectorySource, *, number: int = 0, until: str = "Frame", limit: float = 30
) -> list[SourceItem]:
    return wait_for(
        lambda: source.poll(0.1), lambda got: kinds(got).count(until) >= number, limit=limit
    )
