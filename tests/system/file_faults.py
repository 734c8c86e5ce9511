"""Every way in which image files go wrong while somebody writes them."""

import io
import os
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import tifffile

from tests.daemon import beamline
from tests.system.faults import Fault, Gain

READ_TIMEOUT = 1.5
LINES = f"""
kind = "directory"
path = "images"
poll = 0.1
retries = 1
read_timeout = {READ_TIMEOUT}
idle_timeout = 1000.0
"""


def tiff(index: int) -> bytes:
    """Return the bytes of a good image file."""
    file = io.BytesIO()
    tifffile.imwrite(file, beamline.counts(index))
    return file.getvalue()


@dataclass
class Writer:
    """Gives every fault files of its own."""

    folder: Path
    number: int = 0

    def next(self) -> Path:
        """Return a name that no file has, of a series of its own."""
        self.number += 1
        return self.folder / f"fault{self.number}_00001.tif"

    def whole(self) -> None:
        """Write a good file."""
        self.next().write_bytes(tiff(self.number))


def directory_profile(profile: Path, folder: Path) -> None:
    """Let a profile watch a folder of images."""
    (folder / "images").mkdir()
    before, _, rest = profile.read_text().partition("[source]")
    profile.write_text(f"{before}[source]{LINES}{rest[rest.index('[detector]') :]}")


def file_faults(writer: Writer) -> list[Fault]:
    """Return all of them."""
    return [*_unfinished(writer), *_names(writer)]


def _unfinished(writer: Writer) -> list[Fault]:
    def half_then_whole() -> None:
        path, data = writer.next(), tiff(1)
        path.write_bytes(data[: len(data) // 2])
        time.sleep(1.0)  # the writer is slow, not the test
        path.write_bytes(data)

    def cut(share: float) -> Callable[[], None]:
        def inject() -> None:
            data = tiff(2)
            writer.next().write_bytes(data[: int(share * len(data))])

        return inject

    def vanished() -> None:
        path = writer.next()
        path.write_bytes(tiff(3)[:5000])
        time.sleep(1.0)  # it was seen, and tried in vain
        path.unlink()

    incomplete = Gain(refused={"incomplete": 1})
    return [
        Fault(name="half-written, then whole", inject=half_then_whole, gain=Gain(used=1)),
        Fault(name="cut in its header", inject=cut(0.0005), gain=incomplete),
        Fault(name="cut in its pixels", inject=cut(0.7), gain=incomplete),
        Fault(
            name="no image at all",
            inject=lambda: _write(writer.next(), b"this is no image" * 99),
            gain=Gain(refused={"unreadable": 1}),
        ),
        Fault(name="vanished", inject=vanished, gain=Gain(refused={"unreadable": 1})),
    ]


def _names(writer: Writer) -> list[Fault]:
    def renamed() -> None:
        path = writer.next()
        partial = path.with_suffix(".tmp")
        partial.write_bytes(tiff(4))
        partial.replace(path)

    def new_folder() -> None:
        path = writer.folder / "new" / "deeper" / writer.next().name
        path.parent.mkdir(parents=True)
        path.write_bytes(tiff(5))

    def used_again() -> None:
        path = writer.folder / f"fault{writer.number}_00001.tif"
        path.write_bytes(tiff(6) + b"more")

    def number_left_out() -> None:
        first = writer.next()
        first.write_bytes(tiff(7))
        first.with_name(first.name.replace("00001", "00003")).write_bytes(tiff(8))

    return [
        Fault(name="renamed when whole", inject=renamed, gain=Gain(used=1)),
        Fault(name="in a new folder", inject=new_folder, gain=Gain(used=1)),
        Fault(name="name used again", inject=used_again, gain=Gain(used=1)),
        Fault(name="number left out", inject=number_left_out, gain=Gain(used=2, lost=1)),
    ]


def _write(path: Path, data: bytes) -> None:
    path.write_bytes(data)


@contextmanager
def hanging(path: Path) -> Iterator[None]:
    """Begin a file, and put a pipe that nobody writes to in its place: whoever reads on hangs."""
    path.write_bytes(tiff(9)[:5000])
    time.sleep(1.0)  # it was seen, and tried in vain
    pipe = path.with_suffix(".pipe")
    os.mkfifo(pipe)
    pipe.replace(path)
    try:
        yield
    finally:
        # Whoever still hangs goes on, and finds an empty file.
        os.close(os.open(path, os.O_RDWR | os.O_NONBLOCK))
        path.unlink()
