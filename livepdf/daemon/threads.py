"""The threads of the daemon by name: a defect in one stops all in order, and is not lost."""

import logging
import threading
import time
from collections.abc import Callable

from livepdf.daemon.board import Board
from livepdf.errors import LivepdfError

log = logging.getLogger(__name__)

_LAST_WORDS = 10.0
"""s that the other threads get after a defect to bring their results to disk."""


class Threads:
    """Starts threads and waits for them; used by one thread."""

    def __init__(self, *, board: Board, stopping: threading.Event) -> None:
        """Make it; ``stopping`` is set when a thread ends by an error."""
        self._board = board
        self._stopping = stopping
        self._threads: dict[str, threading.Thread] = {}
        self.failure: BaseException | None = None
        """What ended a thread that should not have ended."""

    @property
    def names(self) -> tuple[str, ...]:
        """All that were started."""
        return tuple(self._threads)

    def start(self, name: str, part: Callable[[], None]) -> None:
        """Let a thread do its part."""
        thread = threading.Thread(target=self._guard, args=(name, part), name=name, daemon=True)
        self._threads[name] = thread
        thread.start()

    def alive(self, name: str) -> bool:
        """Whether a thread was started and has not ended."""
        thread = self._threads.get(name)
        return thread is not None and thread.is_alive()

    def join(self, *names: str) -> None:
        """Wait until threads have ended, one after another; after a defect not for long."""
        for name in names:
            self._join(name)

    def _join(self, name: str) -> None:
        thread = self._threads.get(name)
        given_up = None
        while thread is not None and thread.is_alive():
            thread.join(0.2)
            if self.failure is not None:
                given_up = given_up or time.monotonic() + _LAST_WORDS
                if time.monotonic() > given_up:
                    log.error("%s does not end", name)
                    return

    def _guard(self, name: str, part: Callable[[], None]) -> None:
        try:
            part()
        except LivepdfError as error:
            self._fail(name, error)
        except Exception as error:
            log.exception("%s stopped by a defect", name)
            self._fail(name, error)

    def _fail(self, name: str, error: BaseException) -> None:
        self.failure = self.failure or error
        self._board.trouble(name, f"{name} stopped: {error}")
        self._stopping.set()
