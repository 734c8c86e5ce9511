"""Which result the user sees: what is wanted and what is there, resolved into one thing."""

from dataclasses import dataclass, replace

import numpy as np

from livepdf.model.curve import Result, Span
from livepdf_gui.show.choice import Choice
from livepdf_gui.show.columns import History
from livepdf_gui.show.state import State
from livepdf_gui.show.words import clock, count, plural


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Shown:
    """The result on the screen; where it is not whole, a bare row of the history."""

    span: Span | None
    result: Result | None
    """None while only the history row is here."""
    row: int | None
    """Row of the history to draw without σ until the window arrives."""
    fetch: int | None
    """Window to ask the daemon for."""
    empty: str
    """What to tell the user when there is nothing to draw."""
    together: tuple[int, int] | None = None
    """First and last window where several are shown as one."""


def resolve(state: State, choice: Choice) -> Shown:
    """Decide which frame set all panels show."""
    if choice.span is not None:
        return _together(state, choice.span)
    if choice.selected is None and choice.scope == "frame":
        if state.frame is not None and state.history is not None:
            return _whole(state.frame)
        return _nothing("The curve of the newest frame alone is on its way.")
    if choice.selected is None and choice.scope == "run":
        if state.whole is not None:
            return _whole(state.whole)
        ends = all_windows(state)
        if ends is not None:
            return _together(state, ends)
        return _nothing("The curve of the whole run comes with the next window.")
    number = choice.selected
    history = state.history
    if number is None:
        latest = state.latest
        if latest is not None and (history is None or _newest(latest.span, history)):
            return _whole(latest)
        number = None if history is None or not len(history) else len(history) - 1
    if history is None or number is None or number >= len(history):
        return _nothing(waiting(state))
    span = history.span(number)
    if span is None:
        return _nothing(f"Window {number} is not here yet.")
    for result in (state.fetched, state.latest):
        if result and same_window(result.span, span):
            return _whole(result)
    return Shown(span=span, result=None, row=number, fetch=number, empty="")


def all_windows(state: State) -> tuple[int, int] | None:
    """Return the ends of a run that is over, whose curve does not come by itself any more."""
    history = state.history
    over = state.status is not None and state.status.state not in ("running", "draining")
    if state.whole is not None or not over or history is None or not history.here.any():
        return None
    known = np.flatnonzero(history.here)
    return int(known[0]), int(known[-1])


def same_window(span: Span, wanted: Span | None) -> bool:
    """Whether a result is of that window and by its revision, or a newer one."""
    return (
        wanted is not None
        and (span.run, span.number) == (wanted.run, wanted.number)
        and span.revision >= wanted.revision
    )


def waiting(state: State) -> str:
    """Say what has to happen before there is something to see."""
    if not state.connected and not state.met:
        return (
            f"Waiting for a livepdf daemon at {state.endpoint}.\n"
            "Start one with:  livepdf run PROFILE --recipe RECIPE"
        )
    if not state.connected:
        return f"{state.connection}.\nThis window connects again by itself."
    source = state.status.source if state.status and state.status.source else "the detector"
    return f"Waiting for the first frame from {source}."


def no_image(state: State) -> str:
    """Say why there is no image of the detector yet; frames may have come before this window."""
    if state.connected and state.status is not None and state.status.counters.received:
        return "The newest image is on its way from the daemon."
    return waiting(state)


def over(span: Span | None) -> str:
    """Say what a result accumulates over."""
    if span is None:
        return ""
    frames = plural(span.frames, "frame")
    if span.scope == "run":
        return f"accumulates over: whole run, {frames}"
    if span.scope == "frame":
        return f"accumulates over: one frame, no. {count(span.first)}"
    lost = span.last - span.first + 1 - span.frames
    gaps = f", {lost} missing" if lost > 0 else ""
    return (
        f"accumulates over: window of {frames}{gaps} "
        f"(no. {span.number}: {span.first}–{span.last}, {clock(span.end)})"
    )


def _together(state: State, span: tuple[int, int]) -> Shown:
    wanted = None if state.history is None else (state.history.run, *span)
    of = None if state.together_of is None else state.together_of[:3]
    if state.together is not None and of is not None and of == wanted:
        return replace(_whole(state.together), together=span)
    return _nothing(f"Windows {span[0]} to {span[1]} are being added up.")


def _newest(span: Span, history: History) -> bool:
    """Whether a window is the last of the history, by its revision."""
    if span.run != history.run or span.number < len(history) - 1:
        return False
    return span.number >= len(history) or same_window(span, history.span(span.number) or span)


def _whole(result: Result) -> Shown:
    return Shown(span=result.span, result=result, row=None, fetch=None, empty="")


def _nothing(why: str) -> Shown:
    return Shown(span=None, result=None, row=None, fetch=None, empty=why)
