"""A recording as a source: its messages once more, at any speed, through the same feed.

Time inside is the time of the recording: what was waited for in vain then is given up now, and
what has no clock of its own bears the time of receipt. So the same frames come out as in the run
that was recorded, however fast it goes.
"""

import logging
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from typing import Any, Protocol

from livepdf.model.frame import Frame, RunEnd, RunStart, SourceItem
from livepdf.model.raw import RawMessage
from livepdf.model.recorded import SLOW, Recorded
from livepdf.sources.slow_recorded import RecordedSlow
from livepdf.sources.source import Feed

log = logging.getLogger(__name__)

_STEP = 0.1
"""s of recorded time between two looks at what is waited for, as in a live intake."""
_BATCH_MESSAGES, _BATCH_BYTES = 64, 32 << 20
"""Most that one poll hands on."""
_LONGEST = 86_400.0
"""s of recorded time after the last message in which an open series ends of itself."""


class Reader(Protocol):
    """What holds the messages of a recording."""

    def messages(self) -> Iterator[Recorded]:
        """Walk through them from the start."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Pace:
    """How fast a recording is played."""

    speed: float | None = None
    """Times as fast as it was received; None for as fast as frames are taken."""
    loop: bool = False
    """Begin anew at the end, for ever."""


@dataclass(slots=True)
class Progress:
    """How far a replay has come."""

    messages: int = 0
    bytes: int = 0
    time: float = float("nan")
    """Unix seconds of receipt of the newest message, as recorded."""
    rounds: int = 0
    missing: int = 0
    """Messages of the detector that were received but are not in the recording."""
    missing_slow: int = 0
    """Slow values of frames that were given but are not in the recording. In a part cut by time
    it counts too many: at both ends what was given to a frame may lie beyond."""


class ReplaySource:
    """Plays a recording to the intake."""

    def __init__(
        self,
        reader: Reader,
        make_feed: Callable[[], Feed],
        *,
        description: str,
        pace: Pace,
        largest_message: int | None = None,
        slow: RecordedSlow | None = None,
        clock: Callable[[], float] = time.time,
    ) -> None:
        """Make it; nothing is read yet.

        Parameters
        ----------
        make_feed
            Makes what understands the messages; called once.
        largest_message : bytes, optional
            Larger messages are refused, as they were live.
        slow : RecordedSlow, optional
            What the recorded slow values go to; they never go to the feed.
        """
        self.description = description
        self.progress = Progress()
        self._messages = timed_messages(reader, pace=pace, progress=self.progress)
        self._feed = make_feed()
        self._when_over: Callable[[], None] = lambda: None
        self._largest = largest_message
        self._slow = slow
        self._clock = clock
        self._now = float("nan")
        self._over = False
        self._due: _Due | None = None

    def when_over(self, listener: Callable[[], None]) -> None:
        """Have somebody called from the poll after the one that handed on the last items."""
        self._when_over = listener

    def open(self) -> None:
        """Nothing to connect to; the clock of the replay starts with the first poll."""

    def poll(self, timeout: float) -> list[SourceItem]:
        """Hand on what is due, waiting at most ``timeout`` s for it."""
        items: list[SourceItem] = []
        taken = 0
        deadline = time.monotonic() + timeout
        for _ in range(_BATCH_MESSAGES):
            if self._over or taken > _BATCH_BYTES:
                break
            due = self._due or next(self._messages, None)
            self._due = None
            if self._slow is not None and self.progress.rounds:
                self._slow.end()
            if due is None:
                self._over = True
                return self._restamped(items + self._last_items())
            pause = due.at - time.monotonic()
            if pause > 0 and (items or pause > deadline - time.monotonic()):
                self._due = due
                if not items:
                    time.sleep(max(0.0, deadline - time.monotonic()))
                break
            time.sleep(max(0.0, pause))
            told = self._message(due.raw) if due.raw.channel != SLOW else self._slow_values(due.raw)
            items += told
            taken += due.raw.size
            if any(isinstance(item, RunStart | RunEnd) for item in told):
                break  # whoever books the lost frames of a run asks at its start and its end
        if self._over and not items:
            self._when_over()
            time.sleep(timeout)
        return self._restamped(items)

    def state(self) -> str:
        """Say that it is read, and up to where."""
        return "waiting: the recording is over" if self._over else "connected"

    def lost(self) -> int:
        """Count the frames that the numbering says existed but are not in the recording."""
        return self._feed.lost

    def close(self) -> None:
        """Stop reading."""
        self._over = True

    def _message(self, raw: RawMessage) -> list[SourceItem]:
        items = self._ticks(raw.received)
        if self._largest is not None and raw.size > self._largest:
            detail = f"{raw.size} bytes, largest_message is {self._largest}"
            return [*items, self._feed.refuse("too large", detail, now=raw.received)]
        return items + self._feed.feed(raw)

    def _slow_values(self, raw: RawMessage) -> list[SourceItem]:
        """Hand over slow values; they bear the time of their frame, so none passes with them."""
        if self._slow is not None:
            self._slow.take(raw)
        return []

    def _ticks(self, until: float) -> list[SourceItem]:
        """Let the recorded time pass as it did between two messages."""
        items: list[SourceItem] = []
        step = _STEP
        while self._now + step < until:
            self._now += step
            items += self._feed.tick(now=self._now)
            if not self._feed.run_is_open:
                step *= 2  # a pause of hours is not looked through in steps of 0.1 s
        self._now = until
        return items

    def _last_items(self) -> list[SourceItem]:
        items: list[SourceItem] = []
        end, step = self._now + _LONGEST, _STEP
        while self._now < end:
            self._now += step
            items += self._feed.tick(now=self._now)
            if not self._feed.run_is_open:
                step *= 2
        return items

    def _restamped(self, items: list[SourceItem]) -> list[SourceItem]:
        """Let frames be received now, so that the lag shown is that of today."""
        now = self._clock()
        return [replace(i, received=now) if isinstance(i, Frame) else i for i in items]


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class _Due:
    raw: RawMessage
    at: float
    """Monotonic seconds at which it is due; in the past where everything is."""


def timed_messages(reader: Reader, *, pace: Pace, progress: Progress) -> Iterator[_Due]:
    """Yield the messages with the moment at which each is due; endless where the pace loops."""
    shift = 0.0
    while True:
        began, first, last = time.monotonic(), None, 0.0
        expected: dict[str, int] = {}
        for message in reader.messages():
            raw = message.raw
            first = raw.received if first is None else first
            last = max(last, raw.received)
            at = 0.0 if pace.speed is None else began + (raw.received - first) / pace.speed
            hole = max(0, message.sequence - expected.get(raw.channel, message.sequence))
            expected[raw.channel] = message.sequence + 1
            if raw.channel == SLOW:
                progress.missing_slow += hole
                yield _Due(raw=raw, at=at)
                continue
            progress.missing += hole
            yield _Due(raw=raw if shift == 0.0 else _later(raw, shift), at=at)
            progress.messages += 1
            progress.bytes += raw.size
            progress.time = raw.received
        progress.rounds += 1
        if not pace.loop or first is None:
            return
        # Once more, later by the length of the recording, so that time never runs backwards.
        shift += last - first + _STEP


def _later(raw: RawMessage, shift: float) -> RawMessage:
    return replace(raw, received=raw.received + shift)


def largest_message(settings: Any) -> int | None:
    """Return the limit of the settings of a source in bytes, None where it has none."""
    limit = getattr(settings, "largest_message", None)
    return None if limit is None else int(limit) << 20
