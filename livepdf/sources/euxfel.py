"""Run folders of the European XFEL: one file per detector module and stretch of trains.

Modules are joined by train and pulse, never by their place in the file, and put one below the
other in the order of their numbers; what a module lacks is NaN or the type's largest value, so
that it is ignored. Layout after the facility's own description of its data format.
"""

import re
from collections.abc import Mapping
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import h5py
import numpy as np
from numpy.typing import NDArray

from livepdf.errors import FrameError
from livepdf.sources.batch import Batch, Facts, ReadImage, Unusable
from livepdf.sources.euxfel_names import is_run_file
from livepdf.sources.hdf5_file import open_hdf5
from livepdf.sources.packing import NUMBERS, packed

ADC = "data.adc"
DETECTOR_KEYS = ("image.data", ADC)
CAMERA_KEYS = ("data.image.pixels",)
"""Where images are; a camera counts only where a run has no detector, or when it is named."""
_MODULE = re.compile(r"(/DET/\D*)(\d+)")


def read_run_folder(path: Path, *, dataset: str | None, first: int, most_bytes: int) -> Batch:
    """Read the images of a run from number ``first`` on.

    Parameters
    ----------
    dataset
        Name of the detector or a part of it, where the run holds several.

    Raises
    ------
    FrameError
        ``no image`` or ``several datasets``, with what to do; ``incomplete`` while a file of the
        run is being written.
    """
    from livepdf.sources.hdf5_series import read_series

    with ExitStack() as files:
        names = sorted(entry.name for entry in path.iterdir() if is_run_file(entry.name))
        if not names:
            raise FrameError("no image", "the folder holds no files like RAW-R0001-DET00-S00000.h5")
        pieces = [piece for name in names for piece in _pieces(open_hdf5(files, path / name))]
        series = Run(_of_one_detector(pieces, dataset))
        return read_series(series, first=first, most_bytes=most_bytes)


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class _Piece:
    """The images of one module in one file."""

    source: str
    key: str
    data: Any
    places: Mapping[tuple[int, int], tuple[int, ...]]
    """Place in the file by train and pulse."""
    times: Mapping[int, float]
    """Unix seconds by train, where the file has them."""

    @property
    def detector(self) -> str:
        """Name of the detector, the same for all its modules."""
        return _MODULE.sub(r"\1*", self.source)

    @property
    def module(self) -> int:
        """Number of the module, -1 where it has none."""
        found = _MODULE.search(self.source)
        return int(found[2]) if found else -1


@dataclass(slots=True)
class _Frame:
    parts: dict[int, tuple[Any, tuple[int, ...]]] = field(default_factory=dict)
    """Dataset and place in it by module."""
    time: float | None = None


class Run:
    """All images of one detector in a run, in the order of trains and pulses."""

    missing = ""
    open_end = False

    def __init__(self, pieces: list[_Piece]) -> None:
        self._modules = sorted({piece.module for piece in pieces})
        frames: dict[tuple[int, int], _Frame] = {}
        for piece in pieces:
            for key, place in piece.places.items():
                frame = frames.setdefault(key, _Frame())
                frame.parts[piece.module] = (piece.data, place)
                frame.time = piece.times.get(key[0], frame.time)
        self._frames = sorted(frames.items())
        self._detector = pieces[0].detector
        self._shape = tuple(pieces[0].data.shape[-2:])
        self._dtype = pieces[0].data.dtype

    @property
    def facts(self) -> Facts:
        """What the folder says about all of them."""
        lacking = sum(len(frame.parts) < len(self._modules) for _, frame in self._frames)
        metadata: dict[str, str | int | float | bool | None] = {
            "detector": self._detector,
            "modules": len(self._modules),
            "images without some module": lacking,
        }
        return Facts(metadata=metadata)

    @property
    def count(self) -> int:
        """Images in the folder by now."""
        return len(self._frames)

    def image(self, place: int) -> ReadImage | Unusable | None:
        """Read one image, all modules one below the other."""
        (train, pulse), frame = self._frames[place]
        pieces = [self._module(frame.parts.get(number)) for number in self._modules]
        return ReadImage(
            number=place,
            image=packed(np.concatenate(pieces)),
            time=frame.time,
            label=f"train {train}/{pulse}",
        )

    def _module(self, part: tuple[Any, tuple[int, ...]] | None) -> NDArray[Any]:
        if part is None:
            nothing = np.nan if self._dtype.kind == "f" else np.iinfo(self._dtype).max
            return np.full(self._shape, nothing, self._dtype)
        data, place = part
        image = np.asarray(data[place])
        # Raw pulses of AGIPD are (image, gain), those of LPD (1, image).
        return image[0] if image.ndim == 3 else image


