"""One window's view of the run: takes states and wishes, gives what to draw."""

from dataclasses import dataclass, replace

import numpy as np

from livepdf.model.curve import CurveKind
from livepdf_gui.show import choice as wishes
from livepdf_gui.show.choice import Choice
from livepdf_gui.show.columns import History
from livepdf_gui.show.curves import CurveView, curve_view
from livepdf_gui.show.detector import DetectorView, detector_view
from livepdf_gui.show.headline import Headline, Item, counters, headline
from livepdf_gui.show.heatmap import MapBuffer, MapView
from livepdf_gui.show.ranges import growing
from livepdf_gui.show.shown import Shown, resolve, waiting
from livepdf_gui.show.state import State
from livepdf_gui.show.theme import THEMES, Theme
from livepdf_gui.show.timescale import TimeScale, time_scale
from livepdf_gui.show.trends import TrendsView, trends_view
from livepdf_gui.show.words import clock, plural


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class EventLine:
    """An event as a line on the time axes."""

    place: float
    text: str


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class View:
    """All panels of one moment: drawn together or not at all."""

    headline: Headline
    counters: tuple[Item, ...]
    shown: Shown
    iq: CurveView
    gr: CurveView
    map: MapView | None
    history: History | None
    trends: TrendsView
    detector: DetectorView | None
    scale: TimeScale
    places: tuple[float, float]
    """Range of the time axes, in windows."""
    selected: float | None
    """Place of the selected window on the time axes."""
    events: tuple[EventLine, ...]
    waiting: str
    """What empty panels say."""
    banner: str
    """About the display itself: paused, or an old window shown; empty when live."""


class Session:
    """Holds the newest state, the wishes, and what was drawn last."""

    def __init__(self, endpoint: str, *, theme: wishes.ThemeName = "light") -> None:
        self.choice = Choice(theme=theme)
        self.newest = State(endpoint=endpoint)
        self.state = self.newest
        self._maps = {"gr": MapBuffer("gr"), "iq": MapBuffer("iq")}
        self._view: View | None = None
        self._drawn: tuple[int, Choice] | None = None

    @property
    def theme(self) -> Theme:
        """Return the colours in use."""
        return THEMES[self.choice.theme]

    def take(self, state: State) -> None:
        """Receive the newest state; while paused it waits behind what is shown."""
        if _run(self.newest) not in ("", _run(state)):
            self.choice = replace(self.choice, selected=None)
        self.newest = state
        if not self.choice.paused:
            self.state = state

    def changed(self) -> bool:
        """Tell whether the panels have to be drawn anew."""
        return self._drawn != (self.state.version, self.choice)

    def forget(self) -> None:
        """Have everything drawn anew."""
        self._drawn = None

    def view(self, *, now: float) -> View:
        """Resolve everything; ``now`` is monotonic seconds."""
        state, choice, before = self.state, self.choice, self._view
        self._drawn = (state.version, choice)
        history = state.history
        shown = resolve(state, choice)
        nothing = np.zeros(0)
        scale = time_scale(
            nothing if history is None else history.start,
            nothing if history is None else history.end,
        )
        self._view = View(
            headline=self.headline(now=now, shown=shown),
            counters=counters(self.newest.status),
            shown=shown,
            iq=curve_view(state, shown, "iq", before=before.iq if before else None),
            gr=curve_view(
                state, shown, _gr_kind(shown, choice), before=before.gr if before else None
            ),
            map=self._maps[choice.map_kind].view(history),
            history=history,
            trends=trends_view(history, choice, before=before.trends if before else None),
            detector=detector_view(state, before=before.detector if before else None),
            scale=scale,
            places=self._places(before),
            selected=None if choice.selected is None else choice.selected + 0.5,
            events=_event_lines(state, scale),
            waiting=waiting(state),
            banner=self.banner(),
        )
        return self._view

    def headline(self, *, now: float, shown: Shown | None = None) -> Headline:
        """Return the strip on top alone: its ages move even when no data come."""
        shown = shown or resolve(self.state, self.choice)
        state = replace(self.newest, history=self.state.history)
        return headline(state, shown, now=now)

    def banner(self) -> str:
        """Say it when the display is not live."""
        if self.choice.paused:
            new = _length(self.newest) - _length(self.state)
            return f"DISPLAY PAUSED, {plural(max(new, 0), 'new window')} waiting. Space: go on"
        if self.choice.selected is not None:
            return f"SHOWING WINDOW {self.choice.selected}, not the newest. L: back to live"
        redo = self.newest.status.redo if self.newest.status is not None else None
        if redo is not None and redo.state == "running":
            return (
                f"REVISION {redo.revision}: stored windows follow, "
                f"{redo.part} of {redo.done} of {redo.total} are done"
            )
        return ""

    def act(self, name: str) -> None:
        """Carry out a key that changes what is shown."""
        choice, history = self.choice, self.state.history
        last = len(history) - 1 if history is not None else 0
        match name:
            case "pause":
                self.choice = replace(choice, paused=not choice.paused)
            case "live":
                self.choice = wishes.live(choice)
            case "older":
                self.choice = wishes.step(choice, -1, history)
            case "newer":
                self.choice = wishes.step(choice, +1, history)
            case "first":
                self.choice = wishes.select(choice, 0, history)
            case "last":
                self.choice = wishes.select(choice, last, history)
            case "scope":
                other: wishes.CurveScope = "run" if choice.scope == "window" else "window"
                self.choice = replace(choice, scope=other, selected=None)
            case "map":
                self.choice = replace(choice, map_kind="iq" if choice.map_kind == "gr" else "gr")
            case "difference":
                self.choice = replace(choice, difference=not choice.difference)
            case "theme":
                self.choice = replace(choice, theme="dark" if choice.theme == "light" else "light")
            case _:
                raise ValueError(f"no such action: {name}")
        if not self.choice.paused:
            self.state = self.newest

    def select_place(self, place: float) -> None:
        """Show the window at a place on the time axis."""
        self.choice = wishes.select(self.choice, int(np.floor(place)), self.state.history)

    def toggle_trend(self, name: str) -> None:
        """Show a trend, or stop showing it."""
        shown = tuple(s.name for s in self._view.trends.strips) if self._view else ()
        self.choice = wishes.toggle_trend(self.choice, name, shown)

    def overlay(self, name: str) -> None:
        """Put that slow value on the right axis; empty takes it away."""
        self.choice = replace(self.choice, overlay=name)

    def _places(self, before: View | None) -> tuple[float, float]:
        windows = _length(self.state)
        old = before.places[1] if before is not None and before.places[1] <= 4 * windows else None
        return 0.0, growing(old, float(windows))


