"""Images in HDF5: DECTRIS masters with their data files, plain stacks, files still being written.

What the file has not got yet is never an error: a locked file, a link whose target is missing, a
frame that was announced but not written (it would read as zeros) all mean "later".
"""

from pathlib import Path
from typing import Any

from livepdf.errors import FrameError
from livepdf.model.frame import Algorithm, PackedImage
from livepdf.sources.batch import NO_FACTS, Facts, ReadImage, Unusable
from livepdf.sources.complete import is_swmr
from livepdf.sources.hdf5_facts import clock_of, detector_of, exposure_of, facts_of
from livepdf.sources.hdf5_images import Part, Parts
from livepdf.sources.packing import NUMBERS, packed

FILTERS: dict[int, Algorithm] = {32008: "bslz4", 32004: "lz4"}
BITSHUFFLE_LZ4 = 2


class Stack:
    """The images of one file in a row."""

    def __init__(self, file: Any, found: Parts) -> None:
        self.missing = found.missing
        self._parts = [(part, _written(part)) for part in found.parts]
        self._facts = NO_FACTS
        self._exposure: float | None = None
        self._clock: tuple[float, float] | None = None
        if found.parts:
            data = found.parts[0].data
            detector = detector_of(file, data)
            shape = (int(data.shape[-2]), int(data.shape[-1]))
            self._facts = facts_of(file, detector, shape=shape)
            self._exposure, self._clock = exposure_of(detector), clock_of(detector)

    @property
    def facts(self) -> Facts:
        """What the file says about all of them."""
        return self._facts

    @property
    def count(self) -> int:
        """Images that there is room for; some may not be written yet."""
        return sum(count for _, count in self._parts)

    @property
    def open_end(self) -> bool:
        """Whether its kind allows more images to come."""
        return any(
            part.data.ndim > 2
            and part.data.maxshape[0] is None
            and is_swmr(Path(part.data.file.filename))
            for part, _ in self._parts
        )

    def image(self, number: int) -> ReadImage | Unusable | None:
        """Read one image, None where it is announced but not written."""
        place = number
        for part, count in self._parts:
            if place < count:
                image = _image(part.data, part.start + place)
                return None if image is None else self._read(number, image)
            place -= count
        return None

    def _read(self, number: int, image: PackedImage) -> ReadImage:
        time = None if self._clock is None else self._clock[0] + number * self._clock[1]
        return ReadImage(number=number, image=image, exposure=self._exposure, time=time)


def _written(part: Part) -> int:
    """Count the images that the dataset has room for; some may not be written yet."""
    room = int(part.data.shape[0]) - part.start if part.data.ndim > 2 else 1
    return max(room, 0) if part.count is None else part.count


def _image(data: Any, number: int) -> PackedImage | None:
    if data.dtype.kind not in NUMBERS or data.dtype.itemsize > 8:
        raise FrameError("unsupported dtype", f"{data.name}: {data.dtype}")
    if data.ndim > 2 and number >= data.shape[0]:
        return None
    # DECTRIS' newer files are (image, channel, row, column); the first channel is taken.
    place = {2: (), 3: (number,), 4: (number, 0)}[data.ndim]
    try:
        if data.is_virtual:
            return packed(data[place]) if _sources_exist(data) else None
        if data.chunks is None:
            return packed(data[place]) if data.id.get_offset() is not None else None
        corner = (*place, 0, 0)
        chunk = data.id.get_chunk_info_by_coord(corner)
        if chunk.byte_offset is None or chunk.size == 0:
            return None
        return _chunk(data, corner) or packed(data[place])
    except OSError as error:
        # Beside a writer a read may fail that succeeds a moment later.
        reason = "incomplete" if is_swmr(Path(data.file.filename)) else "corrupt"
        raise FrameError(reason, f"{data.name}, image {number}: {error}"[:200]) from error


def _chunk(data: Any, corner: tuple[int, ...]) -> PackedImage | None:
    """Take a compressed image as it is, where one chunk is one image."""
    algorithm = _algorithm(data)
    rows, columns = data.shape[-2:]
    if algorithm is None or data.chunks != (1,) * (data.ndim - 2) + (rows, columns):
        return None
    skipped, blob = data.id.read_direct_chunk(corner)
    if skipped:
        return None
    return PackedImage(
        blob=blob, algorithm=algorithm, shape=(int(rows), int(columns)), dtype=data.dtype
    )


def _algorithm(data: Any) -> Algorithm | None:
    properties = data.id.get_create_plist()
    if properties.get_nfilters() != 1:
        return None
    code, _, options, _ = properties.get_filter(0)
    if code == 32008:
        whole = len(options) >= 5 and options[4] == BITSHUFFLE_LZ4
        return "bslz4" if whole and options[2] == data.dtype.itemsize else None
    return FILTERS.get(code)


def _sources_exist(data: Any) -> bool:
    """Whether a virtual dataset has all its files: a missing one would read as zeros."""
    folder = Path(data.file.filename).parent
    names = {source.file_name for source in data.virtual_sources()}
    return all(name == "." or (folder / name).exists() for name in names)
