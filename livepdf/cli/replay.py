"""`livepdf replay`: a recorded stream once more, into the pipeline or out on a socket."""

import tempfile
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING

import click

from livepdf.cli.recording_open import Opened, Part, feed_maker, moment, opened
from livepdf.cli.serve import serve
from livepdf.errors import Complaint, ConfigError

if TYPE_CHECKING:
    from livepdf.sources.replay import Pace, ReplaySource

_FILE = click.Path(dir_okay=False, path_type=Path)


def speed_of(text: str) -> float | None:
    """Read a number of times, or max; None for max."""
    if text == "max":
        return None
    try:
        speed = float(text)
    except ValueError:
        speed = 0.0
    if not 0.0 < speed < float("inf"):
        raise click.BadParameter(f"{text!r} is neither a positive number nor max")
    return speed


@dataclass(frozen=True, slots=True, kw_only=True)
class _Wish:
    profile: Path | None
    recipe: Path | None
    out: Path
    requests: str
    as_json: bool
    strict: bool
    stay: bool


@click.command()
@click.argument("file", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.option(
    "--speed",
    metavar="1|N|max",
    default="1",
    show_default=True,
    help="1 = as it was received, N = times as fast, max = as fast as frames can be used.",
)
@click.option("--loop", is_flag=True, help="Begin anew at the end, until Ctrl-C.")
@click.option(
    "--from",
    "start",
    type=moment,
    help="From here on: seconds from the first message, or a date with time.",
)
@click.option("--to", "stop", type=moment, help="Up to here, likewise.")
@click.option(
    "--to-socket",
    metavar="ADDRESS",
    help="Send it on this address as the detector would, instead of reducing it.",
)
@click.option("--profile", type=_FILE, help="Instead of the profile in the recording.")
@click.option("--recipe", type=_FILE, help="Instead of the recipe in the recording.")
@click.option(
    "--out",
    type=click.Path(file_okay=False, path_type=Path),
    default=Path("livepdf-replay"),
    show_default=True,
    help="Directory of the results.",
)
@click.option(
    "--requests", default="tcp://127.0.0.1:0", show_default=True, help="Address for clients."
)
@click.option("--stream", help="Which stream of a .cbors file of several.")
@click.option("--stay", is_flag=True, help="Keep serving viewers at the end, until Ctrl-C.")
@click.option(
    "--wait",
    type=click.FloatRange(min=0, min_open=True),
    default=60.0,
    show_default=True,
    help="Seconds that a message waits for a reader of --to-socket (then exit 4).",
)
@click.option("--json", "as_json", is_flag=True, help="Print the final counters as JSON.")
@click.option("--strict", is_flag=True, help="Exit with 5 when frames were refused or lost.")
def replay(
    file: Path,
    speed: str,
    loop: bool,
    start: float | datetime | None,
    stop: float | datetime | None,
    to_socket: str | None,
    profile: Path | None,
    recipe: Path | None,
    out: Path,
    requests: str,
    stream: str | None,
    stay: bool,
    wait: float,
    as_json: bool,
    strict: bool,
) -> int:
    """Play FILE, a recording (.mcap) or a stream recorded at MAX IV (.cbors).

    Without --to-socket the frames go the whole way of `livepdf run`: watch with `livepdf gui` or
    `livepdf watch` at the address after `ready`. At any speed the results are the same, because
    windows are cut by frame number or recorded time. Profile and recipe come from the recording.

    With --to-socket the messages go out unchanged, pushed, published or on request as the
    detector gave them away; the first line on standard output is `bound ADDRESS`. Nothing is
    dropped: a slow reader slows the replay down.

    \b
    livepdf replay night.mcap --speed max --out again
    livepdf replay night.mcap --speed 10 --from 60 --to 120 --recipe better.toml
    livepdf replay scan.cbors --to-socket tcp://127.0.0.1:26001 --loop
    """  # noqa: D301 click wants the real control character
    from livepdf.sources.replay import Pace

    pace = Pace(speed=speed_of(speed), loop=loop)
    with opened(file, stream=stream) as recording:
        part = Part(reader=recording.reader, start=start, stop=stop)
        if to_socket is not None:
            from livepdf.cli.replay_socket import send

            return send(recording, part, pace, endpoint=to_socket, patience=wait)
        wish = _Wish(
            profile=profile,
            recipe=recipe,
            out=out.resolve(),
            requests=requests,
            as_json=as_json,
            strict=strict,
            stay=stay,
        )
        return _reduce(recording, part, pace, wish)


def _reduce(recording: Opened, part: Part, pace: "Pace", wish: _Wish) -> int:
    from livepdf.cli.warm import compiling_said
    from livepdf.daemon.assemble import prepare
    from livepdf.daemon.service import Service
    from livepdf.sources.replay import ReplaySource, largest_message
    from livepdf.sources.slow_recorded import recorded_slow

    with tempfile.TemporaryDirectory(prefix="livepdf-replay-") as folder:
        profile, recipe = _settings(recording, wish, Path(folder))
        with compiling_said():
            prepared = prepare(profile, recipe)
        settings = prepared.settings.profile
        slow = recorded_slow(recording.attached, loop=pace.loop)
        source = ReplaySource(
            part,
            feed_maker(recording, settings.source),
            description=f"replay of {recording.path}",
            pace=pace,
            largest_message=largest_message(settings.source),
            slow=slow,
        )
        service = Service(
            prepared,
            source,
            output=wish.out,
            requests=wish.requests,
            results=settings.wire.results,
            patient=True,
            slow=slow,
        )
        if not wish.stay:
            source.when_over(service.stopping.set)
        code = serve(
            service,
            as_json=wish.as_json,
            strict=wish.strict,
            more=lambda: _progress(recording, source),
        )
        _conclude(recording, source, whole=part.start is None and part.stop is None)
        return code


def _settings(recording: Opened, wish: _Wish, folder: Path) -> tuple[Path, Path]:
    from livepdf.sources.recording_settings import lay_out

    found = lay_out(recording.attached, folder)
    profile, recipe = wish.profile or found.profile, wish.recipe or found.recipe
    if profile is None or recipe is None:
        complaints = [
            Complaint(str(recording.path), name, "none in the recording", f"--{name} FILE")
            for name, path in (("profile", profile), ("recipe", recipe))
            if path is None
        ]
        raise ConfigError(complaints)
    return profile, recipe


def _progress(recording: Opened, source: "ReplaySource") -> str:
    progress = source.progress
    again = f", round {progress.rounds + 1}" if progress.rounds else ""
    if recording.mcap is None:
        return f"{progress.messages} messages{again}; "
    share = min(1.0, recording.mcap.position / max(1, recording.mcap.size))
    return f"{share:.0%} of the recording{again}; "


def _conclude(recording: Opened, source: "ReplaySource", *, whole: bool) -> None:
    """Say what of the recording could not be played."""
    if source.progress.missing:
        text = f"{source.progress.missing} messages were received but are not in the recording"
        click.echo(text, err=True)
    if whole and source.progress.missing_slow:
        text = f"slow values of {source.progress.missing_slow} frames are not in the recording"
        click.echo(text, err=True)
    if recording.mcap is not None:
        found = recording.mcap.found
        if found.damaged:
            click.echo(f"{found.damaged} chunks are damaged and were passed over", err=True)
        if found.foreign:
            click.echo(f"{found.foreign} messages are not from livepdf", err=True)
