"""`livepdf recording`: look into recordings, cut pieces out of them, repair them."""

import json
from collections.abc import Iterable, Iterator
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING

import click

from livepdf.cli.recording_open import Opened, Part, feed_maker, moment, opened
from livepdf.errors import FileError
from livepdf.model.recorded import Attached, Origin, Recorded

if TYPE_CHECKING:
    from livepdf.sinks.recording_file import RecordingFile

_FILE = click.Path(exists=True, dir_okay=False, path_type=Path)
_NEW = click.Path(dir_okay=False, path_type=Path)
_BATCH = 4 << 20
"""Bytes of messages that are written together."""
UNSOUND_EXIT = 5


@click.group()
def recording() -> None:
    """Look into recordings (.mcap), cut pieces out of them, repair them after a kill.

    \b
    livepdf recording info night.mcap
    livepdf recording cut night.mcap -o ramp.mcap --from 600 --to 900
    livepdf recording cut night.mcap -o one.mcap --series 12 --frames 0:1000
    livepdf recording repair night.mcap
    """  # noqa: D301 click wants the real control character


@recording.command()
@click.argument("file", type=_FILE)
@click.option("--json", "as_json", is_flag=True, help="Print it as JSON.")
@click.option("--stream", help="Which stream of a .cbors file of several.")
def info(file: Path, as_json: bool, stream: str | None) -> int:
    """Say what is in FILE, and whether every byte of it is sound (5 when it is not).

    All of it is read: each chunk is held against its check sum, and the messages are counted.
    A hole is a message that was received but is not in the recording.
    """
    from livepdf.cli.recording_table import print_survey, survey

    with opened(file, stream=stream) as recorded:
        found = survey(recorded)
    if as_json:
        click.echo(json.dumps(found.as_json()))
    else:
        print_survey(found)
    return 0 if found.sound else UNSOUND_EXIT


@recording.command()
@click.argument("file", type=_FILE)
@click.option("-o", "--out", type=_NEW, required=True, help="The piece; never overwritten.")
@click.option("--from", "start", type=moment, help="Seconds from the first message, or a date.")
@click.option("--to", "stop", type=moment, help="Likewise; this moment itself is left out.")
@click.option("--series", help="Number or full name of the series to keep.")
@click.option("--frames", help="FIRST:LAST frame of a series, LAST left out, e.g. 0:1000 or 500:.")
@click.option("--stream", help="Which stream of a .cbors file of several.")
def cut(
    file: Path,
    out: Path,
    start: float | datetime | None,
    stop: float | datetime | None,
    series: str | None,
    frames: str | None,
    stream: str | None,
) -> None:
    """Copy a piece of FILE into another recording, message by message, byte for byte.

    Headers and ends of series stay with the frames that are kept. MAX IV's .cbors become MCAP.
    """
    with opened(file, stream=stream) as recorded:
        messages = Part(reader=recorded.reader, start=start, stop=stop).messages()
        if series is not None or frames is not None:
            from livepdf.cli.recording_pieces import Choice, chosen, frame_range

            choice = Choice(series=series, frames=frame_range(frames))
            messages = chosen(messages, feed_maker(recorded), choice)
        count = _copy(recorded, messages, out, notes={"cut from": file.name})
    click.echo(f"{out}: {count} messages", err=True)


@recording.command()
@click.argument("file", type=_FILE)
@click.option(
    "-o", "--out", type=_NEW, help="Where to; NAME-repaired.mcap beside it when left out."
)
def repair(file: Path, out: Path | None) -> None:
    """Write all whole messages of FILE, which a kill or a full disk cut off, to a sound file.

    FILE itself stays as it is. Every message that is whole comes over, also those of the chunk
    that was being written; chunks with a wrong check sum do not, and are counted.
    """
    target = out or file.with_name(f"{file.stem}-repaired.mcap")
    with opened(file) as recorded:
        if recorded.mcap is None:
            raise FileError(f"{file} is no MCAP recording")
        count = _copy(recorded, recorded.mcap.messages(), target, notes={"repaired": file.name})
        damaged = recorded.mcap.found.damaged
    words = f", {damaged} damaged chunks left out" if damaged else ""
    click.echo(f"{target}: {count} messages{words}", err=True)


def _copy(
    recorded: Opened, messages: Iterable[Recorded], target: Path, *, notes: dict[str, str]
) -> int:
    origin = recorded.origin or Origin(kind="")
    batches = _batches(messages)
    first = next(batches, [])
    now = first[0].raw.received if first else 0.0
    file = _create(target, origin, recorded.attached, now)
    count = 0
    try:
        while first:
            file.write(first)
            count += len(first)
            first = next(batches, [])
        kept = recorded.mcap.found.notes if recorded.mcap is not None else {}
        file.close({**kept, **notes, "messages": str(count)})
    except OSError as error:
        raise FileError(f"cannot write {target}: {error.strerror or error}") from None
    return count


def _create(
    path: Path, origin: Origin, attached: tuple[Attached, ...], now: float
) -> "RecordingFile":
    from livepdf.sinks.recording_file import RecordingFile

    try:
        return RecordingFile(path, origin=origin, attached=attached, now=now)
    except OSError as error:
        raise FileError(f"cannot write {path}: {error.strerror or error}") from None


def _batches(messages: Iterable[Recorded]) -> Iterator[list[Recorded]]:
    batch, size = list[Recorded](), 0
    for message in messages:
        batch.append(message)
        size += message.raw.size
        if size >= _BATCH:
            yield batch
            batch, size = [], 0
    if batch:
        yield batch
