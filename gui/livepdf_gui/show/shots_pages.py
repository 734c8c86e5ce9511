"""Which pages there are beside the overview, and what is wanted of each."""

from dataclasses import dataclass, replace

from livepdf_gui.show.laser_choice import Space
from livepdf_gui.show.laser_page import LaserPage, LaserView
from livepdf_gui.show.shots_breakdown import BreakdownChoice, BreakdownView, axis_of, breakdown_view
from livepdf_gui.show.shots_serial import SerialView, serial_view
from livepdf_gui.show.state import State

OVERVIEW = "overview"
_TABS = (("laser", "Laser on / off"), ("serial", "Hits and sizes"), ("breakdown", "Breakdown"))
_MOVES = {"older": -1, "newer": 1, "much older": -5, "much newer": 5, "first": -9999, "last": 9999}
_ELSEWHERE = ("scope", "curve", "rings", "sectors", "levels", "pin", "unpin", "map", "axis",
              "difference", "live", *_MOVES)  # fmt: skip
"""Keys that change only what the overview shows: they do nothing while another page is seen."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Tab:
    """A page that may be turned to."""

    name: str
    words: str
    hint: str


class ShotsPages:
    """Holds which page is seen and what is wanted of it."""

    def __init__(self) -> None:
        self.page = OVERVIEW
        self.asked = False
        """Whether the pages were asked for although no report is here."""
        self.laser = LaserPage()
        self.breakdown = BreakdownChoice()
        self._serial: SerialView | None = None
        self._breakdown: BreakdownView | None = None
        self._of: dict[str, tuple[object, ...]] = {}

    def tabs(self, state: State) -> tuple[Tab, ...]:
        """Return the pages that are offered; none for a run that is neither."""
        here = state.laser, state.serial, state.breakdown
        found = [
            Tab(name=name, words=words + _whose(report.run, state), hint=f"run {report.run}")
            for (name, words), report in zip(_TABS, here, strict=True)
            if report is not None
        ]
        if not found and self.asked:
            found = [Tab(name=name, words=words, hint="") for name, words in _TABS]
        if not found:
            return ()
        return (Tab(name=OVERVIEW, words="Overview", hint="All windows of the run."), *found)

    def act(self, name: str, state: State) -> bool:
        """Carry out a key; tell whether it is done with."""
        if name == "shots":
            self._turn(state)
            return True
        if self.page == OVERVIEW:
            return False
        if self.page == "laser" and self.laser.act(name):
            return True
        if self.page == "breakdown" and self._break(name, state):
            return True
        return name in _ELSEWHERE

    def turn_to(self, name: str) -> None:
        """See that page."""
        self.page = name

    def laser_view(self, state: State) -> LaserView:
        """Return what the page of the laser draws."""
        rate = state.status.rate if state.status is not None else 0.0
        return self.laser.view(state.laser, rate=rate)

    def serial_view(self, state: State) -> SerialView:
        """Return what the page of hits draws; the very same while nothing changed."""
        key = (state.serial,)
        if self._serial is None or self._of.get("serial") != key:
            self._of["serial"] = key
            self._serial = serial_view(state.serial, before=self._serial)
        return self._serial

    def breakdown_view(self, state: State) -> BreakdownView:
        """Return what the page of destroyed samples draws; the very same while nothing changed."""
        report = state.breakdown
        before = self._breakdown
        if report is not None and before is not None and report.run != before.run:
            self.breakdown = replace(self.breakdown, bin=None)
        key = (report, self.breakdown)
        if before is None or self._of.get("breakdown") != key:
            self._of["breakdown"] = key
            before = self._breakdown = breakdown_view(report, self.breakdown, before=before)
        return before

    def choose_samples(self, state: State, place: float) -> None:
        """Show the samples of the bin at a place of the axis."""
        report = state.breakdown
        if report is not None:
            placed = axis_of(report).place(report.x_edges)
            self.breakdown = replace(self.breakdown, bin=int((placed[1:-1] <= place).sum()))

    def _turn(self, state: State) -> None:
        """See the next page."""
        self.asked = True
        names = [tab.name for tab in self.tabs(state)]
        place = names.index(self.page) if self.page in names else 0
        self.page = names[(place + 1) % len(names)]
        if self.page == OVERVIEW:
            self.asked = False

    def _break(self, name: str, state: State) -> bool:
        view, choice = self.breakdown_view(state), self.breakdown
        if not view.bins:
            return False
        match name:
            case move if move in _MOVES:
                number = min(max(view.bin + _MOVES[move], 0), view.bins - 1)
                self.breakdown = replace(choice, bin=number)
            case "live":
                self.breakdown = replace(choice, bin=None)
            case "map":
                other: Space = "gr" if choice.space == "iq" else "iq"
                self.breakdown = replace(choice, space=other)
            case "difference":
                self.breakdown = replace(choice, sure=not choice.sure)
            case _:
                return False
        return True


def _whose(run: str, state: State) -> str:
    """Say it when a report is of another run than the one that is measured."""
    now = state.status.run if state.status is not None else ""
    return f" (of run {run})" if now and run != now else ""
