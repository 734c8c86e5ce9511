"""Warnings about results: each reason is told to people at once, then not again for a while."""

import logging
import time

from livepdf.daemon.board import Board

log = logging.getLogger(__name__)

_COMPLAINTS = 5.0
"""s between two warnings about the same reason."""


class Warner:
    """Tells people and the log; used by one thread."""

    def __init__(self, board: Board) -> None:
        self._board = board
        self._warned: dict[str, float] = {}

    def say(self, key: str, text: str) -> None:
        """Say it to people now, then not again for some seconds."""
        now = time.monotonic()
        self._board.note(key, text)
        if now - self._warned.get(key, -_COMPLAINTS) >= _COMPLAINTS:
            self._warned[key] = now
            log.warning("%s", text)
            self._board.say("warning", text)
