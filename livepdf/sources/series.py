"""Which frame belongs to which series, in which order, and which never came: pure, time passed in.

A series begins with its start message, or, where that is missing, with its frames after a wait for
it. It ends with its end message, the next start, or silence. Within it frames come out in the order
of their numbers, each once; a missing number is waited for, then counted as lost.
"""

from collections import OrderedDict
from dataclasses import dataclass, replace
from typing import Generic, Literal, TypeVar

from livepdf.model.frame import FrameRefused, RunEnd, RunStart
from livepdf.sources.ordering import Arrival, Ordering, SeriesId

Content = TypeVar("Content")
EndReason = Literal["end", "next start", "idle", "stopped"]
REMEMBERED = 64
"""Finished series whose stragglers are told from frames of a new one."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Patience:
    """How long to wait for what may still come, in s, and how much to hold meanwhile."""

    gap: float
    """For a missing frame."""
    header: float
    """For the start of frames that came before it."""
    idle: float
    """Without a message until a series is over."""
    held_bytes: int = 256 << 20
    resume: bool = False
    """Whether frames of a finished series open it again and late ones are used out of order, as for
    files, which are never stale; a stream refuses both."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Ready(Generic[Content]):
    """A frame whose turn it is."""

    run: str
    arrival: Arrival[Content]


Settled = list[RunStart | Ready[Content] | FrameRefused | RunEnd]
"""What is certain now, in order."""


@dataclass(slots=True, kw_only=True, eq=False)
class _Run(Generic[Content]):
    series: SeriesId
    start: RunStart
    headed: bool
    order: Ordering[Content]
    newest: float
    ending: float | None = None
    over: EndReason | None = None


@dataclass(slots=True, kw_only=True, eq=False)
class _Parked(Generic[Content]):
    since: float
    newest: float
    arrivals: list[Arrival[Content]]


