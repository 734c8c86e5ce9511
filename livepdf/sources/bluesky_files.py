"""Read single images out of files that may still be on their way, without waiting on a disk."""

import time
from pathlib import Path

from livepdf.errors import FrameError
from livepdf.sources.batch import Batch, ReadImage
from livepdf.sources.bluesky_references import Place
from livepdf.sources.files import LOOK
from livepdf.sources.reader import FileReader
from livepdf.sources.typed_array import check_size

LATE = ("incomplete", "unreadable")
"""What a file is that may still come."""
HUNG = "reader hung"


class NotYetError(Exception):
    """The file, or the image in it, is not there yet."""


class SeriesFiles:
    """Reads images one by one; of a file with many, several at a time.

    Only the reading process touches the files, so a mount that hangs holds nobody but that process,
    and the folder is left alone for a while after it had to be killed.
    """

    def __init__(self, read_timeout: float) -> None:
        self._reader = FileReader()
        self._timeout = read_timeout
        self._file: tuple[Path, str | None] | None = None
        self._images: dict[int, ReadImage] = {}
        self._asked: Place | None = None
        self._gone: Path | None = None
        self._hung: tuple[Path, float] | None = None
        """A folder, and until when (monotonic s) nothing is read there."""

    def read(self, place: Place, *, last: bool, until: float) -> ReadImage:
        """Read one image.

        Parameters
        ----------
        last
            Whether there is no patience left for a file that is not complete.
        until : float, s
            Monotonic time up to which the answer of the reading process is waited for here.

        Raises
        ------
        NotYetError
            Ask again later; with ``last`` only while the reading process is at work.
        FrameError
            Why there is no image.
        """
        file = (place.path, place.dataset)
        if self._file != file:
            self._file, self._images = file, {}
        image = self._images.pop(place.number, None)
        if image is not None:
            return image
        try:
            found = self._fetch(place, until)
        except FrameError as error:
            if error.reason == HUNG and not last:
                raise NotYetError from None
            if error.reason in LATE:
                if last:
                    self._gone = place.path
                elif self._gone != place.path:  # else one of it was waited for in vain already
                    raise NotYetError from None
            raise
        self._gone = None
        return found

    def close(self) -> None:
        """End the reading process."""
        self._reader.kill()

    def _fetch(self, place: Place, until: float) -> ReadImage:
        batch = self._answer(place, until)
        for item in batch.images:
            if item.number == place.number and not isinstance(item, ReadImage):
                raise FrameError(item.reason, item.detail)
        self._images = {item.number: item for item in batch.images if isinstance(item, ReadImage)}
        image = self._images.pop(place.number, None)
        if image is None:
            raise FrameError("incomplete", f"{place.path} has no image {place.number} yet")
        if image.image.algorithm != "raw":
            check_size(image.image)
        return image

    def _answer(self, place: Place, until: float) -> Batch:
        folder, now = place.path.parent, time.monotonic()
        if self._hung is not None and self._hung[0] == folder and now < self._hung[1]:
            raise FrameError(HUNG, f"{folder} did not answer")
        if self._asked != place:
            if self._asked is not None:
                self._reader.kill()
            self._asked = None
            self._reader.ask(place.path, first=place.number, dataset=place.dataset)
            self._asked = place
        try:
            while True:
                pause = min(LOOK, max(until - time.monotonic(), 0.0))
                batch = self._reader.answer(pause, limit=self._timeout)
                if batch is not None:
                    self._asked = None
                    return batch
                if time.monotonic() >= until:
                    raise NotYetError
        except FrameError as error:
            self._asked = None
            if error.reason == HUNG:
                self._hung = (folder, time.monotonic() + self._timeout)
            raise
