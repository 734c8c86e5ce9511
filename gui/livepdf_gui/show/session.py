"""One window's view of the run: takes states and wishes, gives what to draw."""

from dataclasses import dataclass, replace

import numpy as np

from livepdf.model.curve import CurveKind
from livepdf_gui.show import calibrants
from livepdf_gui.show import choice as wishes
from livepdf_gui.show.choice import Choice
from livepdf_gui.show.columns import History
from livepdf_gui.show.curves import CurveView, curve_view
from livepdf_gui.show.detector import SCALES, DetectorView, detector_view
from livepdf_gui.show.headline import Headline, Item, counters, headline
from livepdf_gui.show.heatmap import MapView, wanted_detail
from livepdf_gui.show.over_time import Moment, OverTime
from livepdf_gui.show.reference import Curves, Reference, pinned
from livepdf_gui.show.shown import Shown, all_windows, no_image, resolve, waiting
from livepdf_gui.show.state import State
from livepdf_gui.show.tasks import Zoom
from livepdf_gui.show.theme import THEMES, Theme
from livepdf_gui.show.timeline import EventLine
from livepdf_gui.show.timescale import Scale, TimeScale
from livepdf_gui.show.trends import TrendsView
from livepdf_gui.show.words import plural

RINGS = ("none", "structure", *calibrants.CALIBRANTS)
"""What rings may be drawn on the detector."""
_FITTED: str = "gr_model"
"""Kind of the curve of a structure that was fitted to the window."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class View:
    """All panels of one moment: drawn together or not at all."""

    headline: Headline
    counters: tuple[Item, ...]
    shown: Shown
    iq: CurveView
    """Over Q: I, S or F."""
    gr: CurveView
    """Over r: G or ΔG."""
    map: MapView | None
    map_notice: str
    """Why there is no map."""
    history: History | None
    trends: TrendsView
    detector: DetectorView | None
    moment: Moment
    """All that is drawn over time: another one where any of it moved."""
    scale: TimeScale
    axis: Scale
    """What the ticks of the time axes tell."""
    places: tuple[float, float]
    """Range of the time axes, in windows."""
    selected: float | None
    """Place of the selected window on the time axes."""
    chosen: tuple[float, ...]
    """The same, or both ends where windows are shown as one."""
    events: tuple[EventLine, ...]
    waiting: str
    """What empty panels say."""
    no_image: str
    """What the panel of the detector says without one."""
    banner: str
    """About the display itself: paused, or an old window shown; empty when live."""


class Session:
    """Holds the newest state, the wishes, and what was drawn last."""

    def __init__(self, endpoint: str, *, theme: wishes.ThemeName = "light") -> None:
        self.choice = Choice(theme=theme)
        self.newest = State(endpoint=endpoint)
        self.state = self.newest
        self.references: tuple[Reference, ...] = ()
        """Files and windows that curves are compared with; structures come with the state."""
        self.detector_scale = SCALES[0]
        self.rings = "none"
        self.sectors = False
        self._from: int | None = None
        """Window that a range begins with, before its end is told."""
        self._over_time = OverTime()
        self._view: View | None = None
        self._drawn: tuple[object, ...] | None = None

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
        return self._drawn != self._key()

    def forget(self) -> None:
        """Have everything drawn anew."""
        self._drawn = None
        self._over_time.forget()

    def span_wanted(self) -> tuple[int, int] | None:
        """Return the windows that are to be added up, None where nothing is."""
        choice = self.choice
        if choice.span is None and choice.scope == "run" and choice.selected is None:
            return all_windows(self.state)
        return choice.span

    def view(self, *, now: float) -> View:
        """Resolve everything; ``now`` is monotonic seconds."""
        state, choice, before = self.state, self.choice, self._view
        self._drawn = self._key()
        history = state.history
        shown = resolve(state, choice)
        compared = (*_fitted(shown), *self.all_references())
        moment = self._over_time.moment(state, choice, self.all_references(), now=now)
        gr_kind = _gr_kind(shown, choice, self.all_references())
        self._view = View(
            headline=self.headline(now=now, shown=shown),
            counters=counters(self.newest.status),
            shown=shown,
            iq=curve_view(
                state,
                shown,
                choice.q_kind,
                before=before.iq if before else None,
                references=compared,
            ),
            gr=curve_view(
                state, shown, gr_kind, before=before.gr if before else None, references=compared
            ),
            map=moment.map,
            map_notice=moment.map_notice,
            history=history,
            trends=moment.trends,
            detector=self._detector(state, before.detector if before else None),
            moment=moment,
            scale=moment.scale,
            axis=moment.axis,
            places=moment.places,
            selected=None if choice.selected is None else choice.selected + 0.5,
            chosen=_chosen(choice),
            events=moment.events,
            waiting=waiting(state),
            no_image=no_image(state),
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
        if self.choice.span is not None:
            first, last = self.choice.span
            return f"SHOWING WINDOWS {first} TO {last} AS ONE, not the newest. L: back to live"
        if self._from is not None:
            return f"FROM WINDOW {self._from} on as one: go to the last of them, then press ]"
        if self.choice.scope == "frame":
            return "SHOWING SINGLE FRAMES, the newest twice a second. W or L: back to windows"
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
                self._from = None
                self.choice = wishes.live(choice)
            case "older":
                self.choice = wishes.step(choice, -1, history)
            case "newer":
                self.choice = wishes.step(choice, +1, history)
            case "much older":
                self.choice = wishes.step(choice, -_leap(history), history)
            case "much newer":
                self.choice = wishes.step(choice, +_leap(history), history)
            case "first":
                self.choice = wishes.select(choice, 0, history)
            case "last":
                self.choice = wishes.select(choice, last, history)
            case "scope":
                self.choice = wishes.next_scope(choice)
            case "range from":
                self._from = last if choice.selected is None else choice.selected
            case "range to":
                self._end_span(last if choice.selected is None else choice.selected)
            case "map":
                self.choice = wishes.next_map(choice)
            case "curve":
                self.choice = wishes.next_q_kind(choice)
            case "axis":
                self.choice = wishes.next_axis(choice)
            case "difference":
                self.choice = replace(choice, difference=not choice.difference)
            case "theme":
                self.choice = wishes.next_theme(choice)
            case "pin":
                self.pin()
            case "unpin":
                self.references = ()
            case "rings":
                self.rings = RINGS[(RINGS.index(self.rings) + 1) % len(RINGS)]
            case "sectors":
                self.sectors = not self.sectors
            case "levels":
                place = SCALES.index(self.detector_scale)
                self.detector_scale = SCALES[(place + 1) % len(SCALES)]
            case _:
                raise ValueError(f"no such action: {name}")
        if not self.choice.paused:
            self.state = self.newest

    def select_place(self, place: float) -> None:
        """Show the window at a place on the time axis."""
        self.choice = wishes.select(self.choice, int(np.floor(place)), self.state.history)

    def select_range(self, low: float, high: float) -> None:
        """Show the windows between two places on the time axis as one."""
        first, last = int(np.floor(low)), int(np.floor(high))
        self.choice = wishes.select_span(self.choice, first, last, self.state.history)

    def _end_span(self, here: int) -> None:
        """Show the windows from the one that was noted to this one as one."""
        first = here if self._from is None else self._from
        self._from = None
        self.choice = wishes.select_span(self.choice, first, here, self.state.history)

    def toggle_trend(self, name: str) -> None:
        """Show a trend, or stop showing it."""
        shown = tuple(s.name for s in self._view.trends.strips) if self._view else ()
        self.choice = wishes.toggle_trend(self.choice, name, shown)

    def overlay(self, name: str) -> None:
        """Put that slow value on the right axis; empty takes it away."""
        self.choice = replace(self.choice, overlay=name)

    def pin(self) -> None:
        """Compare everything with the window that is shown now; a pinned one gives way."""
        shown = resolve(self.state, self.choice)
        if shown.result is None or shown.span is None:
            return
        curves: Curves = {
            c.kind: (c.x, c.y, c.sigma)
            for c in shown.result.curves
            if c.kind not in ("dgr", _FITTED)
        }
        one = pinned(shown.span.number, curves)
        if shown.span.scope == "run":
            one = replace(one, name="the run so far")
        self.references = (*(each for each in self.references if each.scaled), one)

    def compare_with(self, reference: Reference) -> None:
        """Lay a file over the curves; another of its name gives way."""
        others = tuple(each for each in self.references if each.name != reference.name)
        self.references = (*others, reference)

    def all_references(self) -> tuple[Reference, ...]:
        """Return structures, then files and windows: the difference is to the last that fits."""
        return (*self.newest.references, *self.references)

    def zoomed(self, low: float, high: float) -> Zoom | None:
        """Return what to fetch when the map shows the windows between two places."""
        view = self._view.map if self._view is not None else None
        wanted = wanted_detail(view, low, high)
        if view is None or wanted is None:
            return None
        kind: CurveKind = "gr" if view.kind == "dgr" else view.kind
        return Zoom(kind=kind, first=wanted[0], count=wanted[1])

    def _key(self) -> tuple[object, ...]:
        settings = (self.detector_scale, self.rings, self.sectors)
        references = tuple(id(each) for each in self.references)
        # colours alone change nothing of what is shown
        wished = replace(self.choice, theme="light")
        return (self.state.version, wished, references, settings)

    def _detector(self, state: State, before: DetectorView | None) -> DetectorView | None:
        rings: tuple[float, ...] = ()
        name = self.rings
        if self.rings == "structure":
            structures = [each for each in self.newest.references if each.lines]
            rings = structures[-1].lines if structures else ()
            name = structures[-1].name if structures else ""
        elif self.rings != "none":
            rings = calibrants.rings(self.rings)
        return detector_view(
            state,
            before=before,
            scale=self.detector_scale,
            rings=rings,
            ring_name=name,
            sectors=self.sectors,
        )


def _chosen(choice: Choice) -> tuple[float, ...]:
    if choice.span is not None:
        return float(choice.span[0]), choice.span[1] + 1.0
    return () if choice.selected is None else (choice.selected + 0.5,)


def _gr_kind(shown: Shown, choice: Choice, compared: tuple[Reference, ...]) -> CurveKind:
    """Return what the panel of G shows: ΔG where it is wanted and there."""
    result = shown.result
    there = result is not None and any(curve.kind == "dgr" for curve in result.curves)
    own = any("gr" in each.curves for each in compared)
    return "dgr" if choice.difference and (there or own) else "gr"


def _fitted(shown: Shown) -> tuple[Reference, ...]:
    """Return G of the structure that the daemon fitted to the window, where it did."""
    curves = () if shown.result is None else shown.result.curves
    return tuple(
        Reference(name="fitted structure", curves={"gr": (c.x, c.y, None)}, scaled=False)
        for c in curves
        if c.kind == _FITTED and np.isfinite(c.y).any()
    )


def _leap(history: History | None) -> int:
    return max(10, (len(history) if history is not None else 0) // 50)


def _run(state: State) -> str:
    return state.history.run if state.history is not None else ""


def _length(state: State) -> int:
    return len(state.history) if state.history is not None else 0
