"""Read single images out of files that may still be on their way."""

from pathlib import Path

import numpy as np

from livepdf.errors import FrameError
from livepdf.sources.batch import Batch, ReadImage
from livepdf.sources.bluesky_references import Place
from livepdf.sources.files import LOOK
from livepdf.sources.packing import packed
from livepdf.sources.reader import FileReader
from livepdf.sources.typed_array import LARGEST_IMAGE, check_size

NUMPY = ".npy"


class NotYetError(Exception):
    """The file, or the image in it, is not there yet."""


class SeriesFiles:
    """Reads images one by one; of a file with many, several at a time."""

    def __init__(self, read_timeout: float) -> None:
        self._reader = FileReader()
        self._timeout = read_timeout
        self._file: tuple[Path, str | None] | None = None
        self._images: dict[int, ReadImage] = {}
        self._gone: Path | None = None

    def read(self, place: Place, *, last: bool) -> ReadImage:
        """Read one image.

        Parameters
        ----------
        last
            Whether there is no patience left for a file that is not complete.

        Raises
        ------
        NotYetError
            Ask again later; never with ``last``.
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
            found = self._numpy(place) if place.path.suffix == NUMPY else self._fetch(place)
        except FrameError as error:
            if error.reason in ("incomplete", "unreadable") and not last:
                if self._gone == place.path:
                    raise  # one image of it was waited for in vain already
                raise NotYetError from None
            if last and error.reason in ("incomplete", "unreadable"):
                self._gone = place.path
            raise
        self._gone = None
        return found

    def close(self) -> None:
        """End the reading process."""
        self._reader.kill()

    def _fetch(self, place: Place) -> ReadImage:
        if not place.path.exists():
            raise FrameError("unreadable", f"{place.path} is not there")
        self._reader.ask(place.path, first=place.number, dataset=place.dataset)
        batch: Batch | None = None
        while batch is None:
            batch = self._reader.answer(LOOK, limit=self._timeout)
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

    def _numpy(self, place: Place) -> ReadImage:
        try:
            size = place.path.stat().st_size
            if size > LARGEST_IMAGE:
                raise FrameError("too large", f"{place.path} has {size} bytes")
            pixels = np.load(place.path, allow_pickle=False)
        except (OSError, ValueError, EOFError) as error:
            raise FrameError("unreadable", f"{place.path}: {error}"[:300]) from error
        while pixels.ndim > 2 and pixels.shape[0] == 1:
            pixels = pixels[0]
        return ReadImage(number=0, image=packed(pixels))
