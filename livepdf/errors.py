"""What can go wrong, sorted by who must act."""

from collections.abc import Sequence
from dataclasses import dataclass


class LivepdfError(Exception):
    """Anything that livepdf reports in words instead of with a traceback."""


@dataclass(frozen=True, slots=True)
class Complaint:
    """One thing wrong in a file that somebody wrote."""

    file: str
    key: str
    """Dotted path inside the file, e.g. ``detector.poni``."""
    found: str
    wanted: str

    def __str__(self) -> str:
        return f"{self.file}: {self.key}: found {self.found}, wanted {self.wanted}"


class ConfigError(LivepdfError):
    """The settings are wrong: refuse to start (exit 3). Holds every complaint at once."""

    def __init__(self, complaints: Sequence[Complaint], *, rest: object = None) -> None:
        if not complaints:
            raise ValueError("a ConfigError needs at least one complaint")
        self.complaints = tuple(complaints)
        self.rest = rest
        """The settings without what is complained about, to look for more; None where too little
        is left."""
        super().__init__("\n".join(str(complaint) for complaint in self.complaints))


class FrameError(LivepdfError):
    """One frame is unusable: drop it and count it under ``reason``."""

    def __init__(self, reason: str, detail: str = "") -> None:
        self.reason = reason
        """A short fixed phrase, e.g. ``truncated``: it is the counter's name."""
        self.detail = detail
        super().__init__(f"{reason}: {detail}" if detail else reason)


class RunError(LivepdfError):
    """One run cannot go on: end it and keep serving."""


class SourceError(LivepdfError):
    """The source of frames cannot be reached (exit 4)."""


class SilenceError(SourceError):
    """No reply in time, which says nothing of what was asked: it may be asked again."""


class FileError(LivepdfError):
    """A file that the user named cannot be read or written; says which and why."""
