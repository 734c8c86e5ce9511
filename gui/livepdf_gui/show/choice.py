"""What the user wants to see, and how that changes."""

from dataclasses import dataclass, replace
from typing import Literal

from livepdf_gui.show.columns import History

MapKind = Literal["gr", "iq"]
CurveScope = Literal["window", "run"]
ThemeName = Literal["light", "dark"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Choice:
    """The wishes of the user; the state of the daemon has no part in it."""

    selected: int | None = None
    """Number of the window that all panels show; None follows the newest."""
    scope: CurveScope = "window"
    map_kind: MapKind = "gr"
    difference: bool = False
    """Whether ΔG is shown in place of G, where windows are compared with one."""
    trends: tuple[str, ...] | None = None
    """Names to show; None leaves it to us."""
    overlay: str | None = None
    """Slow value on the right axis; None takes the first one there is, empty shows none."""
    paused: bool = False
    theme: ThemeName = "light"


def select(choice: Choice, number: int, history: History | None) -> Choice:
    """Show the window nearest to that number that is really here."""
    if history is None or not history.stamps.any():
        return choice
    here = history.stamps.nonzero()[0]
    nearest = int(here[abs(here - number).argmin()])
    return replace(choice, selected=nearest, scope="window")


def step(choice: Choice, by: int, history: History | None) -> Choice:
    """Go to an older or newer window; past the newest one is live."""
    if history is None or not history.stamps.any():
        return choice
    here = history.stamps.nonzero()[0]
    target = by + (int(here[-1]) if choice.selected is None else choice.selected)
    if target > here[-1]:
        return live(choice)
    if by < 0:
        older = here[here <= target]
        return select(choice, int(older[-1]) if len(older) else int(here[0]), history)
    return select(choice, int(here[here >= target][0]), history)


def live(choice: Choice) -> Choice:
    """Follow the newest window again."""
    return replace(choice, selected=None, paused=False)


def toggle_trend(choice: Choice, name: str, shown: tuple[str, ...]) -> Choice:
    """Add a trend to those shown, or take it away."""
    kept = tuple(n for n in shown if n != name)
    return replace(choice, trends=kept if name in shown else (*shown, name))
