"""Files read one after the other by a thread of their own: one that hangs holds no intake up."""

import queue
import threading
from dataclasses import dataclass
from pathlib import Path

from livepdf.model.frame import Frame, FrameRefused
from livepdf.sources.files import read_frames
from livepdf.sources.naming import Place
from livepdf.sources.reader import FileReader

LONGEST_WAIT = 5.0
"""s that the thread is given to end, once what it reads was killed."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """A complete file that is to be read, and then removed."""

    path: Path
    place: Place
    size: int
    """Bytes."""
    received: float
    """Unix s."""


Read = tuple[Wanted, list[Frame | FrameRefused]]


class FileQueue:
    """Reads what it is given, in order, here or in a thread; keeps the reading process."""

    def __init__(self, *, read_timeout: float, apart: bool) -> None:
        """Make it.

        Parameters
        ----------
        read_timeout
            s for one request, after which the process that reads is killed.
        apart : bool
            Read in a thread; else `put` reads, as a recording wants it.
        """
        self._reader = FileReader()
        self._timeout = read_timeout
        self._asked: queue.Queue[Wanted | None] = queue.Queue()
        self._read: queue.Queue[Read] = queue.Queue()
        self._thread = threading.Thread(target=self._run, name="file reader", daemon=True)
        self._lock = threading.Lock()
        self._bytes = 0
        self._closed = False
        if apart:
            self._thread.start()

    @property
    def waiting_bytes(self) -> int:
        """Bytes of the files that are not read yet."""
        return self._bytes

    def start(self) -> None:
        """Start the reading process, so that the first file need not wait for it."""
        self._reader.start()

    def put(self, wanted: Wanted) -> None:
        """Have a file read."""
        if not self._thread.is_alive():
            self._read.put((wanted, self._frames(wanted)))
            return
        with self._lock:
            self._bytes += wanted.size
        self._asked.put(wanted)

    def take(self) -> list[Read]:
        """Return what has been read since, in order."""
        found = []
        while not self._read.empty():
            found.append(self._read.get())
        return found

    def close(self) -> None:
        """Stop reading; a file that hangs is given up. May be called twice."""
        self._closed = True
        self._asked.put(None)
        self._reader.interrupt()
        if self._thread.is_alive():
            self._thread.join(LONGEST_WAIT)
        self._reader.kill()

    def _run(self) -> None:
        while (wanted := self._asked.get()) is not None and not self._closed:
            found = self._frames(wanted)
            with self._lock:
                self._bytes -= wanted.size
            self._read.put((wanted, found))

    def _frames(self, wanted: Wanted) -> list[Frame | FrameRefused]:
        found = list(
            read_frames(
                wanted.path,
                reader=self._reader,
                series=str(wanted.place.series),
                first=wanted.place.index,
                read_timeout=self._timeout,
                clock=lambda: wanted.received,
            )
        )
        wanted.path.unlink(missing_ok=True)
        return found
