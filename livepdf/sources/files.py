"""Read complete image files one after the other, for work that is not live."""

import time
from collections.abc import Callable, Iterator
from pathlib import Path

from livepdf.errors import FrameError
from livepdf.model.frame import Frame, FrameRefused
from livepdf.sources.batch import OPEN_END, Batch, ReadImage
from livepdf.sources.reader import FileReader
from livepdf.sources.typed_array import check_size

LOOK = 0.2
"""s between two looks at whether a reader hangs."""


def read_frames(
    path: Path,
    *,
    reader: FileReader,
    series: str,
    first: int = 0,
    sidecar: bool = False,
    read_timeout: float = 20.0,
    clock: Callable[[], float] = time.time,
) -> Iterator[Frame | FrameRefused]:
    """Yield every image of one complete file, or why there is none.

    Parameters
    ----------
    path
        Whatever fabio reads, or HDF5; a DECTRIS master stands for its data files.
    reader
        The reading process; keep it from file to file, and ``kill`` it at the end.
    series
        What the frames are to say they belong to.
    first
        Index of the first image; the others follow.
    sidecar
        Whether to read ``NAME.metadata`` as QXRD writes it.
    read_timeout
        s for one request, after which the process is killed and the file refused.
    """
    number = 0
    while True:
        try:
            batch = _ask(reader, path, number, sidecar=sidecar, limit=read_timeout)
        except FrameError as error:
            yield refuse(error, path, series=series, index=first + number, now=clock())
            return
        for image in batch.images:
            yield frame_of(
                image, batch, path, series=series, index=first + image.number, now=clock()
            )
        number += len(batch.images)
        if not batch.more:
            break
    lacking = _lacking(batch, number)
    if lacking is not None:
        yield refuse(lacking, path, series=series, index=first + number, now=clock())


def frame_of(
    image: ReadImage, batch: Batch, path: Path, *, series: str, index: int, now: float
) -> Frame | FrameRefused:
    """Make a frame of an image read from a file; its time is the sidecar's or the file's."""
    try:
        if image.image.algorithm != "raw":
            check_size(image.image)
    except FrameError as error:
        return refuse(error, path, series=series, index=index, now=now)
    return Frame(
        series=series,
        index=index,
        image=image.image,
        received=now,
        time=batch.sidecar.time if batch.sidecar.time is not None else _file_time(path, now),
        exposure=image.exposure,
        origin=f"{path.name}/{image.number}" if batch.stack else path.name,
        environment=batch.sidecar.environment,
    )


def refuse(
    error: FrameError, path: Path, *, series: str, index: int | None, now: float
) -> FrameRefused:
    """Say that a file, or an image of it, cannot be used."""
    return FrameRefused(
        series=series,
        reason=error.reason,
        detail=f"{path}: {error.detail}",
        time=now,
        index=index,
    )


def _ask(reader: FileReader, path: Path, first: int, *, sidecar: bool, limit: float) -> Batch:
    reader.ask(path, first=first, sidecar=sidecar)
    while True:
        batch = reader.answer(LOOK, limit=limit)
        if batch is not None:
            return batch


def _lacking(batch: Batch, number: int) -> FrameError | None:
    """Say what a file that was read to its end should have held beside ``number`` images."""
    if batch.growing and batch.growing != OPEN_END:
        return FrameError("incomplete", batch.growing)
    return FrameError("no image", "the file holds no image") if number == 0 else None


def _file_time(path: Path, now: float) -> float:
    try:
        return path.stat().st_mtime
    except OSError:
        return now
