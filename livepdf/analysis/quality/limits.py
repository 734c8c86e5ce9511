"""From where on a measured number raises its flag."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """One limit for each flag; those of the beam are undercut, all others exceeded."""

    beam_lost: float = 0.1
    """Of the usual counts or monitor."""
    beam_low: float = 0.7
    """The same."""
    monitor_jump: float = 0.1
    """Relative change of the monitor."""
    bubble: float = 0.1
    """Share of the sample that is gone."""
    capillary_shift: float = 0.05
    """Relative change of the pattern's shape, or of the cell's share in it."""
    background_drift: float = 0.25
    """Intensity of a background that has come or gone, over that of the run's first frames."""
    saturation: float = 1e-4
    """Share of the pixels."""
    dead_modules: float = 0.01
    """Share of the pixels."""
    spotty_rings: float = 1.5
    """χ²/dof around the worst rings, over that of the run's first looks."""
    texture: float = 8.0
    """cos 2χ amplitude over its σ, in the worst ring."""
    zingers: float = 3.0
    """Bins of I(Q) that stand alone."""
    memory: int = 10
    """Frames that make up what is usual."""

    def of(self, flag: str) -> float:
        """Return the limit of a flag by its name."""
        return float(getattr(self, flag.replace(" ", "_")))


UNITS = {
    "beam lost": "of the usual",
    "beam low": "of the usual",
    "monitor jump": "relative",
    "bubble": "of the sample gone",
    "capillary shift": "relative",
    "background drift": "of the intensity",
    "saturation": "of the pixels",
    "dead modules": "of the pixels",
    "spotty rings": "× usual χ²/dof",
    "texture": "σ",
    "zingers": "bins",
}
"""What each number is, by flag."""
BELOW = ("beam lost", "beam low")
"""Flags that are raised when the number falls below the limit."""
SAMPLED = ("spotty rings", "texture")
"""Flags whose numbers come only from the frames whose image is looked at."""
EVEN = ("dead modules", "saturation")
"""Flags whose numbers such a look makes better."""
