"""`livepdf record`: every message of a stream to a file, byte for byte."""

import json
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from livepdf.cli.signals import stopped_by_signal
from livepdf.errors import Complaint, ConfigError, SourceError

if TYPE_CHECKING:
    import threading

    from livepdf.sinks.recording import Recorder
    from livepdf.sources.source import Source

_KIND = "dectris-stream-v2"
_POLL = 0.1
_INTERVAL = 5.0
MISSING_EXIT = 5


@click.command()
@click.argument("source")
@click.option(
    "-o",
    "--out",
    required=True,
    type=click.Path(dir_okay=False, path_type=Path),
    help="File to write, NAME.mcap; never overwritten.",
)
@click.option("--kind", default=_KIND, show_default=True, help="What an address speaks.")
@click.option(
    "--recipe",
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    help="Goes along, so that a replay needs no other file.",
)
@click.option("--runs", type=click.IntRange(min=1), help="Stop after this many runs.")
@click.option(
    "--duration", type=click.FloatRange(min=0, min_open=True), help="Stop after this many seconds."
)
@click.option("--json", "as_json", is_flag=True, help="Print the final counters as JSON.")
def record(
    source: str,
    out: Path,
    kind: str,
    recipe: Path | None,
    runs: int | None,
    duration: float | None,
    as_json: bool,
) -> int:
    """Write every message of SOURCE, a profile or an address, to a recording.

    A stream that is pushed has one reader: record what nobody else reads, or set `record = true`
    under [output] of the profile and let `livepdf run` do both. The first line on standard output
    is `recording FILE`. Ctrl-C ends it. What the disk does not take is counted, said, and ends in
    exit code 5. After a kill, `livepdf recording repair` gives back all but the last moment.

    \b
    livepdf record profile.toml --recipe recipe.toml -o night.mcap
    livepdf record tcp://dcu.example:31001 -o night.mcap --runs 1
    """  # noqa: D301 click wants the real control character
    from livepdf.sinks.recording import Recorder
    from livepdf.sinks.recording_settings import attached_settings, origin_of
    from livepdf.sources.open_source import FEEDS, make_source

    profile = Path(source) if "://" not in source else None
    settings = _settings(source, kind) if profile is None else _of_profile(profile)
    if settings.kind not in FEEDS:
        raise SourceError(f"a source of kind {settings.kind} has no messages to record")
    recorder = Recorder(
        out,
        origin=origin_of(settings),
        attached=attached_settings(profile=profile, recipe=recipe),
    )
    stream = make_source(settings, tap=recorder.put)
    counts = {"runs": 0, "frames": 0, "refused": 0}
    with stopped_by_signal() as stop:
        try:
            stream.open()
            click.echo(f"recording {out}")
            sys.stdout.flush()
            _follow(stream, recorder, stop=stop, runs=runs, duration=duration, counts=counts)
        finally:
            stream.close()
            state = recorder.close()
    books = {**counts, "lost": stream.lost(), "messages": state.written, "dropped": state.dropped}
    if as_json:
        click.echo(json.dumps({**books, "bytes": state.file_bytes, "file": str(out)}))
    else:
        words = ", ".join(f"{count} {name}" for name, count in books.items())
        click.echo(f"{out}: {words}, {state.file_bytes / 1e6:.1f} MB", err=True)
    return MISSING_EXIT if state.dropped else 0


def _follow(
    stream: "Source",
    recorder: "Recorder",
    *,
    stop: "threading.Event",
    runs: int | None,
    duration: float | None,
    counts: dict[str, int],
) -> None:
    from livepdf.model.frame import Frame, FrameRefused, RunEnd

    began = said = time.monotonic()
    while not stop.is_set():
        for item in stream.poll(_POLL):
            counts["frames"] += isinstance(item, Frame)
            counts["refused"] += isinstance(item, FrameRefused)
            counts["runs"] += isinstance(item, RunEnd)
        now = time.monotonic()
        if now - said >= _INTERVAL:
            said = now
            click.echo(_line(stream, recorder, counts, now - began), err=True)
        if runs is not None and counts["runs"] >= runs:
            return
        if duration is not None and now - began >= duration:
            return


def _line(stream: "Source", recorder: "Recorder", counts: dict[str, int], elapsed: float) -> str:
    state = recorder.state()
    rate = state.file_bytes / 1e6 / elapsed
    trouble = f"; {state.dropped} NOT RECORDED {state.trouble}" if state.dropped else ""
    return (
        f"{stream.state()}; {counts['frames']} frames, {state.written} messages, "
        f"{state.file_bytes / 1e6:.0f} MB ({rate:.1f} MB/s){trouble}"
    )


def _of_profile(path: Path) -> Any:
    from livepdf.config.load import load_profile

    return load_profile(path).source


def _settings(address: str, kind: str) -> Any:
    from pydantic import TypeAdapter, ValidationError

    from livepdf.config.sources import Source

    try:
        return TypeAdapter[Any](Source).validate_python({"kind": kind, "endpoint": address})
    except ValidationError as error:
        problems = "; ".join(str(problem["msg"]) for problem in error.errors())
        wanted = f"an address, and a kind that needs nothing else than one ({problems})"
        raise ConfigError(
            [Complaint("command line", "SOURCE", f"{address}, {kind}", wanted)]
        ) from None
