"""Cut a run into windows by frame number or detector time, never by arrival."""

import math
from collections.abc import Mapping
from dataclasses import dataclass, field

from livepdf.config.recipe import Window
from livepdf.model.curve import Scope, Span
from livepdf.model.frame import Frame
from livepdf.model.marks import NO_MARKS, Marks
from livepdf.model.sums import Sums


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Stretch:
    """The sums of some frames of one run, and which frames they are."""

    span: Span
    sums: Sums
    environment: tuple[tuple[str, float], ...]
    """Means over the frames that have the value; NaN where a feed should have given it."""
    received: float
    """Unix seconds when the newest of them was received."""
    marks: Marks = NO_MARKS
    """How good the frames are."""


@dataclass(slots=True)
class Growing:
    """What is added up frame by frame; kept on disk every second."""

    sums: Sums | None = None
    first: int = 0
    last: int = 0
    start: float = math.nan
    end: float = math.nan
    received: float = math.nan
    totals: dict[str, tuple[float, int]] = field(default_factory=dict)

    def add(self, frame: Frame, sums: Sums) -> None:
        """Add a frame with its sums."""
        if self.sums is None:
            self.first, self.start = frame.index, frame.time
        self.sums = sums if self.sums is None else self.sums + sums
        self.last, self.end = frame.index, frame.time
        self.received = frame.received
        self._join(frame.environment)

    def stretch(self, *, scope: Scope, run: str, number: int, revision: int) -> Stretch | None:
        """Return what was added up, None before the first frame."""
        if self.sums is None:
            return None
        span = Span(
            scope=scope,
            run=run,
            number=number,
            first=self.first,
            last=self.last,
            frames=self.sums.frames,
            start=self.start,
            end=self.end,
            revision=revision,
        )
        means = tuple(
            (name, total / n if n else math.nan) for name, (total, n) in self.totals.items()
        )
        return Stretch(span=span, sums=self.sums, environment=means, received=self.received)

    def _join(self, environment: Mapping[str, float]) -> None:
        for name, value in environment.items():
            total, n = self.totals.get(name, (0.0, 0))
            known = math.isfinite(value)
            self.totals[name] = (total + value, n + 1) if known else (total, n)


@dataclass(frozen=True, slots=True, kw_only=True)
class CutterState:
    """How far a run has been cut; another process goes on from here."""

    number: int
    """Of the next window."""
    place: int | None
    origin: float
    """Unix seconds that windows by time are counted from."""
    open: Growing
    whole: Growing


class WindowCutter:
    """Adds up the frames of one run, given in the order of their numbers."""

    def __init__(
        self, rule: Window, *, run: str, revision: int, state: CutterState | None = None
    ) -> None:
        """Begin a run, or go on where the cutter was whose state is given."""
        self._rule = rule
        self._run = run
        self._revision = revision
        self._number = 0 if state is None else state.number
        self._place = None if state is None else state.place
        self._origin = math.nan if state is None else state.origin
        self._open = Growing() if state is None else state.open
        self._whole = Growing() if state is None else state.whole

    @property
    def state(self) -> CutterState:
        """How far it is; what it holds goes on growing."""
        return CutterState(
            number=self._number,
            place=self._place,
            origin=self._origin,
            open=self._open,
            whole=self._whole,
        )

    def add(self, frame: Frame, sums: Sums) -> list[Stretch]:
        """Add a frame; return the windows that it closes, oldest first."""
        place = self._place_of(frame)
        closed = [] if place == self._place else self.cut()
        self._place = place
        self._open.add(frame, sums)
        self._whole.add(frame, sums)
        # The next frame may take long: a window by number is over with its last frame.
        if self._rule.frames is not None and (frame.index + 1) % self._rule.frames == 0:
            closed += self.cut()
        return closed

    def skip(self, frame: Frame) -> list[Stretch]:
        """Leave a frame out; return the windows that are over all the same, oldest first."""
        place = self._place_of(frame)
        closed = [] if place == self._place else self.cut()
        if self._rule.frames is not None and (frame.index + 1) % self._rule.frames == 0:
            closed += self.cut()
        return closed

    def last_place(self, span: Span) -> int | None:
        """Return the last frame that belongs to a window, there or not; None where time tells."""
        number = self._rule.frames
        return None if number is None else (span.first // number + 1) * number - 1

    def cut(self) -> list[Stretch]:
        """Close the open window, whole or not; return it when there are frames in it."""
        window = self._open.stretch(
            scope="window", run=self._run, number=self._number, revision=self._revision
        )
        self._open, self._place = Growing(), None
        if window is None:
            return []
        self._number += 1
        return [window]

    def whole(self) -> Stretch | None:
        """Return the sums of the run since its start or the last reset."""
        return self._whole.stretch(scope="run", run=self._run, number=0, revision=self._revision)

    def reset(self) -> None:
        """Let the sums of the run start anew with the next frame; the open window goes on."""
        self._whole = Growing()

    def _place_of(self, frame: Frame) -> int | None:
        if self._rule.frames is not None:
            return frame.index // self._rule.frames
        if math.isnan(self._origin):
            self._origin = frame.time
        elapsed = (frame.time - self._origin) / (self._rule.seconds or math.inf)
        return math.floor(elapsed) if math.isfinite(elapsed) else self._place
