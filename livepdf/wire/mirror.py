"""What a viewer knows of the daemon: its state, and every window of the run so far."""

from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from livepdf.model.breakdown import BreakdownReport
from livepdf.model.curve import Result, Span, Trend
from livepdf.model.laser import LaserReport
from livepdf.model.overview import Overview
from livepdf.model.serial import SerialReport
from livepdf.model.status import Event, Status
from livepdf.wire.messages import PreviewMessage, Snapshot

Environment = tuple[tuple[str, float], ...]


class RunWindows:
    """The windows of one run by number; those not here yet are NaN rows."""

    def __init__(self, run: str, *, q: NDArray[np.float64], r: NDArray[np.float64]) -> None:
        self.run = run
        self.q = q
        """(n_q,) Å⁻¹"""
        self.r = r
        """(n_r,) Å"""
        self.first = 0
        """Number of the oldest window that the daemon still has."""
        self.revision = 0
        """Newest revision that any window here was made by; the grids are its."""
        self._whole = 0
        self._iq = np.full((64, q.size), np.nan, dtype=np.float32)
        self._gr = np.full((64, r.size), np.nan, dtype=np.float32)
        self._spans: list[Span | None] = []
        self._trends: list[tuple[Trend, ...]] = []
        self._environment: list[Environment] = []
        self._flags: list[tuple[str, ...]] = []

    def __len__(self) -> int:
        """Return the highest number known plus one."""
        return len(self._spans)

    @property
    def iq(self) -> NDArray[np.float32]:
        """(windows, n_q): a view that later windows do not change."""
        return self._iq[: len(self)]

    @property
    def gr(self) -> NDArray[np.float32]:
        """(windows, n_r): a view that later windows do not change."""
        return self._gr[: len(self)]

    @property
    def spans(self) -> list[Span | None]:
        """One for each window, None where it has not come yet."""
        return self._spans

    @property
    def flags(self) -> list[tuple[str, ...]]:
        """What is wrong with frames of each window; empty where nothing is or it has not come."""
        return self._flags

    def flag(self, number: int, flags: tuple[str, ...]) -> None:
        """Note what is wrong with a window that was put."""
        self._flags[number] = flags

    def put(
        self,
        span: Span,
        *,
        iq: NDArray[np.floating],
        gr: NDArray[np.floating],
        trends: tuple[Trend, ...],
        environment: Environment,
    ) -> None:
        """Keep one window; the same window again replaces the older."""
        self._grow(span.number + 1)
        self.revision = max(self.revision, span.revision)
        self._iq[span.number] = iq
        self._gr[span.number] = gr
        self._spans[span.number] = span
        self._trends[span.number] = trends
        self._environment[span.number] = environment

    def on(self, *, q: NDArray[np.float64], r: NDArray[np.float64]) -> "RunWindows":
        """Return the same windows on other grids: interpolated, NaN beyond their ends."""
        moved = type(self)(self.run, q=q, r=r)
        moved.first, moved.revision = self.first, self.revision
        for number, span in enumerate(self._spans):
            if span is not None:
                moved.put(
                    span,
                    iq=regridded(self._iq[number], self.q, q),
                    gr=regridded(self._gr[number], self.r, r),
                    trends=self._trends[number],
                    environment=self._environment[number],
                )
                moved.flag(number, self._flags[number])
        return moved

    def missing(self) -> int | None:
        """Return the number of the oldest absent window, None where all are here."""
        number = max(self.first, self._whole)
        while number < len(self) and self._spans[number] is not None:
            number += 1
        # what is here stays here: the next look begins where this one ended
        self._whole = number
        return number if number < len(self) else None

    def times(self) -> NDArray[np.float64]:
        """Return the end of each window, (windows,) Unix seconds, NaN where absent."""
        return np.array([np.nan if s is None else s.end for s in self._spans], dtype=np.float64)

    def trend_names(self) -> list[str]:
        """Return the names of all trends met so far, in order of first appearance."""
        return list(dict.fromkeys(t.name for trends in self._trends for t in trends))

    def trend(self, name: str) -> list[Trend | None]:
        """Return one trend over all windows, None where a window lacks it."""
        return [next((t for t in trends if t.name == name), None) for trends in self._trends]

    def environment(self, name: str) -> NDArray[np.float64]:
        """Return one slow value over all windows, NaN where absent."""
        return np.array([dict(e).get(name, np.nan) for e in self._environment], dtype=np.float64)

    def environment_names(self) -> list[str]:
        """Return the names of the slow values met so far."""
        return list(dict.fromkeys(name for e in self._environment for name, _ in e))

    def _grow(self, count: int) -> None:
        while count > self._iq.shape[0]:
            self._iq = np.concatenate([self._iq, np.full_like(self._iq, np.nan)])
            self._gr = np.concatenate([self._gr, np.full_like(self._gr, np.nan)])
        while len(self._spans) < count:
            self._spans.append(None)
            self._trends.append(())
            self._environment.append(())
            self._flags.append(())


