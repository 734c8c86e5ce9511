"""Whether a frame can be trusted: measured numbers, each with its limit."""

from dataclasses import dataclass

FLAGS = (
    "beam lost",
    "beam low",
    "monitor jump",
    "bubble",
    "capillary shift",
    "background drift",
    "saturation",
    "dead modules",
    "spotty rings",
    "texture",
    "zingers",
)
"""Names of all flags, in the order in which they are shown."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Lamp:
    """One flag as it stands now: what was measured last, and what is allowed."""

    name: str
    """One of `FLAGS`."""
    value: float
    """Newest measured number; NaN where there is none."""
    limit: float
    """From here on (for the beam: below it) the flag is raised; NaN where it is not watched."""
    unit: str
    """What the number is, e.g. ``of the usual`` or ``χ²/dof``."""
    raised: bool
    sampled: bool
    """Whether only some of the frames are looked at, because it costs too much."""
    frames: int = 0
    """Frames of this run that were flagged."""
    reason: str = ""
    """Why there is no number."""


FLAWS = frozenset(
    (
        "beam lost",
        "beam low",
        "monitor jump",
        "bubble",
        "capillary shift",
        "saturation",
        "dead modules",
        "zingers",
    )
)
"""Flags with which a window says nothing about the sample. Spots, texture and a background that
drifts may be what the sample does."""
