"""How much of something was done, where not all of it was: shown as "n of m", never silently."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Fraction:
    """What was done with only a part of the shots, or with all."""

    what: str
    """In words, e.g. ``searched for peaks``."""
    done: int
    of: int
    why: str = ""
    """Why not all: the recipe's share, or the machine is too slow; empty where all were."""

    @property
    def words(self) -> str:
        """The line on the screen, e.g. ``312 of 3520 searched for peaks: one shot in 10``."""
        tail = f": {self.why}" if self.why else ""
        return f"{self.done} of {self.of} {self.what}{tail}"
