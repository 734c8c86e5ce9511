"""What will be followed by a recipe, what is not, and how to give what is missing."""

from collections.abc import Sequence
from dataclasses import dataclass

from livepdf.analysis.breakdown import CHANGES
from livepdf.analysis.components import MODELS
from livepdf.analysis.crosschecks.checks import BY_BREADTHS, BY_ENVELOPE
from livepdf.analysis.declared import Declared, More, Need
from livepdf.analysis.followed_peaks import PEAKS
from livepdf.analysis.growth import LAWS
from livepdf.analysis.lasting import LASTING
from livepdf.analysis.novelty import NEWS
from livepdf.analysis.onset import SEARCH
from livepdf.analysis.structure_fit import AMPLITUDE, STRUCTURE_FIT
from livepdf.config.profile import Profile
from livepdf.config.recipe import Recipe

DECLARED = (
    *(PEAKS, STRUCTURE_FIT, BY_ENVELOPE, BY_BREADTHS, MODELS, AMPLITUDE),
    *(SEARCH, NEWS, LASTING, CHANGES, LAWS),
)
"""All analyses of a window in the order in which they are done, then those of the whole run."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Planned:
    """One analysis, and what these settings make of it."""

    declared: Declared
    missing: tuple[Need, ...]
    """Without these there is nothing of it."""
    less: tuple[More, ...]
    """What it will not give, or only gives if the run brings it."""
    cost: float
    """ms of CPU time for a window."""


def planned(recipe: Recipe, profile: Profile | None) -> tuple[Planned, ...]:
    """Return all analyses as these settings have them; without a profile it counts as empty."""
    return tuple(_planned(declared, recipe, profile) for declared in DECLARED)


def _planned(declared: Declared, recipe: Recipe, profile: Profile | None) -> Planned:
    times = _entries(recipe, declared.each) if declared.each else 1
    return Planned(
        declared=declared,
        missing=tuple(need for need in declared.needs if not _given(need, recipe, profile)),
        less=tuple(more for more in declared.more if not _given(more.need, recipe, profile)),
        cost=declared.cost * times,
    )


def _given(need: Need, recipe: Recipe, profile: Profile | None) -> bool:
    if need.place == "run":
        return False
    value = found(need.key, recipe if need.place == "recipe" else profile)
    if value is None:
        return need.usual
    return value is not False and value != []


def _entries(recipe: Recipe, key: str) -> int:
    value = found(key, recipe)
    return len(value) if isinstance(value, Sequence) else 0


def found(key: str, settings: object | None) -> object | None:
    """Return what a dotted key holds; None where a table on the way is left out.

    AttributeError for a key that no such file can have.
    """
    value = settings
    for name in key.split("."):
        if value is None:
            return None
        value = getattr(value, name)
    return value
