"""A daemon that is killed again and again while a detector sends, and what is left at the end.

The oracle shares nothing with the daemon: every frame is a picture of its own number, the sender
keeps its own list, and what a kill left on disk is read by the few lines below.
"""

import random
import struct
import time
from dataclasses import dataclass, field
from pathlib import Path

import h5py
import msgspec
import numpy as np
from numpy.typing import NDArray

from tests.daemon import beamline
from tests.system.daemon import Daemon, Detector
from tests.system.nursery import Nursery

_HEAD = struct.Struct("<4sBxxxIQQI")


PIXELS = beamline.SHAPE[0] * beamline.SHAPE[1]


def picture(index: int) -> NDArray[np.uint16]:
    """Return an image whose counts sum up to a number of its own."""
    image = np.full(beamline.SHAPE, 100, dtype=np.uint16)
    image[60, 70] += index
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
    """First frame of each."""
    used: int = 0
    signal: float = 0.0
    counted: tuple[int, int, int] = (0, 0, 0)
    """Received, used and refused as the last file says."""


def read_books(out: Path, run: str) -> Books:
    """Read all parts of a run as any program does: no SWMR, no livepdf."""
    books = Books()
    for path in sorted(out.glob(f"{run}*.nxs"), key=_part):
        with h5py.File(path) as file:
            entry = file["entry"]
            numbers = entry["windows/number"][:]
            assert (numbers >= 0).all(), path
            books.numbers += numbers.tolist()
            books.frames += entry["windows/first"][:].tolist()
            books.used += int(entry["windows/frames"][:].sum())
            books.signal += float(entry["sums/signal"][:].sum())
            counters = entry["counters"]
            books.counted = (
                int(counters["received"][()]),
                int(counters["used"][()]),
                int(counters["refused"][:].sum()),
            )
    return books


def _part(path: Path) -> int:
    _, found, number = path.stem.rpartition("-part")
    return int(number) if found else 1


@dataclass(frozen=True)
class Outcome:
    """What came of a run whose daemon was killed many times."""

    kills: int
    seen_on_disk: frozenset[int]
    books: Books
    files: int


def hammer(folder: Path, *, kills: int, seed: int, journal: bool = True) -> Outcome:
    """Send one run; kill its daemon at random moments, while it starts too; read what is left."""
    chance = random.Random(seed)
    out, seen, sent = folder / "out", set[int](), 0
    with Detector() as detector, Nursery() as nursery:
        profile, recipe = beamline.write_settings(folder, port=detector.port, window="frames = 1")
        if journal:
            text = profile.read_text().replace("[output]", "[output]\njournal = true")
            profile.write_text(text)
        detector.start(1, beamline.SHAPE)
        for _ in range(kills):
            ready = chance.random() < 0.8
            warm = nursery if ready or chance.random() < 0.5 else None
            with Daemon(profile, recipe, "--out", str(out), nursery=warm) as daemon:
                if ready:
                    daemon.address()
                    end = time.monotonic() + chance.uniform(0.0, 1.0)
                else:
                    end = time.monotonic() + chance.uniform(0.0, 4.0 if warm is None else 1.0)
                while time.monotonic() < end:
                    detector.image(1, sent, picture(sent))
                    sent += 1
                    time.sleep(0.004)
                daemon.process.kill()
                daemon.wait()
            seen |= on_disk(out)
        detector.image(1, sent, picture(sent))
        detector.end(1)
        with Daemon(profile, recipe, "--out", str(out), "--runs", "1") as daemon:
            assert daemon.wait(300.0) == 0, daemon.errors
    assert not list(out.glob(".livepdf-spool/segment-*"))
    (run,) = {path.stem.partition("-part")[0] for path in out.glob("*.nxs")}
    return Outcome(kills, frozenset(seen), read_books(out, run), len(list(out.glob("*.nxs"))))


def verify(outcome: Outcome) -> None:
    """Nothing lost that was on disk, nothing twice, and books that add up."""
    books = outcome.books
    assert not outcome.seen_on_disk - set(books.frames)
    assert len(books.frames) == len(set(books.frames)) == books.used
    assert books.numbers == list(range(len(books.numbers)))
    assert books.signal == books.used * 100.0 * PIXELS + sum(books.frames)
    received, used, refused = books.counted
    assert received == used + refused
    assert used == books.used
