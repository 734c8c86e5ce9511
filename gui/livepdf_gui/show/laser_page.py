"""All panels of shots with and without a laser, as they are at one moment."""

from dataclasses import dataclass, replace

from livepdf.model.laser import LaserReport
from livepdf_gui.show.headline import Item
from livepdf_gui.show.laser_choice import (
    LaserChoice,
    nearest,
    next_axis,
    other_space,
    shown_bin,
    stepped,
)
from livepdf_gui.show.laser_difference import delay_words, on_off
from livepdf_gui.show.laser_growth import growth
from livepdf_gui.show.laser_map import courses, delay_map, delays_of
from livepdf_gui.show.laser_words import class_items, lamps, why_no_shots
from livepdf_gui.show.shots_chart import Board
from livepdf_gui.show.shots_map import ShotsMap

NO_LASER = (
    "This run is not known to have a laser.\nPut a table [pump_probe] into the recipe, with the "
    "name of the laser's flag, I0, and the parts of the delay, each with unit, sign and "
    "reference; the guide “Lasers and single shots” has one to copy."
)


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class LaserView:
    """What the laser's page draws."""

    notice: str
    """Said in place of all panels; empty where there is a difference to show."""
    run: str
    counts: tuple[Item, ...]
    lamps: tuple[Item, ...]
    bins: int
    bin: int
    delay: str
    iq: Board | None = None
    gr: Board | None = None
    map: ShotsMap | None = None
    courses: Board | None = None
    growth: Board | None = None


class LaserPage:
    """Holds what is wanted of the laser's page, and what was drawn last."""

    def __init__(self) -> None:
        self.choice = LaserChoice()
        self._view: LaserView | None = None
        self._of: tuple[object, ...] = ()
        self._run = ""

    def view(self, report: LaserReport | None, *, rate: float) -> LaserView:
        """Return what to draw; the very same object while nothing changed.

        Parameters
        ----------
        rate
            Shots per second that come now.
        """
        key = (report, self.choice, f"{rate:.1g}")
        if self._view is None or key != self._of:
            self._of = key
            self._view = self._made(report, rate)
        return self._view

    def act(self, name: str) -> bool:
        """Carry out a key; tell whether it is one of this page."""
        view, choice = self._view, self.choice
        if view is None or not view.bins:
            return name in _KEYS
        by = {"older": -1, "newer": 1, "first": -view.bins, "last": view.bins}
        by |= {"much older": -5, "much newer": 5}
        match name:
            case move if move in by:
                self.choice = stepped(choice, by[move], shown=view.bin, bins=view.bins)
            case "live":
                self.choice = replace(choice, bin=None)
            case "axis":
                self.choice = next_axis(choice)
            case "map":
                self.choice = other_space(choice)
            case "difference":
                self.choice = replace(choice, sure=not choice.sure)
            case _:
                return False
        return True

    def choose(self, number: int) -> None:
        """Show that bin."""
        self.choice = replace(self.choice, bin=number)

    def choose_place(self, report: LaserReport, place: float) -> None:
        """Show the bin at a place of the delay axis."""
        self.choice = nearest(self.choice, delays_of(report, self.choice), place)

    def _made(self, report: LaserReport | None, rate: float) -> LaserView:
        if report is None:
            return LaserView(notice=NO_LASER, run="", counts=(), lamps=(), bins=0, bin=0, delay="")
        if report.run != self._run:
            self._run, self._view = report.run, None
            self.choice = replace(self.choice, bin=None)
        before = self._view
        number = shown_bin(self.choice, report, before=before.bin if before else None)
        base = LaserView(
            notice=why_no_shots(report.counts),
            run=report.run,
            counts=class_items(report.counts),
            lamps=lamps(report),
            bins=len(report.tests),
            bin=number,
            delay=delay_words(report, number),
        )
        return base if base.notice else self._filled(base, report, rate, before)

    def _filled(
        self, base: LaserView, report: LaserReport, rate: float, before: LaserView | None
    ) -> LaserView:
        old = before or base
        number, chosen = base.bin, self.choice.bin is not None
        share = report.tests[number].shots / max(report.counts.received, 1)
        return replace(
            base,
            iq=on_off(report, "iq", number, chosen=chosen, before=old.iq),
            gr=on_off(report, "gr", number, chosen=chosen, before=old.gr),
            map=delay_map(report, self.choice, number, before=old.map),
            courses=courses(report, self.choice, before=old.courses),
            growth=growth(report, number, per_second=rate * share, before=old.growth),
        )


_KEYS = (
    "older", "newer", "first", "last", "much older", "much newer",
    "live", "axis", "map", "difference",
)  # fmt: skip
