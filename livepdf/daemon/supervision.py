"""Tells systemd how it goes: ready, alive while every stage gets on, reloading, stopping."""

import logging
import threading
import time
from collections.abc import Callable, Mapping
from concurrent.futures import Future

from livepdf.daemon.board import Board
from livepdf.daemon.control import Answer
from livepdf.daemon.notify import Notifier
from livepdf.daemon.watchdog import Stage, Watchdog
from livepdf.model.status import Status
from livepdf.wire.messages import Refused

log = logging.getLogger(__name__)

_INTERVAL = 5.0
"""s between two looks where nobody wants to hear more often."""
_MORE_TIME = 60.0
"""s that are asked for again and again while the loops are compiled."""


class Supervisor:
    """Looks at the stages from a thread of its own, until the daemon closes."""

    def __init__(
        self,
        notifier: Notifier,
        *,
        board: Board,
        stages: Callable[[], Mapping[str, Stage]],
        status: Callable[[], Status],
        watchdog: Watchdog | None = None,
    ) -> None:
        self._notifier = notifier
        self._board = board
        self._stages = stages
        self._status = status
        self._watchdog = watchdog or Watchdog()
        self._stuck: tuple[str, ...] = ()

    def run(self, stop: threading.Event) -> None:
        """Look until the stop."""
        wanted = self._notifier.watchdog
        interval = _INTERVAL if wanted is None else min(_INTERVAL, wanted / 3)
        while not stop.wait(interval):
            self.look(time.monotonic())

    def look(self, now: float) -> None:
        """Look once; ``now`` in s of a steady clock."""
        stuck = self._watchdog.stuck(self._stages(), now)
        if stuck != self._stuck:
            self._say(stuck)
        self._stuck = stuck
        if self._board.state == "starting":
            self._notifier.starting(_MORE_TIME)
        self._notifier.status(status_words(self._status()))
        if not stuck:
            self._notifier.alive()

    def ready(self) -> None:
        """Tell that everything is up, or that settings were read again."""
        self._notifier.ready(status_words(self._status()))

    def reload(self, read: "Callable[[], Future[Answer]]") -> None:
        """Let settings be read again, and tell when that is done and what was wrong."""
        self._notifier.reloading()
        read().add_done_callback(self._reloaded)

    def _reloaded(self, done: "Future[Answer]") -> None:
        reply, _ = done.result()
        if isinstance(reply, Refused) and reply.why != "not there":
            log.warning("the recipe was not read again: %s", reply.text)
            self._board.say("warning", f"the recipe was not read again: {reply.text[:1000]}")
        self.ready()

    def stopping(self) -> None:
        """Tell that it ends."""
        self._notifier.stopping()

    def _say(self, stuck: tuple[str, ...]) -> None:
        if stuck:
            log.error("stuck: %s", "; ".join(stuck))
            self._board.trouble("watchdog", "; ".join(stuck))
        else:
            self._board.clear("watchdog")


def status_words(status: Status) -> str:
    """Return one line for `systemctl status`."""
    counters = status.counters
    parts = [status.state, f"{status.rate:.1f} Hz", f"{counters.used} frames used"]
    refused = sum(counters.refused.values())
    parts += [f"{refused} refused"] if refused else []
    parts += [f"{counters.lost} lost"] if counters.lost else []
    parts += [f"lag {status.lag:.2f} s"] if status.lag == status.lag else []
    parts += [status.preparing] if status.preparing else []
    return ", ".join([*parts, *status.problems[:1]])
