"""What an analysis takes, needs, gives and costs: said beside the code that does it."""

from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass
from typing import ClassVar, Literal, Protocol

import numpy as np
from numpy.typing import NDArray

from livepdf.analysis.estimator.estimate import Left
from livepdf.model.curve import Trend

Floats = NDArray[np.float64]
Timed = Callable[[str], AbstractContextManager[None]]
"""Measures what is done inside, under the name of an analysis."""

FQ = "F(Q) of the window"
STRUCTURE_FOUND = "what the structure fit found"
ALL_WINDOWS = "all windows so far"

MEASURED_ON = "one core of an AMD EPYC, one structure, 2000 points of F(Q)"
"""Where the costs come from: m-HfO2 of 40 Å to 20 Å⁻¹ at 1e7 photons, median of 12 windows;
``python -m tests.benchmarks.analyses`` measures them anew."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Need:
    """Something that people have to give."""

    what: str
    """For people: "a structure"."""
    key: str
    """What gives it, e.g. ``analysis.structures``."""
    place: Literal["recipe", "profile", "run"] = "recipe"
    """The file that has the key; "run": a slow value or a mark that comes with the frames."""
    table: bool = False
    """Whether that is a table which may come several times."""
    usual: bool = False
    """Whether it is there where nobody says otherwise."""


STRUCTURE = Need(what="a structure", key="analysis.structures")
QDAMP = Need(what="the Q resolution, from a standard", key="resolution.qdamp", place="profile")
TEMPERATURE = Need(what="the sample's temperature", key="analysis.temperature", place="run")
HEATER = Need(what="the mark that the heater goes on", key="analysis.heater", place="run")


@dataclass(frozen=True, slots=True, kw_only=True)
class More:
    """Values that an analysis only gives where something more is known."""

    gives: str
    need: Need


@dataclass(frozen=True, slots=True, kw_only=True)
class Declared:
    """What people are told about an analysis before it runs."""

    name: str
    gives: tuple[str, ...]
    takes: tuple[str, ...]
    needs: tuple[Need, ...]
    """Without one of these it is not done, or says in every window why it has no number."""
    more: tuple[More, ...] = ()
    cost: float
    """ms of CPU time for a window, its order, as measured on `MEASURED_ON`."""
    each: str = ""
    """Key of the list whose every entry costs as much; empty where it costs that once."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Measured:
    """One window, and what was found in it so far."""

    fq: Floats
    """(n_q,) Å⁻¹, without taper."""
    sigma: Floats
    """(n_q,) Å⁻¹"""
    trends: tuple[Trend, ...] = ()
    size: Trend | None = None
    """By the fit; None without a structure."""
    crystal_fq: Floats | None = None
    """(n_q,) Å⁻¹, what the fitted crystals make; None without a structure."""
    model_fq: Floats | None = None
    """(n_q,) Å⁻¹, what the data are compared with; None without anything to fit."""
    left: Left | None = None
    """What the fit of the structure leaves; None where nothing was fitted."""


class Part(Protocol):
    """One analysis of a window, made ready for a plan."""

    declared: ClassVar[Declared]

    def follow(self, found: Measured) -> Measured:
        """Return what was found so far with what this finds.

        Always the same names in the same order, whatever the data.
        """


def untimed(_name: str) -> AbstractContextManager[None]:
    """Measure nothing."""
    return nullcontext()


def trend(name: str, unit: str, value: float, sigma: float, reason: str) -> Trend:
    """Return a value with σ, or the reason alone."""
    nan = float("nan")
    shown = (nan, nan) if reason else (float(value), float(sigma))
    return Trend(name=name, unit=unit, value=shown[0], sigma=shown[1], reason=reason)