class SeriesTracker(Generic[Content]):
    """Sorts what arrives into series; every call returns what is settled by it, in order."""

    def __init__(self, patience: Patience) -> None:
        self._patience = patience
        self._current: _Run[Content] | None = None
        self._finished: OrderedDict[SeriesId, _Run[Content]] = OrderedDict()
        self._parked: dict[SeriesId, _Parked[Content]] = {}
        self._uses: dict[SeriesId, int] = {}
        self._lost = 0

    @property
    def lost(self) -> int:
        """Frames of all series that the numbering says existed but never arrived."""
        return self._lost + (self._current.order.lost if self._current is not None else 0)

    @property
    def current(self) -> SeriesId | None:
        """The series that is open."""
        return self._current.series if self._current is not None else None

    def knows(self, series: SeriesId) -> bool:
        """Whether the series is open or remembered."""
        current = self._current is not None and self._current.series == series
        return current or series in self._finished

    def reopen(self, series: SeriesId, index: int) -> None:
        """Let a frame that was refused come again under its old number."""
        run = self._current
        if run is None or run.series != series:
            run = self._finished.get(series)
        if run is not None:
            before = run.order.lost
            run.order.reopen(index)
            if run is not self._current:
                self._lost += run.order.lost - before

    @property
    def waiting(self) -> int:
        """Frames held back for an earlier one or for their start."""
        held = len(self._current.order) if self._current is not None else 0
        return held + sum(len(parked.arrivals) for parked in self._parked.values())

    def start(
        self, series: SeriesId, start: RunStart, *, now: float, first: int = 0
    ) -> Settled[Content]:
        """Take the start message of a series; ``start.series`` is made unique here."""
        run = self._current
        if run is not None and run.series == series and (run.order.fresh or not run.headed):
            run.newest = now
            return []  # repeated before its first frame, or later than the patience for it
        settled = self._finish("next start", now)
        settled += self._begin(series, start, headed=True, first=first, now=now)
        if series in self._parked:
            settled += self._unpark(series, now)
        return settled

    def frame(self, arrival: Arrival[Content], *, now: float) -> Settled[Content]:
        """Take one frame of any series."""
        run = self._current
        if run is not None and run.series == arrival.series:
            return self._add(run, arrival, now)
        before = self._finished.get(arrival.series)
        if before is not None:
            if not self._patience.resume and before.over != "idle":
                return [_refused(arrival, "stale series", now)]
            settled = self._finish("next start", now)
            settled += self._continue(before, arrival.index, now)
            return settled + self.frame(arrival, now=now)
        if run is not None and arrival.series.older_than(run.series):
            return [_refused(arrival, "stale series", now)]
        return self._park(arrival, now)

    def end(self, series: SeriesId, *, now: float) -> Settled[Content]:
        """Take the end message of a series; one that is not open is passed over."""
        settled = self._adopt(series, now) if series in self._parked else []
        run = self._current
        if run is None or run.series != series:
            return settled
        if run.order.disordered and not run.order.complete(run.start.expected):
            # Messages overtake one another: what is missing may come after the end.
            run.ending = now if run.ending is None else run.ending
            return settled + self.tick(now=now)
        return settled + self._finish("end", now)

    def tick(self, *, now: float) -> Settled[Content]:
        """Give up what has been waited for long enough."""
        settled: Settled[Content] = []
        run = self._current
        if run is not None:
            settled += self._ready(run, run.order.give_up(now=now, patience=self._patience.gap))
            if run.ending is not None and now - run.ending >= self._patience.gap:
                settled += self._finish("end", now)
            elif now - run.newest >= self._patience.idle:
                settled += self._finish("idle", now)
        for series, parked in list(self._parked.items()):
            if now - parked.since >= self._patience.header:
                settled += self._judge(series, parked, now)
        return settled

    def _judge(self, series: SeriesId, parked: _Parked[Content], now: float) -> Settled[Content]:
        """Adopt a series without a start, unless the open one went on after all of its frames."""
        run = self._current
        if run is None or run.newest <= parked.newest or self._patience.resume:
            return self._adopt(series, now)
        # A damaged number, or a straggler: it must not end the series that is going on.
        del self._parked[series]
        return [_refused(arrival, "stray series", now) for arrival in parked.arrivals]

    def _add(self, run: _Run[Content], arrival: Arrival[Content], now: float) -> Settled[Content]:
        run.newest = now
        reason = run.order.refusal(arrival.index)
        if reason is not None:
            run.order.strike(arrival.index)
            if reason == "late" and self._patience.resume:
                return self._ready(run, [arrival])
            return [_refused(arrival, reason, now)]
        settled = self._ready(run, run.order.add(arrival, now=now))
        while run.order.held_bytes > self._patience.held_bytes:
            settled += self._ready(run, run.order.skip())
        if run.ending is not None and run.order.complete(run.start.expected):
            settled += self._finish("end", now)
        return settled

    def _park(self, arrival: Arrival[Content], now: float) -> Settled[Content]:
        parked = self._parked.setdefault(
            arrival.series, _Parked(since=now, newest=now, arrivals=[])
        )
        parked.newest = now
        parked.arrivals.append(arrival)
        held = sum(a.size for p in self._parked.values() for a in p.arrivals)
        if held > self._patience.held_bytes or self._patience.header == 0:
            return self._adopt(arrival.series, now)
        return []

    def _adopt(self, series: SeriesId, now: float) -> Settled[Content]:
        first = min(arrival.index for arrival in self._parked[series].arrivals)
        run = self._current
        if run is not None and series.older_than(run.series):
            return self._unpark(series, now)
        start = RunStart(
            series=str(series),
            name=f"series-{series.number}",
            time=now,
            metadata={"header": "missing", "first frame seen": first},
        )
        settled = self._finish("next start", now)
        settled += self._begin(series, start, headed=False, first=first, now=now)
        return settled + self._unpark(series, now)

    def _unpark(self, series: SeriesId, now: float) -> Settled[Content]:
        settled: Settled[Content] = []
        for arrival in self._parked.pop(series).arrivals:
            settled += self.frame(arrival, now=now)
        return settled

    def _begin(
        self, series: SeriesId, start: RunStart, *, headed: bool, first: int, now: float
    ) -> Settled[Content]:
        uses = self._uses.get(series, 0)
        self._uses[series] = uses + 1
        start = replace(start, series=f"{series}+{uses}" if uses else str(series))
        self._finished.pop(series, None)
        self._current = _Run(
            series=series, start=start, headed=headed, order=Ordering(first), newest=now
        )
        return [start]

    def _continue(self, before: _Run[Content], first: int, now: float) -> Settled[Content]:
        metadata = {**before.start.metadata, "continues": before.start.series}
        start = replace(before.start, time=now, metadata={**metadata, "first frame seen": first})
        begun = self._begin(before.series, start, headed=before.headed, first=0, now=now)
        run = self._current
        if run is not None:
            self._lost -= before.order.lost
            run.order = before.order
        return begun

    def _finish(self, reason: EndReason, now: float) -> Settled[Content]:
        run = self._current
        if run is None:
            return []
        settled: Settled[Content] = []
        while len(run.order):
            settled += self._ready(run, run.order.skip())
        settled.append(RunEnd(series=run.start.series, time=now, reason=reason))
        run.over = reason
        self._lost += run.order.lost
        self._finished[run.series] = run
        while len(self._finished) > REMEMBERED:
            self._finished.popitem(last=False)
        self._current = None
        return settled

    def _ready(self, run: _Run[Content], arrivals: list[Arrival[Content]]) -> Settled[Content]:
        return [Ready(run=run.start.series, arrival=arrival) for arrival in arrivals]


def _refused(arrival: Arrival[Content], reason: str, now: float) -> FrameRefused:
    return FrameRefused(
        series=str(arrival.series),
        reason=reason,
        detail=f"frame {arrival.index} of series {arrival.series}",
        time=now,
        index=arrival.index,
    )
