"""A frame with its slow values, and what gives them: feeds, or a recording."""

from dataclasses import dataclass
from typing import Protocol

from livepdf.model.frame import Frame
from livepdf.model.status import FeedStatus


@dataclass(frozen=True, slots=True, kw_only=True)
class Beside:
    """A frame with its slow values."""

    frame: Frame
    reasons: tuple[tuple[str, str], ...]
    """Why a value is NaN, by its name."""
    settled: bool
    """Whether no later reading can change anything."""


class SlowGiver(Protocol):
    """What gives frames their slow values; false where there are none to give."""

    @property
    def wait(self) -> float:
        """Most s that a frame waits."""

    @property
    def names(self) -> tuple[str, ...]:
        """What it gives, ``monitor`` among it where it gives I0."""

    @property
    def readings(self) -> int:
        """A number that changes whenever a join may give something new."""

    def __bool__(self) -> bool: ...

    def open(self) -> None:
        """Begin. SourceError where it cannot work."""

    def see(self, frame: Frame) -> None:
        """Take notice of a frame as it comes from the source."""

    def join(self, frame: Frame) -> Beside:
        """Return the frame with its values; those that are not there are NaN, with a reason."""

    def close_books(self, frame: Frame) -> Beside:
        """Join for the last time, and count what was missing."""

    def status(self) -> tuple[FeedStatus, ...]:
        """Say how each feed is doing."""

    def problems(self) -> tuple[str, ...]:
        """Say what gives nothing now, for people."""

    def close(self) -> None:
        """Let go of everything; may be called twice."""
