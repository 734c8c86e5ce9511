"""Send a recorded stream out again, as the detector did."""

import sys
import time
from typing import TYPE_CHECKING

import click

from livepdf.cli.recording_open import Opened, Part
from livepdf.cli.signals import stopped_by_signal
from livepdf.errors import FileError

if TYPE_CHECKING:
    from livepdf.simulate.port import Way
    from livepdf.sources.replay import Pace

_PUSHED = {"dectris-stream-v1", "dectris-stream-v2", "stins"}
_BY_READER: "dict[str, Way]" = {"pull": "push", "sub": "pub", "req": "rep"}
_INTERVAL = 2.0


def send(recording: Opened, part: Part, pace: "Pace", *, endpoint: str, patience: float) -> int:
    """Send the messages at their pace; return the exit code.

    Raises
    ------
    FileError
        When the messages of such a source do not go over a socket of their own.
    SourceError
        When nobody reads.
    """
    from livepdf.model.recorded import SLOW
    from livepdf.simulate.port import Port
    from livepdf.sources.replay import Progress, timed_messages

    progress = Progress()
    with (
        Port(endpoint, way=way_of(recording), patience=patience) as port,
        stopped_by_signal() as stop,
    ):
        click.echo(f"bound {port.endpoint}")
        sys.stdout.flush()
        said = time.monotonic()
        port.wait_for_reader(stop=stop)
        for due in timed_messages(part, pace=pace, progress=progress):
            if due.raw.channel == SLOW:
                continue  # no message of the detector
            if stop.wait(max(0.0, due.at - time.monotonic())):
                break
            if not port.send(due.raw.parts, stop=stop):
                break
            if time.monotonic() - said > _INTERVAL:
                said = time.monotonic()
                click.echo(f"{progress.messages} messages", err=True)
    text = f"sent {progress.messages} messages, {progress.bytes / 1e6:.1f} MB"
    click.echo(text, err=True)
    return 0


def way_of(recording: Opened) -> "Way":
    """Return how the source gave its messages away; FileError where that is no plain socket."""
    import json

    origin = recording.origin
    if origin is None:
        raise FileError(f"{recording.path}: nothing in it says which protocol it is")
    if origin.kind in _PUSHED:
        return "push"
    pattern = json.loads(origin.settings).get("pattern")
    if pattern in _BY_READER:
        return _BY_READER[pattern]
    raise FileError(
        f"{recording.path}: messages of {origin.kind} cannot be sent on a plain socket; "
        f"replay them into the pipeline"
    )
