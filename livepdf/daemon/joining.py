"""Slow values join their frames between the workers and the collector.

The image is gone by then, so a frame that waits for a reading keeps only its sums, and nothing
behind it waits: the collector restores the order. I0 of a feed multiplies the weight here; the
workers add the pixels up as for I0 = 1.
"""

import time
from collections.abc import Callable, Sequence
from dataclasses import replace

from livepdf.daemon.tickets import Stop
from livepdf.daemon.workers import Outcome
from livepdf.errors import FrameError
from livepdf.model.frame import Frame, SourceItem
from livepdf.model.raw import RawMessage
from livepdf.sources.slow_beside import Beside, SlowGiver
from livepdf.sources.slow_recorded import message_of
from livepdf.sources.slow_values import MONITOR

AGAIN = 0.02
"""s between two looks while frames wait."""


class Joiner:
    """Passes outcomes on, each as soon as its frame has its slow values, or has waited enough."""

    def __init__(
        self,
        feeds: SlowGiver,
        *,
        note: Callable[[str, str], None],
        record: Callable[[RawMessage], None] | None = None,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        """Make it.

        Parameters
        ----------
        note
            Is told what is missing, by the name of the value.
        record
            Gets a message about what each frame was given in the end.
        """
        self._feeds = feeds
        self._note = note
        self._record = record
        self._clock = clock
        self._gives_monitor = MONITOR in feeds.names
        self._waiting: list[tuple[float, Outcome]] = []
        self._readings = -1
        """How many the feeds had given when the waiting frames were joined last."""

    @property
    def pause(self) -> float:
        """How many s until `due` should be asked again; infinite while nothing waits."""
        return AGAIN if self._waiting else float("inf")

    def prepare(self, item: SourceItem) -> SourceItem:
        """Let a frame of the source pass the workers, whose I0 comes later."""
        if not self._feeds or not isinstance(item, Frame):
            return item
        self._feeds.see(item)
        return replace(item, monitor=1.0) if self._gives_monitor else item

    def add(self, outcomes: Sequence[Outcome]) -> list[Outcome]:
        """Take outcomes of the workers; return those that are ready, and all before a stop."""
        if not self._feeds:
            return list(outcomes)
        ready: list[Outcome] = []
        until = self._clock() + self._feeds.wait
        for outcome in outcomes:
            if isinstance(outcome.ticket.item, Stop):
                ready += self.flush()
            if outcome.sums is None or not isinstance(outcome.ticket.item, Frame):
                ready.append(outcome)
            else:
                self._waiting.append((until, outcome))
        self._readings = -1
        return ready + self.due()

    def due(self) -> list[Outcome]:
        """Return what waited and is ready now."""
        now, ready, waiting = self._clock(), [], []
        readings = self._feeds.readings
        changed, self._readings = readings != self._readings, readings
        for until, outcome in self._waiting:
            frame = outcome.ticket.item
            assert isinstance(frame, Frame)
            if now >= until or (changed and self._feeds.join(frame).settled):
                ready.append(self._joined(outcome, self._feeds.close_books(frame)))
            else:
                waiting.append((until, outcome))
        self._waiting = waiting
        return ready

    def flush(self) -> list[Outcome]:
        """Return all that waits, with what is known."""
        self._waiting = [(float("-inf"), outcome) for _, outcome in self._waiting]
        return self.due()

    def _joined(self, outcome: Outcome, beside: Beside) -> Outcome:
        if self._record is not None:
            self._record(message_of(beside, names=self._feeds.names))
        for name, reason in beside.reasons:
            self._note(f"slow {name}", f"no {name}: {reason}")
        ticket, sums = replace(outcome.ticket, item=beside.frame), outcome.sums
        assert sums is not None
        if not self._gives_monitor:
            return replace(outcome, ticket=ticket)
        monitor = beside.frame.monitor
        run = ticket.run.built if ticket.run is not None else None
        if run is not None and run.recipe.normalization.monitor:
            if monitor is None or monitor <= 0:
                why = dict(beside.reasons).get(MONITOR, f"I0 is {monitor}")
                return Outcome(ticket=ticket, refusal=FrameError("no monitor", why))
            sums = replace(sums, weight=sums.weight * monitor)
        sums = replace(sums, monitor=float("nan") if monitor is None else monitor)
        return replace(outcome, ticket=ticket, sums=sums)
