"""What the quality of some frames was: flags, worst numbers, which frames."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Marks:
    """What is to be known of the frames of one window before it is trusted."""

    flags: tuple[str, ...] = ()
    """What is wrong with any of them, of `livepdf.model.quality.FLAGS`, in that order."""
    numbers: tuple[tuple[str, float], ...] = ()
    """The worst number measured for each flag that could be."""
    flagged: tuple[tuple[str, int, int], ...] = ()
    """Flag, first and last frame of each stretch of frames that have it."""
    left_out: int = 0
    """Frames that belong here and were left out."""


NO_MARKS = Marks()
