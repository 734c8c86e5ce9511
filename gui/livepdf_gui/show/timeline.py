"""Where things are along the windows: events, and what the ticks tell."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from livepdf.model.status import Event
from livepdf_gui.show.choice import Choice
from livepdf_gui.show.columns import History
from livepdf_gui.show.state import State
from livepdf_gui.show.timescale import Scale, TimeScale, ValueScale, time_scale
from livepdf_gui.show.trends import slow_unit


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class EventLine:
    """An event as a line on the time axes."""

    place: float
    text: str


def scale_of(history: History | None) -> TimeScale:
    """Return where each window lies in time."""
    nothing = np.zeros(0)
    if history is None:
        return time_scale(nothing, nothing)
    return time_scale(history.start, history.end)


def axis_of(history: History | None, choice: Choice, scale: TimeScale) -> Scale:
    """Return what the user wants to count along the windows."""
    if history is None or choice.axis == "time":
        return scale
    if choice.axis == "window":
        values = np.arange(len(history), dtype=np.float64)
        return ValueScale(label="window", values=values, rising=True)
    if choice.axis == "frame":
        return ValueScale(label="frame", values=history.spans[2], rising=True)
    name = choice.overlay or next(iter(history.environment), "")
    if name not in history.environment:
        return scale
    unit = slow_unit(name)
    label = f"{name} ({unit})" if unit else name
    return ValueScale(label=label, values=history.environment[name], rising=False)


def event_lines(state: State, scale: TimeScale) -> tuple[EventLine, ...]:
    """Return the events of the run that is shown."""
    run = state.history.run if state.history is not None else ""
    if not run or scale.places.size < 2:
        return ()
    assert state.history is not None
    known = np.flatnonzero(state.history.here)
    # once for all events: of a long run this is most of the work
    firsts = state.history.spans[2, known]
    return tuple(
        EventLine(
            place=_event_place(state.history, scale, e, known=known, firsts=firsts),
            text=_event_words(e),
        )
        for e in state.events
        if e.run in ("", run)
    )


def _event_words(event: Event) -> str:
    if event.kind in ("mark", "finding") or event.text.startswith(event.kind):
        return event.text
    begins = event.text.partition(":")[0]
    if begins and event.kind.endswith(begins):
        return event.kind + event.text[len(begins) :]
    return f"{event.kind}: {event.text}" if event.text else event.kind


def _event_place(
    history: History,
    scale: TimeScale,
    event: Event,
    *,
    known: NDArray[np.intp],
    firsts: NDArray[np.float64],
) -> float:
    """Return where an event is among the windows: by its frame, as clocks may differ."""
    if event.kind == "run start":
        return 0.0
    if event.frame < 0:
        return max(float(scale.place(np.array([event.time]))[0]), 0.0)
    before = int(np.searchsorted(firsts, event.frame, side="right")) - 1
    if before < 0:
        return 0.0
    number = int(known[before])
    first, last = history.spans[2, number], history.spans[3, number]
    return number + float(min((event.frame - first + 1) / (last - first + 1), 1.0))
