"""What another process needs to go on where this one was killed: kept beside the spool."""

import contextlib
import fcntl
import logging
import os
import threading
from pathlib import Path
from typing import TypeVar

import msgspec

from livepdf.daemon.journal import Opened, decode, encode
from livepdf.daemon.received import Received
from livepdf.daemon.runs import Run
from livepdf.model.status import Counters

log = logging.getLogger(__name__)
Value = TypeVar("Value")

_PROGRESS = "progress"
_START = "start-"


class Part(msgspec.Struct, frozen=True, array_like=True):
    """One file of a run."""

    name: str
    """Below the folder of the results."""
    first: int
    """Window of its first row."""


class Progress(msgspec.Struct, frozen=True, kw_only=True):
    """How far the results on disk reach."""

    serial: int
    """All frames up to it are in files, or counted as refused."""
    opened: int = -1
    """Serial of the beginning of the run that is open, -1 for none."""
    number: int = 0
    """Of its next window."""
    cutter: bytes = b""
    """The sums of its open window and of the whole."""
    counters: Counters = Counters()
    shape: tuple[int, int] | None = None
    """Of its images."""
    stem: str = ""
    parts: tuple[Part, ...] = ()
    """The files of the run, oldest first."""
    version: int = 1


class Logbook:
    """The files beside the spool; only one process has them at a time."""

    def __init__(self, folder: Path) -> None:
        """Take possession of the folder, which is made when missing.

        Raises
        ------
        OSError
            When it cannot be made or another process has it.
        """
        folder.mkdir(parents=True, exist_ok=True)
        self.folder = folder
        self._lock = os.open(folder / "lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        try:
            fcntl.flock(self._lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            if (folder / "lock").stat().st_ino != os.fstat(self._lock).st_ino:
                raise BlockingIOError(0, f"another process is just leaving {folder}")
            self._received = Received(folder)
        except OSError:
            os.close(self._lock)
            raise
        self._guard = threading.Lock()
        self.next_serial = 0
        """First serial that was never given away."""

    def note(self, serial: int, index: int) -> None:
        """Note a frame that came in; never waits."""
        self._received.note(serial, index)

    def noted(self, serial: int) -> dict[int, int]:
        """Return the numbers of all that came in after a serial, by serial."""
        return self._received.since(serial)

    def keep_start(self, run: Run) -> None:
        """Keep how a run began; OSError where the disk does not take it."""
        opened = Opened(serial=run.opened, name=run.name, start=run.start, below=run.below)
        self._write(f"{_START}{run.opened:012d}", encode(opened))

    def starts(self) -> list[int]:
        """Return the serials of all beginnings that are kept, in order."""
        names = (path.name.removeprefix(_START) for path in self.folder.glob(f"{_START}*"))
        return sorted(int(name) for name in names if name.isdecimal())

    def start(self, serial: int) -> Opened | None:
        """Return how a run began, None where that is not known."""
        return self._read(f"{_START}{serial:012d}", Opened)

    def keep(self, progress: Progress) -> None:
        """Keep how far the results reach; OSError where the disk does not take it."""
        self._write(_PROGRESS, encode(progress))
        needed = progress.serial + 1 if progress.opened < 0 else progress.opened
        for path in self.folder.glob(f"{_START}*"):
            if path.name < f"{_START}{needed:012d}":
                path.unlink(missing_ok=True)

    def progress(self) -> Progress | None:
        """Return what was kept last, None where there is nothing."""
        return self._read(_PROGRESS, Progress)

    def close(self, *, settled: bool) -> None:
        """Let go of the folder; where nothing is left to take up, delete it."""
        if settled:
            for path in [self.folder / _PROGRESS, *self.folder.glob(f"{_START}*")]:
                with contextlib.suppress(OSError):
                    path.unlink(missing_ok=True)
            self._received.close()
            with contextlib.suppress(OSError):
                (self.folder / "lock").unlink()
            # Only where it is empty: whatever else lies there is not ours.
            with contextlib.suppress(OSError):
                self.folder.rmdir()
        os.close(self._lock)

    def _write(self, name: str, data: bytes) -> None:
        """Replace a file as a whole: whoever is killed meanwhile leaves the old one.

        The medium may have it a little later: waiting for that would keep the results.
        """
        with self._guard:
            new = self.folder / f"{name}.new"
            with new.open("wb") as file:
                file.write(data)
            new.replace(self.folder / name)

    def _read(self, name: str, kind: type[Value]) -> Value | None:
        try:
            return decode((self.folder / name).read_bytes(), kind)
        except FileNotFoundError:
            return None
        except (OSError, ValueError) as error:
            log.warning("%s cannot be read: %s", self.folder / name, error)
            return None
