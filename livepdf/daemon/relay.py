"""Hands what is published on to sinks, each in a thread of its own: none can hold up the rest."""

import logging
import threading
import time
from collections import deque
from collections.abc import Callable, Mapping, Sequence
from functools import partial

from livepdf.daemon.board import Board
from livepdf.model.curve import Result
from livepdf.model.status import Event, Status
from livepdf.sinks.publishing import Sink

log = logging.getLogger(__name__)

_MOST = 200
"""Items that wait for one sink; then the oldest gives way."""
_PATIENCE = 3.0
"""s that all sinks together get to finish."""
_SLOW = 10.0
"""s over one item after which people are told."""


class Branch:
    """One sink with what waits for it."""

    def __init__(self, name: str, sink: Sink, board: Board) -> None:
        self.name = name
        self.sink = sink
        self.dropped = 0
        """Items that it did not take: it raised, or was too slow."""
        self._board = board
        self._changed = threading.Condition()
        self._waiting: deque[Callable[[], None]] = deque()
        self._over = False
        self._busy_since: float | None = None
        self._thread = threading.Thread(target=self._run, name=f"sink {name}", daemon=True)
        self._thread.start()

    def put(self, act: Callable[[], None]) -> None:
        """Let the sink do something; never waits."""
        with self._changed:
            full = len(self._waiting) >= _MOST
            if full:
                self._waiting.popleft()
                self.dropped += 1
            self._waiting.append(act)
            self._changed.notify()
            began = self._busy_since
        if full or (began is not None and time.monotonic() - began > _SLOW):
            words = f"sink {self.name} does not get on: {self.dropped} items dropped"
            self._board.note(f"sink {self.name}", words)

    def end(self) -> None:
        """Tell it that nothing more comes."""
        with self._changed:
            self._over = True
            self._changed.notify()

    def join(self, until: float) -> None:
        """Let it finish until a moment of the steady clock; then it is left to itself."""
        self._thread.join(max(0.0, until - time.monotonic()))
        if self._thread.is_alive():
            log.warning("sink %s does not end: it is left behind", self.name)

    def _run(self) -> None:
        while True:
            with self._changed:
                self._changed.wait_for(lambda: self._waiting or self._over)
                if not self._waiting:
                    break
                act = self._waiting.popleft()
            self._busy_since = time.monotonic()
            self._do(act)
            self._busy_since = None
        self._do(self.sink.close)

    def _do(self, act: Callable[[], None]) -> None:
        try:
            act()
        except Exception as error:  # noqa: BLE001  a sink may be anybody's code
            with self._changed:
                self.dropped += 1
            log.warning("sink %s failed: %s", self.name, error)
            self._board.note(f"sink {self.name}", f"sink {self.name} failed: {error!s:.200}")


class Relay:
    """All sinks of one daemon; any thread may publish."""

    def __init__(self, sinks: Sequence[tuple[str, Sink]], board: Board) -> None:
        self._branches = [Branch(name, sink, board) for name, sink in sinks]

    def result(self, result: Result) -> None:
        """Hand on the curves and trends of a window or run."""
        for branch in self._branches:
            branch.put(partial(branch.sink.result, result))

    def event(self, event: Event) -> None:
        """Hand on that something happened."""
        for branch in self._branches:
            branch.put(partial(branch.sink.event, event))

    def flag(self, name: str, raised: bool, words: str) -> None:
        """Hand on that a quality flag was raised or taken back."""
        for branch in self._branches:
            branch.put(partial(branch.sink.flag, name, raised, words))

    def status(self, status: Status) -> None:
        """Hand on how the daemon is doing."""
        for branch in self._branches:
            branch.put(partial(branch.sink.status, status))

    def dropped(self) -> Mapping[str, int]:
        """Return what each sink did not take, those that took all left away."""
        return {branch.name: branch.dropped for branch in self._branches if branch.dropped}

    def close(self) -> None:
        """End all sinks; one that hangs is not waited for."""
        for branch in self._branches:
            branch.end()
        until = time.monotonic() + _PATIENCE
        for branch in self._branches:
            branch.join(until)
