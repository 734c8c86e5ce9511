"""Frames that are added up aside: a background, a reference."""

import threading
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from itertools import count
from pathlib import Path

from livepdf.model.curve import Curve
from livepdf.model.sums import Sums, intensity
from livepdf.reduction.plan import Plan
from livepdf.sinks.columns import write_curve


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Taken:
    """What was recorded."""

    what: str
    run: str
    sums: Sums


class Capture:
    """Adds up the frames that are used between its start and its end; any thread may ask."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._what = ""
        self._run = ""
        self._sums: Sums | None = None

    @property
    def what(self) -> str:
        """What is being recorded; empty for nothing."""
        return self._what

    def begin(self, what: str) -> None:
        """Record from the next frame on; what was recorded and not ended is forgotten."""
        with self._lock:
            self._what, self._run, self._sums = what, "", None

    def take(self, run: str, sums: Sums) -> None:
        """See a frame that is used; frames of another run begin anew."""
        if not self._what:
            return
        with self._lock:
            fresh = self._sums is None or run != self._run
            self._run, self._sums = run, sums if fresh else add_up([self._sums, sums])

    def end(self) -> Taken | None:
        """Stop recording; None when no frame came."""
        with self._lock:
            what, sums, self._what, self._sums = self._what, self._sums, "", None
            return None if sums is None else Taken(what=what, run=self._run, sums=sums)


def begins(what: str) -> str:
    """Return the mark that says that a recording begins."""
    return f"capture of {what} begins"


def add_up(parts: Iterable[Sums | None]) -> Sums:
    """Return the sum of one or more; ValueError for none."""
    there = [part for part in parts if part is not None]
    if not there:
        raise ValueError("nothing to add up")
    total = there[0]
    for part in there[1:]:
        total = total + part
    return total


def save_capture(
    taken: Taken, plan: Plan, *, folder: Path, extras: Mapping[str, object]
) -> tuple[Path, Curve]:
    """Write I(Q) with its σ beside the results under a name that is free.

    Raises
    ------
    FileError
        When the disk refuses.
    """
    value, sigma = intensity(taken.sums)
    curve = Curve(kind="iq", x=plan.q, y=value, sigma=sigma)
    names = (f"{taken.run}-{taken.what}-{number}.iq" for number in count(1))
    path = next(folder / name for name in names if not (folder / name).exists())
    header = {"dataformat": "QA"}
    write_curve(path, curve, header=header, extras={"frames": taken.sums.frames, **extras})
    return path, curve
