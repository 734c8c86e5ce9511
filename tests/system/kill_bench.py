"""A daemon that is killed again and again while a detector sends, and what is left at the end.

The oracle shares nothing with the daemon: every frame is a picture of its own number, the sender
keeps its own list, and what a kill left on disk is read by the few lines below.
"""

import struct
from dataclasses import dataclass, field
from pathlib import Path

import h5py
import msgspec
import numpy as np
from numpy.typing import NDArray

from tests.daemon import beamline

_HEAD = struct.Struct("<4sBxxxIQQI")


def picture(index: int) -> NDArray[np.uint16]:
    """Return an image that no other number has, all of it in the range of Q."""
    image = np.full(beamline.SHAPE, 100, dtype=np.uint16)
    image[index % beamline.SHAPE[0]] += 1 + index // beamline.SHAPE[0]
    return image


def on_disk(out: Path) -> set[int]:
    """Return the numbers of all frames that lie whole in the spool."""
    found = set()
    for path in out.glob(".livepdf-spool/segment-*"):
        data = path.read_bytes()
        place = 0
        while place + _HEAD.size <= len(data):
            _, kind, head, blob, _, _ = _HEAD.unpack_from(data, place)
            end = place + _HEAD.size + head + blob
            if end > len(data):
                break
            if kind == 1:
                start = place + _HEAD.size
                found.add(msgspec.msgpack.decode(data[start : start + head])[2])
            place = end
    return found


@dataclass
class Books:
    """What the result files of a run hold."""

    numbers: list[int] = field(default_factory=list)
    """Windows, as they stand in the files."""
    frames: list[int] = field(default_factory=list)
    """Frames, from the windows' first and last, where each window is one frame."""
    used: int = 0
    signal: float = 0.0


def read_books(out: Path, run: str) -> Books:
    """Read all parts of a run as any program does: no SWMR, no livepdf."""
    books = Books()
    for path in sorted(out.glob(f"{run}*.nxs")):
        if path.stem.endswith("-whole"):
            continue
        with h5py.File(path) as file:
            entry = file["entry"]
            numbers = entry["windows/number"][:]
            written = numbers >= 0
            books.numbers += numbers[written].tolist()
            books.frames += entry["windows/first"][:][written].tolist()
            books.used += int(entry["windows/frames"][:][written].sum())
            books.signal += float(np.nansum(entry["sums/signal"][:][written]))
    return books
