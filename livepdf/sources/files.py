"""Read complete image files one after the other, for work that is not live."""

import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from livepdf.errors import FrameError
from livepdf.model.frame import Frame, FrameRefused
from livepdf.sources.batch import OPEN_END, Batch, Facts, ReadImage, Unusable
from livepdf.sources.reader import FileReader
from livepdf.sources.typed_array import check_size

LOOK = 0.2
"""s between two looks at whether a reader hangs."""


def read_frames(path: Path, **options: Any) -> Iterator[Frame | FrameRefused]:
    """Yield every image of one complete file, or why there is none; options as `read_file`."""
    for item in read_file(path, **options):
        if not isinstance(item, Facts):
            yield item


def read_file(
    path: Path,
    *,
    reader: FileReader,
    series: str,
    first: int = 0,
    sidecar: bool = False,
    dataset: str | None = None,
    read_timeout: float = 20.0,
    clock: Callable[[], float] = time.time,
) -> Iterator[Frame | FrameRefused | Facts]:
    """Yield what one complete file says about its images, then every image or why there is none.

    Parameters
    ----------
    path
        Whatever fabio reads, HDF5, or the folder of a run of the European XFEL; a DECTRIS master
        stands for its data files.
    reader
        The reading process; keep it from file to file, and ``kill`` it at the end.
    series
        What the frames are to say they belong to.
    first
        Index of the first image; the others follow.
    sidecar
        Whether to read ``NAME.metadata`` as QXRD writes it.
    dataset
        Where the images are, for HDF5 files that hold several.
    read_timeout
        s for one request, after which the process is killed and the file refused.
    """
    number = 0
    more = True
    try:
        while more:
            reader.ask(path, first=number, sidecar=sidecar, dataset=dataset)
            batch = _answer(reader, limit=read_timeout)
            more = batch.more
            if number == 0:
                yield batch.facts
            number += len(batch.images)
            for item in batch.images:
                index = first + item.number
                yield frame_of(item, batch, path, series=series, index=index, now=clock())
    except FrameError as error:
        yield refuse(error, path, series=series, index=first + number, now=clock())
        return
    lacking = _lacking(batch, number)
    if lacking is not None:
        yield refuse(lacking, path, series=series, index=first + number, now=clock())


def frame_of(
    item: ReadImage | Unusable, batch: Batch, path: Path, *, series: str, index: int, now: float
) -> Frame | FrameRefused:
    """Make a frame of an image read from a file.

    Its time is the image's own, else the sidecar's, else that of the file.
    """
    if isinstance(item, Unusable):
        error = FrameError(item.reason, item.detail)
        return refuse(error, path, series=series, index=index, now=now)
    try:
        if item.image.algorithm != "raw":
            check_size(item.image)
    except FrameError as error:
        return refuse(error, path, series=series, index=index, now=now)
    times = (item.time, batch.sidecar.time, batch.modified, now)
    label = item.label or str(item.number)
    return Frame(
        series=series,
        index=index,
        image=item.image,
        received=now,
        time=next(t for t in times if t is not None),
        exposure=item.exposure,
        monitor=item.monitor,
        origin=f"{path.name}/{label}" if batch.stack else path.name,
        environment={**batch.sidecar.environment, **item.environment},
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


def _answer(reader: FileReader, *, limit: float) -> Batch:
    while True:
        batch = reader.answer(LOOK, limit=limit)
        if batch is not None:
            return batch


def _lacking(batch: Batch, number: int) -> FrameError | None:
    """Say what a file that was read to its end should have held beside ``number`` images."""
    if batch.growing and batch.growing != OPEN_END:
        return FrameError("incomplete", batch.growing)
    return FrameError("no image", "the file holds no image") if number == 0 else None
