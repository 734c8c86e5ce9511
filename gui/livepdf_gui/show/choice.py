"""What the user wants to see, and how that changes."""

from dataclasses import dataclass, replace
from typing import Literal

import numpy as np

from livepdf_gui.show.columns import History

MapKind = Literal["gr", "dgr", "iq", "fq"]
CurveScope = Literal["window", "run", "frame"]
QKind = Literal["iq", "sq", "fq"]
Axis = Literal["time", "window", "frame", "slow"]
ThemeName = Literal["light", "dark", "contrast"]
THEME_NAMES: tuple[ThemeName, ...] = ("light", "dark", "contrast")
_MAPS: tuple[MapKind, ...] = ("gr", "dgr", "iq", "fq")
_SCOPES: tuple[CurveScope, ...] = ("window", "run", "frame")
_Q_KINDS: tuple[QKind, ...] = ("iq", "sq", "fq")
_AXES: tuple[Axis, ...] = ("time", "window", "frame", "slow")


@dataclass(frozen=True, slots=True, kw_only=True)
class Choice:
    """The wishes of the user; the state of the daemon has no part in it."""

    selected: int | None = None
    """Number of the window that all panels show; None follows the newest."""
    span: tuple[int, int] | None = None
    """First and last of the windows that are shown as one; None shows them one by one."""
    scope: CurveScope = "window"
    q_kind: QKind = "iq"
    """What the panel over Q shows."""
    map_kind: MapKind = "gr"
    axis: Axis = "time"
    """What the axis of the maps and trends counts; windows lie side by side all the same."""
    difference: bool = False
    """Whether ΔG is shown in place of G, where windows are compared with one."""
    trends: tuple[str, ...] | None = None
    """Names to show; None leaves it to us."""
    overlay: str | None = None
    """Slow value on the right axis; None takes the first one there is, empty shows none."""
    paused: bool = False
    theme: ThemeName = "light"


def next_scope(choice: Choice) -> Choice:
    """Show the newest window, the run so far, the newest frame."""
    place = (_SCOPES.index(choice.scope) + 1) % len(_SCOPES)
    return replace(choice, scope=_SCOPES[place], selected=None, span=None)


def next_map(choice: Choice, by: int = 1) -> Choice:
    """Show the next kind of map."""
    place = (_MAPS.index(choice.map_kind) + by) % len(_MAPS)
    return replace(choice, map_kind=_MAPS[place])


def next_q_kind(choice: Choice) -> Choice:
    """Show the next of I(Q), S(Q), F(Q)."""
    return replace(choice, q_kind=_Q_KINDS[(_Q_KINDS.index(choice.q_kind) + 1) % len(_Q_KINDS)])


def next_axis(choice: Choice) -> Choice:
    """Count the next of time, windows, frames, a slow value along the maps."""
    return replace(choice, axis=_AXES[(_AXES.index(choice.axis) + 1) % len(_AXES)])


def next_theme(choice: Choice) -> Choice:
    """Take the next colours."""
    place = (THEME_NAMES.index(choice.theme) + 1) % len(THEME_NAMES)
    return replace(choice, theme=THEME_NAMES[place])


def select(choice: Choice, number: int, history: History | None) -> Choice:
    """Show the window nearest to that number that is really here."""
    if history is None or not history.here.any():
        return choice
    here = np.flatnonzero(history.here)
    nearest = int(here[abs(here - number).argmin()])
    return replace(choice, selected=nearest, span=None, scope="window")


def select_span(choice: Choice, first: int, last: int, history: History | None) -> Choice:
    """Show all windows from one to another as one."""
    if history is None or not history.here.any():
        return choice
    here = np.flatnonzero(history.here)
    low, high = sorted((first, last))
    low, high = max(low, int(here[0])), min(high, int(here[-1]))
    if low >= high:
        return select(choice, low, history)
    return replace(choice, selected=None, span=(low, high), scope="window")


def step(choice: Choice, by: int, history: History | None) -> Choice:
    """Go to an older or newer window; past the newest one is live."""
    if history is None or not history.here.any():
        return choice
    here = np.flatnonzero(history.here)
    from_here = choice.selected if choice.span is None else choice.span[1]
    target = by + (int(here[-1]) if from_here is None else from_here)
    if target > here[-1]:
        return live(choice)
    if by < 0:
        older = here[here <= target]
        return select(choice, int(older[-1]) if len(older) else int(here[0]), history)
    return select(choice, int(here[here >= target][0]), history)


def live(choice: Choice) -> Choice:
    """Follow the newest window again."""
    scope: CurveScope = "window" if choice.scope == "frame" else choice.scope
    return replace(choice, selected=None, span=None, scope=scope, paused=False)


def toggle_trend(choice: Choice, name: str, shown: tuple[str, ...]) -> Choice:
    """Add a trend to those shown, or take it away."""
    kept = tuple(n for n in shown if n != name)
    return replace(choice, trends=kept if name in shown else (*shown, name))
