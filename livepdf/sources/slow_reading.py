"""One reading of a slow value, and what every feed of them can do."""

from dataclasses import dataclass
from typing import Protocol

from livepdf.config.slow import SlowValue


@dataclass(frozen=True, slots=True, kw_only=True)
class Reading:
    """A value at one moment, or of one frame."""

    name: str
    value: float
    received: float
    """Unix seconds by our clock."""
    time: float | None = None
    """Unix seconds by the feed's clock; None where it is ours."""
    frame: int | None = None
    """Number of the frame that it belongs to, where the feed counts them."""
    live: bool = True
    """Whether it came as it was taken, so that its time of receipt tells about the clock."""


class SlowSource(Protocol):
    """A place that readings come from."""

    description: str
    """Kind and address for people."""

    def open(self) -> None:
        """Connect; never blocks long. Raises SourceError where that cannot work."""

    def poll(self, timeout: float) -> list[Reading]:
        """Return what has come, waiting at most ``timeout`` s."""

    def state(self) -> str:
        """Say how it stands: ``connected``, ``waiting: …`` or ``lost: …``."""

    def close(self) -> None:
        """Let go of everything; may be called twice."""


def taken(value: SlowValue, number: float) -> float:
    """Return a number in our unit."""
    return number * value.scale + value.add
