"""Looks through the directory in a thread of its own: a network mount may hang, the intake not."""

import socket
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

from livepdf.sources.batch import HDF5
from livepdf.sources.complete import is_swmr
from livepdf.sources.scan import Found, Ledger

SHORTEST_LOOK = 0.05
"""s between two looks however many events come."""
SHARE = 0.2
"""Of the time may be spent looking: a huge tree is looked through less often."""


@dataclass(slots=True)
class News:
    """What the looks since the last call have brought."""

    files: list[Found] = field(default_factory=list)
    """New or changed, and settled, in order."""
    sidecars: frozenset[Path] = frozenset()
    """Metadata files that are there."""


class Scanner:
    """Looks at intervals, sooner when told to hurry; becomes readable when there is news."""

    def __init__(
        self,
        *,
        root: Path,
        scan: Callable[[], list[Found]],
        ledger: Ledger,
        interval: float,
        pass_over: bool,
    ) -> None:
        self._root = root
        self._scan = scan
        self._ledger = ledger
        self._interval = interval
        self._pass_over = pass_over
        self._reader, self._writer = socket.socketpair()
        self._reader.setblocking(False)
        self._writer.setblocking(False)
        self._changed = threading.Event()
        self._looked = threading.Event()
        self._lock = threading.Lock()
        self._files: list[Found] = []
        self._sidecars: frozenset[Path] = frozenset()
        self._begun: float | None = None
        self._stopped = threading.Event()
        self.there = True
        """Whether the directory was there at the last look."""

    def start(self, limit: float) -> bool:
        """Begin to look; say whether the first look was over within ``limit`` s."""
        threading.Thread(target=self._run, name="directory scan", daemon=True).start()
        return self._looked.wait(limit)

    def fileno(self) -> int:
        """Return the descriptor to wait on."""
        return self._reader.fileno()

    def hurry(self) -> None:
        """Look as soon as may be: something has changed."""
        self._changed.set()

    def take(self) -> News | None:
        """Return what has come since the last call, None when no look was finished since."""
        try:
            self._reader.recv(4096)
        except BlockingIOError:
            return None
        with self._lock:
            files, self._files = self._files, []
            return News(files=files, sidecars=self._sidecars)

    def looking_for(self) -> float:
        """Return for how many s the present look has gone on, 0 between two looks."""
        begun = self._begun
        return 0.0 if begun is None else time.monotonic() - begun

    def close(self) -> None:
        """Stop looking; a look that hangs is left behind."""
        self._stopped.set()
        self._changed.set()
        with self._lock:
            self._reader.close()
            self._writer.close()

    def _run(self) -> None:
        while not self._stopped.is_set():
            began = self._begun = time.monotonic()
            self._look()
            took, self._begun = time.monotonic() - began, None
            self._looked.set()
            # One event seldom comes alone; and a huge tree must not be looked at all the time.
            rest = took * (1 / SHARE - 1)
            self._stopped.wait(max(SHORTEST_LOOK, rest))
            self._changed.wait(max(self._interval - SHORTEST_LOOK, 0.0))
            self._changed.clear()

    def _look(self) -> None:
        there = self._root.is_dir()
        found = self._scan()
        sidecars = frozenset(f.path for f in found if f.path.suffix == ".metadata")
        images = [f for f in found if f.path.suffix != ".metadata"]
        if self._pass_over:
            self._pass_over = False
            self._ledger.pass_over(images)
            news = []
        else:
            news = self._ledger.look(images, at_once=_may_be_read_growing)
        with self._lock:
            self.there = there
            self._files += news
            self._sidecars = sidecars
            try:
                self._writer.send(b"!")
            except OSError:
                return  # full, so awake already; or closed


def _may_be_read_growing(file: Found) -> bool:
    return not file.folder and file.path.suffix.lower() in HDF5 and is_swmr(file.path)