def regridded(
    row: NDArray[np.floating], old: NDArray[np.float64], new: NDArray[np.float64]
) -> NDArray[np.floating]:
    """Return a curve on another grid, by linear interpolation, NaN beyond its ends."""
    if old.shape == new.shape and np.array_equal(old, new):
        return row
    return np.asarray(np.interp(new, old, row, left=np.nan, right=np.nan), dtype=np.float64)


@dataclass(slots=True)
class Mirror:
    """All that a viewer shows; written by the thread that follows the daemon."""

    connection: str = "not connected yet"
    """In words; ``connected`` when all is well."""
    connected: bool = False
    snapshot: Snapshot | None = None
    status: Status | None = None
    events: list[Event] = field(default_factory=list)
    latest: Result | None = None
    """Newest window with all its curves."""
    whole: Result | None = None
    """The run so far as one curve set."""
    preview: PreviewMessage | None = None
    preview_image: NDArray[np.float32] | None = None
    """(ny, nx), NaN where masked."""
    preview_saturated: NDArray[np.bool_] | None = None
    """(ny, nx) what holds a saturated pixel; None where the detector has no such limit."""
    laser: LaserReport | None = None
    """Shots with and without a laser; None where the recipe has no [pump_probe]."""
    serial: SerialReport | None = None
    """Hits and their sizes; None where the recipe has no [serial]."""
    breakdown: BreakdownReport | None = None
    """Samples that a laser destroys; None where the recipe has no [breakdown]."""
    windows: RunWindows | None = None
    version: int = 0
    """Grows with every change: a viewer redraws when it has moved."""

    def add(self, result: Result) -> None:
        """Take a new result of any scope."""
        if result.span.scope == "run":
            self.whole = result
        elif result.span.scope == "window":
            here, span = self.latest, result.span
            if here is None or here.span.run != span.run or here.span.number <= span.number:
                self.latest = result
            iq, gr = result.curve("iq"), result.curve("gr")
            windows = self.windows_for(span.run, q=iq.x, r=gr.x, revision=span.revision)
            windows.put(
                span,
                iq=regridded(iq.y, iq.x, windows.q),
                gr=regridded(gr.y, gr.x, windows.r),
                trends=result.trends,
                environment=result.environment,
            )
            windows.flag(span.number, result.flags)
        self.version += 1

    @property
    def takes_overviews(self) -> bool:
        """Whether a run is wanted at the resolution of a screen rather than window by window."""
        return False

    def take_overview(self, overview: Overview) -> None:
        """Begin with all windows of a run at the resolution of a screen.

        Raises
        ------
        ValueError
            When that is not wanted here, or it does not fit together.
        """
        raise ValueError(f"no overview of {overview.run} was asked for")

    def windows_for(
        self, run: str, *, q: NDArray[np.float64], r: NDArray[np.float64], revision: int
    ) -> RunWindows:
        """Return the windows of that run, empty when it is new.

        Those that are here move to the grids of a newer revision.
        """
        here = self.windows
        if here is None or here.run != run:
            self.windows = here = self.make_windows(run, q=q, r=r)
            if self.whole is not None and self.whole.span.run != run:
                self.whole = None
        elif revision >= here.revision and not (
            np.array_equal(here.q, q) and np.array_equal(here.r, r)
        ):
            self.windows = here = here.on(q=q, r=r)
        return here

    def make_windows(
        self, run: str, *, q: NDArray[np.float64], r: NDArray[np.float64]
    ) -> RunWindows:
        """Return the empty windows of a new run."""
        return RunWindows(run, q=q, r=r)
