"""What every source of frames can do for the intake."""

from typing import Protocol

from livepdf.model.frame import SourceItem


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