def moment(view: View, place: float) -> str:
    """Tell the time and the window at a place on the time axis."""
    scale = view.scale
    if scale.places.size == 0:
        return ""
    when = scale.time(place)
    elapsed = f"{scale.elapsed(when):.2f} {scale.unit}"
    near = [e.text for e in view.events if abs(e.place - place) < _near(view)]
    said = f"   [{near[0]}]" if near else ""
    return f"window {int(np.floor(place))}, {clock(when)} ({elapsed}){said}"


def map_readout(view: View, place: float, height: float) -> str:
    """Tell what the map shows under the cursor, at full resolution."""
    history, number = view.history, int(np.floor(place))
    if view.map is None or history is None:
        return ""
    gr = view.map.kind == "gr"
    grid, rows = (history.r, history.gr) if gr else (history.q, history.iq)
    words = moment(view, place)
    if not (0 <= number < len(history) and grid[0] <= height <= grid[-1]):
        return words
    i = int(np.abs(grid - height).argmin())
    value = rows[number, i]
    said = f"{value:.3g}" if np.isfinite(value) else "no value"
    if gr:
        return f"{words}   r = {grid[i]:.2f} Å   G = {said} Å⁻²"
    return f"{words}   Q = {grid[i]:.2f} Å⁻¹   I = {said}"


def _gr_kind(shown: Shown, choice: Choice) -> CurveKind:
    """Return what the panel of G shows: ΔG where it is wanted and there."""
    result = shown.result
    there = result is not None and any(curve.kind == "dgr" for curve in result.curves)
    return "dgr" if choice.difference and there else "gr"


def _near(view: View) -> float:
    return 0.006 * (view.places[1] - view.places[0])


def _run(state: State) -> str:
    return state.history.run if state.history is not None else ""


def _length(state: State) -> int:
    return len(state.history) if state.history is not None else 0


def _event_lines(state: State, scale: TimeScale) -> tuple[EventLine, ...]:
    run = _run(state)
    if not run or scale.places.size < 2:
        return ()
    events = [e for e in state.events if e.run in ("", run)]
    places = scale.place(np.array([e.time for e in events], dtype=np.float64))
    return tuple(
        EventLine(
            place=max(float(place), 0.0),
            text=e.text if e.kind == "mark" else f"{e.kind}: {e.text}" if e.text else e.kind,
        )
        for place, e in zip(places, events, strict=True)
    )
