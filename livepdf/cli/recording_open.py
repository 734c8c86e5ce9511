"""Open what somebody recorded, and understand the times that people give."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from livepdf.errors import Complaint, ConfigError, FileError
from livepdf.model.recorded import Attached, Origin, Recorded

if TYPE_CHECKING:
    from livepdf.sources.recording_file import RecordingReader
    from livepdf.sources.source import Feed


def moment(text: str | float | datetime) -> float | datetime:
    """Read seconds from the first message, or a date with time (ISO 8601)."""
    if isinstance(text, float | datetime):
        return text
    try:
        return float(text)
    except ValueError:
        pass
    try:
        return datetime.fromisoformat(text).astimezone()
    except ValueError:
        raise click.BadParameter(f"{text!r} is neither seconds nor a date with time") from None


@dataclass(frozen=True, slots=True, kw_only=True)
class Part:
    """The messages of a recording between two moments."""

    reader: Any
    start: float | datetime | None = None
    stop: float | datetime | None = None

    def messages(self) -> Iterator[Recorded]:
        """Walk through them from the start."""
        if self.start is None and self.stop is None:
            return iter(self.reader.messages())
        first = next(iter(self.reader.messages()), None)
        if first is None:
            return iter(())
        begin = first.raw.received
        start, stop = (_absolute(moment, begin) for moment in (self.start, self.stop))
        return self._between(start, stop)

    def _between(self, start: float | None, stop: float | None) -> Iterator[Recorded]:
        from livepdf.sources.recording_file import RecordingReader

        if isinstance(self.reader, RecordingReader):
            yield from self.reader.messages(start=start, stop=stop)
            return
        for message in self.reader.messages():
            received = message.raw.received
            if (start is None or received >= start) and (stop is None or received < stop):
                yield message


@dataclass(frozen=True, slots=True, kw_only=True)
class Opened:
    """A recording of any form."""

    path: Path
    reader: Any
    """Holds the messages."""
    attached: tuple[Attached, ...]
    origin: Origin | None
    mcap: "RecordingReader | None"
    """The file where it is MCAP, whose state is told."""


@contextmanager
def opened(path: Path, *, stream: str | None = None) -> Iterator[Opened]:
    """Open a recording.

    Raises
    ------
    FileError
        When it cannot be read.
    """
    from livepdf.sources.cbors import SUFFIXES, CborsReader
    from livepdf.sources.recording_file import RecordingReader

    if path.suffix in SUFFIXES:
        reader = CborsReader(path, stream=stream)
        yield Opened(path=path, reader=reader, attached=(), origin=reader.origin(), mcap=None)
        return
    with RecordingReader(path) as mcap:
        yield Opened(
            path=path, reader=mcap, attached=mcap.attached(), origin=mcap.origin(), mcap=mcap
        )


def feed_maker(recording: Opened, settings: Any = None) -> Callable[[], "Feed"]:
    """Return what makes the feed for the messages of a recording.

    Parameters
    ----------
    settings
        Of the source, where a profile gives them; those of the recording otherwise.

    Raises
    ------
    FileError
        When nobody says what the messages are.
    ConfigError
        When the profile is for another kind of source.
    """
    from livepdf.sources.open_source import make_feed

    settings = settings_of(recording) if settings is None else settings
    if recording.origin is not None and recording.origin.kind != settings.kind:
        found = f"a source of kind {settings.kind}"
        wanted = f"one of kind {recording.origin.kind}, which the recording is of"
        raise ConfigError([Complaint("profile", "source.kind", found, wanted)])
    return lambda: make_feed(settings)


def settings_of(recording: Opened) -> Any:
    """Return the settings of the recorded source; FileError where they cannot be known."""
    import json

    from pydantic import TypeAdapter, ValidationError

    from livepdf.config.sources import Source

    origin = recording.origin
    if origin is None:
        raise FileError(f"{recording.path}: nothing in it says which protocol it is")
    # A recording of another program tells the protocol, but no address; none is used.
    told = json.loads(origin.settings) or {"endpoint": "tcp://127.0.0.1:9"}
    given = {**told, "kind": origin.kind}
    try:
        return TypeAdapter[Any](Source).validate_python(given)
    except ValidationError as error:
        raise FileError(
            f"{recording.path} is of a source that is not understood ({origin.kind}): "
            f"{error.errors()[0]['msg']}"
        ) from None


def _absolute(moment: float | datetime | None, begin: float) -> float | None:
    if isinstance(moment, datetime):
        return moment.timestamp()
    return None if moment is None else begin + moment
