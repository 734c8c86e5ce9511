"""Images in HDF5: DECTRIS masters with their data files, plain stacks, files still being written.

What the file has not got yet is never an error: a locked file, a link whose target is missing, a
frame that was announced but not written (it would read as zeros) all mean "later".
"""

import re
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Any, cast

import h5py
import hdf5plugin  # noqa: F401  (registers the filters)
import numpy as np

from livepdf.errors import FrameError
from livepdf.model.frame import Algorithm, PackedImage
from livepdf.sources.batch import OPEN_END, Batch, ReadImage
from livepdf.sources.complete import is_swmr
from livepdf.sources.read_images import NUMBERS, packed

FILTERS: dict[int, Algorithm] = {32008: "bslz4", 32004: "lz4"}
BITSHUFFLE_LZ4 = 2
DATA_LINK = re.compile(r"data_\d+$")
NOT_FRAMES = re.compile(r"mask|flat|dark|table|background", re.IGNORECASE)


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class _Stack:
    parts: list[Any]
    """Datasets in order."""
    missing: str
    """Why the list may be short."""
    exposure: float | None


def read_stack(path: Path, *, first: int, most_bytes: int) -> Batch:
    """Read images of one HDF5 file from number ``first`` on, as far as they are written."""
    with ExitStack() as files:
        stack = _find(files, path)
        images: list[ReadImage] = []
        taken, offset = 0, 0
        for part in stack.parts:
            count = _written(part)
            for number in range(max(first - offset, 0), count):
                if taken >= most_bytes:
                    return Batch(images=images, more=True, stack=True)
                image = _image(part, number)
                if image is None:
                    return Batch(
                        images=images,
                        more=False,
                        stack=True,
                        growing=f"image {offset + number} is not written",
                    )
                images.append(
                    ReadImage(number=offset + number, image=image, exposure=stack.exposure)
                )
                taken += len(image.blob)
            offset += count
        growing = stack.missing or (OPEN_END if _open_end(stack.parts) else "")
        return Batch(images=images, more=False, stack=True, growing=growing)


def _open(files: ExitStack, path: Path) -> Any:
    try:
        try:
            file = h5py.File(path, "r", swmr=True)
        except ValueError:
            file = h5py.File(path, "r")
    except FileNotFoundError as error:
        raise FrameError("unreadable", f"{path} is not there") from error
    except OSError as error:
        # Locked, cut, or open by a writer: HDF5 says it in many ways and all pass with time.
        raise FrameError("incomplete", str(error)[:200]) from error
    return files.enter_context(file)


def _find(files: ExitStack, path: Path) -> _Stack:
    file = _open(files, path)
    group = file.get("entry/data")
    names = sorted(filter(DATA_LINK.match, group)) if isinstance(group, h5py.Group) else []
    parts: list[Any] = []
    missing = ""
    for name in names:
        part = _linked(files, path, group, name)
        if part is None:
            missing = f"{name} is missing"
            break
        parts.append(part)
    if not names:
        parts = [_largest(file)]
    return _Stack(parts=parts, missing=missing, exposure=_exposure(file))


def _linked(files: ExitStack, path: Path, group: Any, name: str) -> Any:
    """Follow a link to a data file by ourselves: h5py would not open it as one being written."""
    link = group.get(name, getlink=True)
    if not isinstance(link, h5py.ExternalLink):
        return group.get(name)
    target = path.parent / link.filename
    if not target.exists():
        return None
    return _open(files, target).get(link.path)


def _largest(file: Any) -> Any:
    data = file.get("entry/data/data")
    if isinstance(data, h5py.Dataset):
        return data
    found: list[Any] = []

    def look(name: str, item: Any) -> None:
        if isinstance(item, h5py.Dataset) and _holds_images(name, item):
            found.append(item)

    file.visititems(look)
    if not found:
        raise FrameError("incomplete", "no stack of images in it yet")
    return max(found, key=lambda item: (item.ndim, item.size, item.name))


def _holds_images(name: str, item: Any) -> bool:
    if item.dtype.kind not in NUMBERS or NOT_FRAMES.search(name):
        return False
    return bool(2 <= item.ndim <= 4 and min(item.shape[-2:]) > 1)


def _written(part: Any) -> int:
    """Count the images that the dataset has room for; some may not be written yet."""
    part.id.refresh()
    return int(part.shape[0]) if part.ndim > 2 else 1


def _open_end(parts: list[Any]) -> bool:
    return any(
        part.ndim > 2 and part.maxshape[0] is None and is_swmr(Path(part.file.filename))
        for part in parts
    )


def _image(part: Any, number: int) -> PackedImage | None:
    """Read one image, None where it is announced but not written."""
    if part.dtype.kind not in NUMBERS or part.dtype.itemsize > 8:
        raise FrameError("unsupported dtype", str(part.dtype))
    # DECTRIS' newer files are (image, channel, row, column); the first channel is taken.
    place = {2: (), 3: (number,), 4: (number, 0)}[part.ndim]
    try:
        if part.is_virtual:
            return packed(part[place]) if _sources_exist(part) else None
        if part.chunks is None:
            return packed(part[place]) if part.id.get_offset() is not None else None
        corner = (*place, 0, 0)
        chunk = part.id.get_chunk_info_by_coord(corner)
        if chunk.byte_offset is None or chunk.size == 0:
            return None
        return _chunk(part, corner) or packed(part[place])
    except OSError as error:
        raise FrameError("incomplete", f"image {number}: {error}"[:200]) from error


def _chunk(part: Any, corner: tuple[int, ...]) -> PackedImage | None:
    """Take a compressed image as it is, where one chunk is one image."""
    algorithm = _algorithm(part)
    rows, columns = part.shape[-2:]
    if algorithm is None or part.chunks != (1,) * (part.ndim - 2) + (rows, columns):
        return None
    skipped, blob = part.id.read_direct_chunk(corner)
    if skipped:
        return None
    return PackedImage(
        blob=blob, algorithm=algorithm, shape=(int(rows), int(columns)), dtype=part.dtype
    )


def _algorithm(part: Any) -> Algorithm | None:
    properties = part.id.get_create_plist()
    if properties.get_nfilters() != 1:
        return None
    code, _, options, _ = properties.get_filter(0)
    if code == 32008:
        whole = len(options) >= 5 and options[4] == BITSHUFFLE_LZ4
        return "bslz4" if whole and options[2] == part.dtype.itemsize else None
    return FILTERS.get(code)


def _sources_exist(part: Any) -> bool:
    """Whether a virtual dataset has all its files: a missing one would read as zeros."""
    folder = Path(part.file.filename).parent
    names = {source.file_name for source in part.virtual_sources()}
    return all(name == "." or (folder / name).exists() for name in names)


def _exposure(file: Any) -> float | None:
    for detector in _detectors(file):
        value = detector.get("count_time")
        if isinstance(value, h5py.Dataset) and value.dtype.kind in NUMBERS and value.size:
            seconds = float(np.ravel(value[()])[0])
            return seconds if seconds > 0 else None
    return None


def _detectors(file: Any) -> Iterator[Any]:
    instrument = file.get("entry/instrument")
    if isinstance(instrument, h5py.Group):
        for name in instrument:
            group = instrument.get(name)
            if isinstance(group, h5py.Group):
                yield cast(Any, group)
