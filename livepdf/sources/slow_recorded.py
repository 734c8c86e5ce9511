"""Slow values in a recording: what each frame was given live is what it gets at a replay."""

import re
import threading
from collections import Counter, defaultdict, deque
from collections.abc import Sequence
from dataclasses import replace
from math import inf, nan

import msgspec

from livepdf.errors import FileError
from livepdf.model.frame import Frame
from livepdf.model.raw import RawMessage
from livepdf.model.recorded import SLOW, SLOW_NAMES, Attached
from livepdf.model.status import FeedStatus
from livepdf.sources.slow_beside import Beside
from livepdf.sources.slow_values import MONITOR

_LACKING = "not in the recording"
_USES = re.compile(r"\+\d+$")
_Key = tuple[str, int]


class Given(msgspec.Struct, frozen=True, kw_only=True):
    """What one frame was given; None stands for NaN."""

    series: str
    frame: int
    monitor: float | None
    """I0, where a feed gives it."""
    values: dict[str, float | None]
    reasons: dict[str, str]
    """Why a value is missing, by its name."""

    @property
    def detector_series(self) -> str:
        """The series as the detector calls it, however often it came."""
        return _as_sent(self.series)


def message_of(beside: Beside, *, names: Sequence[str]) -> RawMessage:
    """Return the message that a recording keeps about a frame that was joined.

    It bears the time at which the frame was received, so that a piece cut by time holds the
    values of its frames, however long these waited for them.
    """
    frame = beside.frame
    monitor = frame.monitor if MONITOR in names else None
    # Readings of files may be NumPy's numbers.
    given = Given(
        series=frame.series,
        frame=frame.index,
        monitor=None if monitor is None else float(monitor),
        values={name: float(frame.environment[name]) for name in names if name != MONITOR},
        reasons=dict(beside.reasons),
    )
    return RawMessage(channel=SLOW, received=frame.received, parts=(msgspec.json.encode(given),))


def given_in(raw: RawMessage) -> Given | None:
    """Return what a message of the channel says; None where that cannot be read."""
    try:
        return msgspec.json.decode(b"".join(raw.parts), type=Given)
    except (msgspec.DecodeError, UnicodeDecodeError):
        return None


def names_to_attach(names: Sequence[str]) -> Attached:
    """Return the file that says from the start, also after a kill, that values are recorded."""
    return Attached(name=SLOW_NAMES, data=msgspec.json.encode(names), media_type="application/json")


def recorded_slow(attached: Sequence[Attached], *, loop: bool = False) -> "RecordedSlow | None":
    """Return what gives the values of a recording; None where it was made without feeds.

    Raises
    ------
    FileError
        When the names of the values cannot be read.
    """
    for item in attached:
        if item.name == SLOW_NAMES:
            try:
                names = msgspec.json.decode(item.data, type=tuple[str, ...])
            except (msgspec.DecodeError, UnicodeDecodeError) as error:
                raise FileError(f"{SLOW_NAMES} in the recording: {error}") from None
            return RecordedSlow(names, loop=loop)
    return None


class RecordedSlow:
    """Gives each frame what it was given live; frames wait until that has been read.

    The replay hands over the messages; other threads may ask. What repeats under the same series
    and number is given in the order of the recording.
    """

    wait = inf
    """s: no clock decides here, only what has been read."""

    def __init__(self, names: tuple[str, ...], *, loop: bool = False) -> None:
        """Make it; with ``loop`` the values are kept for the next round."""
        self._names = names
        self._loop = loop
        self._lock = threading.Lock()
        self._unread: defaultdict[_Key, deque[Given]] = defaultdict(deque)
        self._used: defaultdict[_Key, deque[Given]] = defaultdict(deque)
        self._newest: dict[str, float] = {}
        self._taken = 0
        self._joined = 0
        self._missing: Counter[str] = Counter()
        self._over = False
        self._unreadable = 0

    def __bool__(self) -> bool:
        return bool(self._names)

    @property
    def names(self) -> tuple[str, ...]:
        """What the feeds gave, ``monitor`` among it where one gave I0."""
        return self._names

    @property
    def readings(self) -> int:
        """A number that changes whenever a join may give something new."""
        return self._taken + self._over

    def open(self) -> None:
        """Nothing to connect to."""

    def take(self, raw: RawMessage) -> None:
        """Take a message of the channel."""
        given = given_in(raw)
        with self._lock:
            if self._over:
                return  # a further round says nothing new
            self._taken += 1
            if given is None:
                self._unreadable += 1
                return
            self._unread[given.detector_series, given.frame].append(given)
            told = {**given.values, MONITOR: given.monitor}
            self._newest |= {name: _number(told.get(name)) for name in self._names}

    def end(self) -> None:
        """Learn that all has been read: what is not there now is not in the recording."""
        with self._lock:
            self._over = True

    def see(self, frame: Frame) -> None:
        """Nothing is learnt from a frame."""

    def join(self, frame: Frame) -> Beside:
        """Return the frame with its values; those that are not there are NaN, with a reason."""
        with self._lock:
            return self._beside(frame, self._next(frame))

    def close_books(self, frame: Frame) -> Beside:
        """Join for the last time, and count what was missing."""
        key = _as_sent(frame.series), frame.index
        with self._lock:
            given = self._next(frame)
            if given is not None:
                self._unread[key].popleft()
                if not self._unread[key]:
                    del self._unread[key]
                if self._loop:
                    self._used[key].append(given)
            beside = self._beside(frame, given)
            self._joined += len(beside.reasons) < len(self._names)
            self._missing.update(
                _LACKING if given is None else "missing live" for _ in beside.reasons
            )
            return beside

    def status(self) -> tuple[FeedStatus, ...]:
        """Say how the recorded values are doing."""
        with self._lock:
            return (
                FeedStatus(
                    name="recorded values",
                    state="connected",
                    newest=tuple(self._newest.items()),
                    joined=self._joined,
                    missing=dict(self._missing),
                ),
            )

    def problems(self) -> tuple[str, ...]:
        """Say what of the recorded values cannot be read, for people."""
        if not self._unreadable:
            return ()
        return (f"{self._unreadable} messages with slow values cannot be read",)

    def close(self) -> None:
        """Nothing to let go of."""

    def _next(self, frame: Frame) -> Given | None:
        key = _as_sent(frame.series), frame.index
        if key not in self._unread and self._over and key in self._used:
            self._unread[key] = self._used.pop(key)
        return self._unread[key][0] if key in self._unread else None

    def _beside(self, frame: Frame, given: Given | None) -> Beside:
        values = {} if given is None else given.values
        missing = dict.fromkeys(self._names, _LACKING) if given is None else given.reasons
        environment = dict(frame.environment)
        environment |= {name: _number(values.get(name)) for name in self._names if name != MONITOR}
        monitor = frame.monitor
        if MONITOR in self._names:
            monitor = None if given is None else given.monitor
        return Beside(
            frame=replace(frame, environment=environment, monitor=monitor),
            reasons=tuple(missing.items()),
            settled=given is not None or self._over,
        )


def _as_sent(series: str) -> str:
    """Return a series without the count of its uses, which begins anew with each replay."""
    return _USES.sub("", series)


def _number(value: float | None) -> float:
    return nan if value is None else value
