"""What is drawn over the time of a run: the map, the trends, events and the axis."""

from collections import defaultdict
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from livepdf_gui.show.choice import Choice
from livepdf_gui.show.heatmap import MapBuffer, MapView
from livepdf_gui.show.joined import JoinedTrend, sharing
from livepdf_gui.show.ranges import growing
from livepdf_gui.show.reference import Reference
from livepdf_gui.show.shown import waiting
from livepdf_gui.show.state import State
from livepdf_gui.show.timeline import EventLine, axis_of, event_lines, scale_of
from livepdf_gui.show.timescale import Scale, TimeScale
from livepdf_gui.show.trends import TrendsView, trends_view

_OFTEN = 1.0
"""s between two looks at a long run, of which many windows share what is one point on a screen."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Moment:
    """All of it as it was at one moment; the same object while nothing of it moved."""

    map: MapView | None
    map_notice: str
    """Why there is no map."""
    trends: TrendsView
    scale: TimeScale
    axis: Scale
    """What the ticks of the time axes tell."""
    places: tuple[float, float]
    """Range of the time axes, in windows."""
    events: tuple[EventLine, ...]


class OverTime:
    """Keeps what was drawn last, so that only what changed is made anew."""

    def __init__(self) -> None:
        self._maps = {kind: MapBuffer(kind) for kind in ("gr", "dgr", "iq", "fq")}
        self._points: tuple[str, defaultdict[str, JoinedTrend]] = ("", defaultdict(JoinedTrend))
        self._moment: Moment | None = None
        self._key: tuple[object, ...] = ()
        self._made = -np.inf

    def forget(self) -> None:
        """Have all of it made anew."""
        self._key = ()

    def moment(
        self, state: State, choice: Choice, compared: tuple[Reference, ...], *, now: float
    ) -> Moment:
        """Resolve it; ``now`` is monotonic seconds."""
        history, before = state.history, self._moment
        run = "" if history is None else history.run
        key = (
            *(run, choice, len(state.events), id(state.detail)),
            *(id(reference) for reference in compared),
        )
        long = history is not None and sharing(len(history)) > 1
        if before is not None and long and key == self._key and now - self._made < _OFTEN:
            return before
        self._key, self._made = key, now
        scale = scale_of(history)
        shown = self._map(state, choice, compared)
        self._moment = Moment(
            map=shown,
            map_notice="" if shown is not None else _why_no_map(state, choice),
            trends=trends_view(
                history,
                choice,
                before=before.trends if before else None,
                points=self._points_of(run),
            ),
            scale=scale,
            axis=axis_of(history, choice, scale),
            places=_places(state, before),
            events=event_lines(state, scale),
        )
        return self._moment

    def _map(self, state: State, choice: Choice, compared: tuple[Reference, ...]) -> MapView | None:
        return self._maps[choice.map_kind].view(
            state.history, reference=_reference_gr(state, compared), detail=state.detail
        )

    def _points_of(self, run: str) -> defaultdict[str, JoinedTrend]:
        """Return what is joined of the trends of that run."""
        if run != self._points[0]:
            self._points = (run, defaultdict(JoinedTrend))
        return self._points[1]


def _why_no_map(state: State, choice: Choice) -> str:
    here = state.history is not None and state.history.here.any()
    if here and choice.map_kind == "dgr":
        return "Nothing to compare with yet: press P to pin the window that is shown."
    if here:
        return "No window has this curve."
    return waiting(state)


def _places(state: State, before: Moment | None) -> tuple[float, float]:
    windows = 0 if state.history is None else len(state.history)
    old = before.places[1] if before is not None and before.places[1] <= 4 * windows else None
    return 0.0, growing(old, float(windows))


def _reference_gr(
    state: State, compared: tuple[Reference, ...]
) -> tuple[NDArray[np.floating], NDArray[np.floating]] | None:
    """Return G of what windows are compared with: a pinned window, a file, the daemon's own."""
    for scaled in (False, True):
        for each in reversed(compared):
            if each.scaled == scaled and "gr" in each.curves:
                return each.curves["gr"][:2]
    if state.latest is None:
        return None
    curves = {curve.kind: curve for curve in state.latest.curves}
    if "dgr" not in curves or "gr" not in curves:
        return None
    return curves["gr"].x, curves["gr"].y - curves["dgr"].y
