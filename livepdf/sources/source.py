"""What every source of frames can do for the intake, and every feed for a recording."""

from collections.abc import Callable
from typing import Protocol

from livepdf.model.frame import FrameRefused, SourceItem
from livepdf.model.raw import RawMessage

Tap = Callable[[RawMessage], None]
"""Listens to the raw messages of a source on the intake's own thread: it must not take long."""


class Source(Protocol):
    """A place that frames come from: a socket, a directory."""

    description: str
    """Kind and address for people, e.g. ``files in /data/run7``."""

    def open(self) -> None:
        """Connect; never blocks long. Raises SourceError where that cannot work."""

    def poll(self, timeout: float) -> list[SourceItem]:
        """Return what has arrived, at once if there is something, else within ``timeout`` s."""

    def state(self) -> str:
        """Say how it stands: ``connected``, ``waiting: …``, ``stalled: …`` or ``lost: …``."""

    def lost(self) -> int:
        """Count the frames of all series that the numbering says existed but never arrived."""

    def close(self) -> None:
        """Let go of everything; may be called twice."""


class Feed(Protocol):
    """Turns the raw messages of one stream into items. It has no socket and no clock.

    A live source and a replayed recording hand their messages to the same feed.
    """

    @property
    def lost(self) -> int:
        """Frames of all series that the numbering says existed but never arrived."""

    @property
    def run_is_open(self) -> bool:
        """Whether a series has begun and is not over."""

    def feed(self, raw: RawMessage) -> list[SourceItem]:
        """Take one message; its time of receipt is now. Never raises for what is in it."""

    def tick(self, *, now: float) -> list[SourceItem]:
        """Give up what has been waited for long enough at ``now`` (Unix s)."""

    def refuse(self, reason: str, detail: str, *, now: float) -> FrameRefused:
        """Count a message that was not even looked into, on the series that is open."""
