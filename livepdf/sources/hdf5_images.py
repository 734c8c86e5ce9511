"""Which datasets of an HDF5 file hold its images, in order, also where they lie in other files."""

import re
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import h5py

from livepdf.errors import FrameError
from livepdf.sources.hdf5_file import open_hdf5
from livepdf.sources.packing import NUMBERS

_DATA_LINK = re.compile(r"data_\d+$")
_NOT_FRAMES = re.compile(r"mask|flat|dark|table|background|gain|error", re.IGNORECASE)
_PLAIN_NAME = re.compile(r"^[^%]*$")


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Part:
    """A dataset that holds some of the images one after the other."""

    data: Any
    start: int = 0
    """Place of the first of them in the dataset."""
    count: int | None = None
    """None for all that there will be from there on."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Parts:
    """All images of a file."""

    parts: list[Part]
    missing: str = ""
    """Why the list may be short."""


def find_parts(files: ExitStack, path: Path, file: Any, *, dataset: str | None) -> Parts:
    """Find the images: the dataset that is named, a DECTRIS master's data files, or the one stack.

    Raises FrameError: ``no image`` or ``several datasets``, with what to do; ``incomplete`` where
    there is none yet.
    """
    if dataset is not None:
        return _of_dataset(files, path, _named(file, dataset))
    group = file.get("entry/data")
    names = sorted(filter(_DATA_LINK.match, group)) if isinstance(group, h5py.Group) else []
    if not names:
        return _of_dataset(files, path, _the_one(file))
    parts: list[Part] = []
    for name in names:
        data = _linked(files, path, group, name)
        if data is None:
            return Parts(parts=parts, missing=f"{name} is missing")
        parts.append(Part(data=data))
    return Parts(parts=parts)


def _named(file: Any, dataset: str) -> Any:
    item = file.get(dataset)
    if not isinstance(item, h5py.Dataset):
        there = ", ".join(sorted(_stacks(file))[:6]) or "no images"
        raise FrameError("no image", f"no dataset {dataset}; the file holds {there}")
    if not _holds_images(item):
        raise FrameError("no image", f"{dataset} is {item.dtype} of {item.shape}, wanted images")
    return item


def _linked(files: ExitStack, path: Path, group: Any, name: str) -> Any | None:
    """Follow a link to a data file by ourselves: h5py would not open it as one being written."""
    link = group.get(name, getlink=True)
    if not isinstance(link, h5py.ExternalLink):
        return group.get(name)
    target = path.parent / link.filename
    return open_hdf5(files, target).get(link.path) if target.exists() else None


def _the_one(file: Any) -> Any:
    data = file.get("entry/data/data")
    if isinstance(data, h5py.Dataset) and _holds_images(data):
        return data
    found = _stacks(file)
    if not found:
        raise FrameError("incomplete", "no stack of images in it yet")
    most = max(item.ndim for item in found.values())
    best = {name: item for name, item in found.items() if item.ndim == most}
    if len(best) > 1:
        raise FrameError(
            "several datasets",
            f"{', '.join(sorted(best)[:6])} could be meant: name one as `dataset` in [source] or "
            "as FILE::DATASET",
        )
    return next(iter(best.values()))


def _stacks(file: Any) -> dict[str, Any]:
    found: dict[str, Any] = {}
    seen: set[tuple[int, int]] = set()

    def look(name: str, item: Any) -> None:
        if isinstance(item, h5py.Dataset) and _holds_images(item) and not _NOT_FRAMES.search(name):
            place = h5py.h5o.get_info(item.id)
            if (place.fileno, place.addr) not in seen:
                seen.add((place.fileno, place.addr))
                found[f"/{name}"] = item

    file.visititems(look)
    return found


def _holds_images(item: Any) -> bool:
    if item.dtype.kind not in NUMBERS or item.ndim < 2:
        return False
    return bool(item.ndim <= 4 and min(item.shape[-2:]) > 1)


def _of_dataset(files: ExitStack, path: Path, data: Any) -> Parts:
    if not data.is_virtual or data.ndim < 3:
        return Parts(parts=[Part(data=data)])
    pieces = _pieces(data)
    if pieces is None:
        return Parts(parts=[Part(data=data)])
    parts: list[Part] = []
    reached = 0
    for start, piece in sorted(pieces.items()):
        if start != reached:
            return Parts(parts=parts, missing=f"no file holds image {reached}")
        source = _source(files, path, data, piece)
        if source is None:
            return Parts(parts=parts, missing=f"{piece.file} is missing")
        parts.append(Part(data=source, start=piece.first, count=piece.count))
        reached += piece.count
    return Parts(parts=parts)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Piece:
    """What one file gives to a virtual dataset."""

    file: str
    dataset: str
    first: int
    count: int


def _pieces(data: Any) -> dict[int, _Piece] | None:
    """Take a virtual stack apart by its first image; None where it is no row of whole images."""
    pieces: dict[int, _Piece] = {}
    for source in data.virtual_sources():
        if not _PLAIN_NAME.match(source.file_name) or not _PLAIN_NAME.match(source.dset_name):
            return None
        begin, end = source.vspace.get_select_bounds()
        first, last = _selected(source.src_space, end[0] - begin[0] + 1)
        whole = all(b == 0 for b in begin[1:]) and all(
            e + 1 == size for e, size in zip(end[1:], data.shape[1:], strict=True)
        )
        count = end[0] - begin[0] + 1
        if not whole or last - first + 1 != count or begin[0] in pieces:
            return None
        pieces[begin[0]] = _Piece(
            file=source.file_name, dataset=source.dset_name, first=first, count=count
        )
    return pieces or None


def _selected(space: Any, count: int) -> tuple[int, int]:
    """Return the first and the last image taken; a file taken whole does not say its size here."""
    if space.get_select_type() == h5py.h5s.SEL_ALL:
        return 0, count - 1
    begin, end = space.get_select_bounds()
    return int(begin[0]), int(end[0])


def _source(files: ExitStack, path: Path, data: Any, piece: _Piece) -> Any | None:
    if piece.file == ".":
        return data.file.get(piece.dataset)
    target = Path(data.file.filename).parent / piece.file
    if not target.exists():
        target = path.parent / piece.file
    return open_hdf5(files, target).get(piece.dataset) if target.exists() else None