def _of_one_detector(pieces: list[_Piece], wanted: str | None) -> list[_Piece]:
    if wanted is not None:
        chosen = [piece for piece in pieces if wanted in piece.detector or wanted in piece.source]
        if not chosen:
            names = ", ".join(sorted({piece.detector for piece in pieces})) or "none"
            raise FrameError("no image", f"no detector {wanted}; the run has {names}")
    else:
        chosen = [piece for piece in pieces if piece.key in DETECTOR_KEYS] or pieces
    detectors = sorted({piece.detector for piece in chosen})
    if not detectors:
        keys = " or ".join(DETECTOR_KEYS + CAMERA_KEYS)
        raise FrameError("no image", f"no source with {keys} in the run")
    if len(detectors) > 1:
        raise FrameError(
            "several datasets",
            f"{', '.join(detectors)} could be meant: name one as `dataset` in [source] or as "
            "FOLDER::NAME",
        )
    return chosen


def _pieces(file: Any) -> list[_Piece]:
    instrument = file.get("INSTRUMENT")
    if not isinstance(instrument, h5py.Group):
        return []
    found: list[_Piece] = []

    def look(name: str, item: Any) -> None:
        source, key = _source_and_key(name)
        known = key in DETECTOR_KEYS or key in CAMERA_KEYS
        if known and isinstance(item, h5py.Dataset) and _holds_images(item):
            found.append(_piece(file, source, key, item))

    instrument.visititems(look)
    return [piece for piece in found if piece.places]


def _source_and_key(name: str) -> tuple[str, str]:
    """Split ``A/DET/0CH0:xtdf/image/data`` into ``A/DET/0CH0:xtdf`` and ``image.data``."""
    device, _, rest = name.partition(":")
    channel, _, key = rest.partition("/")
    return f"{device}:{channel}", key.replace("/", ".")


def _holds_images(data: Any) -> bool:
    return data.dtype.kind in NUMBERS and data.ndim >= 3 and min(data.shape[-2:]) > 1


def _piece(file: Any, source: str, key: str, data: Any) -> _Piece:
    trains = np.ravel(file["INDEX/trainId"][()])
    return _Piece(
        source=source,
        key=key,
        data=data,
        places=_places(file, source, key, data, trains),
        times=_times(file, trains),
    )


def _places(
    file: Any, source: str, key: str, data: Any, trains: NDArray[Any]
) -> dict[tuple[int, int], tuple[int, ...]]:
    index = file.get(f"INDEX/{source}/{key.partition('.')[0]}")
    if not isinstance(index, h5py.Group) or "first" not in index:
        return {}
    starts = np.ravel(index["first"][()]).astype(np.int64)
    # JUNGFRAU keeps the shots of a train as memory cells of one entry.
    cells = data.shape[1] if key == ADC and data.ndim == 4 else 0
    pulses = _pulses(file, source, key, data)
    places: dict[tuple[int, int], tuple[int, ...]] = {}
    for train, start, count in zip(trains, starts, _counts(index, starts), strict=False):
        # Room that was made beforehand has no train yet.
        for entry in range(int(start), min(int(start + count), data.shape[0]) if train else 0):
            if cells:
                places |= {(int(train), cell): (entry, cell) for cell in range(cells)}
            else:
                places[int(train), int(pulses[entry])] = (entry,)
    return places


def _counts(index: Any, starts: NDArray[np.int64]) -> NDArray[np.int64]:
    """Return entries per train; files of the oldest kind name the last entry instead."""
    if "count" in index:
        return np.ravel(index["count"][()]).astype(np.int64)
    used = np.ravel(index["status"][()]) != 0
    lasts = np.ravel(index["last"][()]).astype(np.int64)
    return np.where(used, lasts - starts + 1, 0)


def _pulses(file: Any, source: str, key: str, data: Any) -> NDArray[np.int64]:
    """Return the pulse of each entry, or 0 where a source has one image a train."""
    group = file["INSTRUMENT"].get(f"{source}/{key.partition('.')[0]}")
    item = group.get("pulseId") if isinstance(group, h5py.Group) else None
    if isinstance(item, h5py.Dataset) and item.shape[:1] == data.shape[:1]:
        return np.asarray(item[()], np.int64).reshape(item.shape[0], -1)[:, 0]
    return np.zeros(data.shape[0], np.int64)


def _times(file: Any, trains: NDArray[Any]) -> dict[int, float]:
    stamps = file.get("INDEX/timestamp")
    if not isinstance(stamps, h5py.Dataset):
        return {}
    pairs = zip(trains, np.ravel(stamps[()]), strict=False)
    return {int(train): float(stamp) * 1e-9 for train, stamp in pairs if stamp > 0}
