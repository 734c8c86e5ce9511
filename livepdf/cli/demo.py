"""`livepdf demo`: a whole beamtime in a minute, with no beamline."""

import json
import os
import shutil
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import replace
from pathlib import Path
from typing import IO, TYPE_CHECKING

import click

from livepdf.cli.window_there import window_missing
from livepdf.errors import FileError, LivepdfError
from livepdf.wire.messages import ShutdownRequest

if TYPE_CHECKING:
    from livepdf.cli.child import Child
    from livepdf.cli.demo_files import DemoFiles
    from livepdf.cli.demo_table import Comparison
    from livepdf.model.curve import Result
    from livepdf.simulate.run import Run
    from livepdf.wire.client import Client

_RATE = 10.0
"""Hz"""
_COLD_WINDOWS = 21
"""Windows before the heater goes on: the search for the onset wants twenty."""
_PHOTONS = 3e7
"""Of the cold solution in a window: the search for the onset wants 1e7 within its range of Q in
each of its steps, and a short run has few frames in a window."""
_START = 600.0
"""s that a process may take to start: the first start on a machine compiles the kernels."""
_STILL = 120.0
"""s without anything new after which something is wrong."""


@click.command()
@click.option("--headless", is_flag=True, help="Draw the window offscreen, even with a display.")
@click.option(
    "--duration",
    type=click.FloatRange(min=10.0),
    default=45.0,
    show_default=True,
    help="Seconds that the synthesis takes.",
)
@click.option(
    "--out",
    type=click.Path(file_okay=False, path_type=Path),
    help="Where results go; a new folder livepdf-demo-N here when left out.",
)
@click.option("--seed", type=click.IntRange(min=0), default=0, show_default=True, help="Of noise.")
@click.option("--stay", is_flag=True, help="Leave the window open at the end.")
@click.option("--json", "as_json", is_flag=True, help="Print the comparison as JSON.")
def demo(
    headless: bool, duration: float, out: Path | None, seed: int, stay: bool, as_json: bool
) -> None:
    """Watch HfO2 nucleate and grow from 2 to 5 nm in hot water, simulated.

    A simulated detector pushes its images over a real socket to the daemon, which integrates
    them, transforms them and follows conversion, size, lattice and bond length, and finds when
    the first crystals came; the window shows it. At the end
    the truth is printed beside the measurement, and the folder holds run.nxs, the last .gr
    and a screenshot. Exits 1 when a measurement is farther from the truth than it should be.
    """
    from livepdf.cli.demo_table import as_json as plain
    from livepdf.cli.demo_table import print_table

    lacking = window_missing()
    if lacking and stay:
        raise LivepdfError(lacking)
    if lacking:
        _say(f"no window: {lacking}")
    folder = _folder(out)
    run = synthesis(duration, seed=seed)
    comparisons = _play(run, folder=folder, headless=headless, stay=stay)
    if as_json:
        click.echo(json.dumps({"folder": str(folder), "results": plain(comparisons)}))
    else:
        print_table(comparisons)
        click.echo(f"results in {folder}: {', '.join(sorted(p.name for p in folder.iterdir()))}")
    if not all(item.good for item in comparisons):
        raise SystemExit(1)


def synthesis(duration: float, *, seed: int) -> "Run":
    """Return the synthesis, in a beam that is the brighter the fewer frames a window has."""
    from livepdf.simulate.run import demo_run

    run = demo_run("hfo2", frames=int(duration * _RATE), rate=_RATE, seed=seed)
    return replace(run, photons=_PHOTONS / _window_frames(run))


def _window_frames(run: "Run") -> int:
    cold = run.frames * run.sample.growth.heater_on
    return max(1, int(cold / _COLD_WINDOWS))


def _folder(out: Path | None) -> Path:
    taken = (Path(f"livepdf-demo-{number}") for number in range(1, 10_000))
    folder = out or next(path for path in taken if not path.exists())
    if (folder / "run.nxs").exists():
        raise FileError(f"{folder / 'run.nxs'} is there already; choose another folder")
    folder.mkdir(parents=True, exist_ok=True)
    return folder.resolve()


def _play(run: "Run", *, folder: Path, headless: bool, stay: bool) -> tuple["Comparison", ...]:
    """Run detector, daemon and window as processes of their own and follow them to the end."""
    from livepdf.cli.demo_table import compare
    from livepdf.wire.client import Client

    window = _window_frames(run)
    with ExitStack() as stack:
        log = stack.enter_context((folder / "demo.log").open("wb"))
        daemon, address, files = stack.enter_context(beamtime(run, folder=folder, log=log))
        screen = _window(address, folder, headless=headless, stay=stay, log=log)
        if screen is not None:
            stack.enter_context(screen)
        client = Client(address)
        stack.callback(client.close)
        client.connect(_STILL)
        _say(f"live at {address}; watch it from another terminal:  livepdf watch {address}")
        result = _follow(client, daemon, windows=-(-run.frames // window))
        written = Path(client.mirror.status.output) if client.mirror.status else None
        client.ask(ShutdownRequest())
        # It first makes up for trends that it was too busy for.
        if daemon.wait(4 * _STILL) is None:
            raise LivepdfError("the daemon does not stop")
        if screen is not None:
            _say("close the window to finish" if stay else "taking the screenshot …")
            screen.wait(float("inf") if stay else _STILL)
    _leave(folder, written=written, result=result, files=files, shape=run.detector.shape)
    return compare(result, run.truths)


@contextmanager
def beamtime(
    run: "Run", *, folder: Path, log: IO[bytes]
) -> "Iterator[tuple[Child, str, DemoFiles]]":
    """Run detector and daemon; give the daemon, its address and the files of the instrument."""
    from livepdf.cli.child import Child
    from livepdf.cli.demo_files import write_demo

    instrument = folder / "instrument"
    instrument.mkdir(exist_ok=True)
    with Child("the detector", _detector(run, instrument), log=log) as detector:
        endpoint = detector.address("bound", _START)
        _say("measuring references: water at six temperatures, the cold solution …")
        files = write_demo(instrument, run=run, endpoint=endpoint, window=_window_frames(run))
        _say("starting the daemon …")
        with Child("the daemon", _daemon(files, folder), log=log) as daemon:
            yield daemon, daemon.address("ready", _START), files


def _detector(run: "Run", instrument: Path) -> list[str]:
    arguments = {
        "--sample": "hfo2",
        "--frames": run.frames,
        "--rate": run.rate,
        "--photons": run.photons,
        "--seed": run.seed,
        "--wait": 2 * _START,
        "--truth": instrument / "truth.jsonl",
    }
    pairs = [str(part) for pair in arguments.items() for part in pair]
    return ["-m", "livepdf.cli.main", "simulate", *pairs]


def _daemon(files: "DemoFiles", folder: Path) -> list[str]:
    command = ["-m", "livepdf.cli.main", "run", str(files.profile), "--recipe", str(files.recipe)]
    return [*command, "--out", str(folder), "--requests", "tcp://127.0.0.1:0"]


def _window(
    address: str, folder: Path, *, headless: bool, stay: bool, log: IO[bytes]
) -> "Child | None":
    """Start the window; the demo goes on without where it is not installed."""
    from livepdf.cli.child import Child

    if window_missing():
        return None
    environment = dict(os.environ)
    display = environment.get("DISPLAY") or environment.get("WAYLAND_DISPLAY")
    if headless or not display:
        environment["QT_QPA_PLATFORM"] = "offscreen"
        _say("no display used: the window is drawn offscreen")
    command = ["-m", "livepdf_gui", address, "--screenshot", str(folder / "screenshot.png")]
    if not stay:
        command.append("--leave")
    return Child("the window", command, log=log, environment=environment)


def _follow(client: "Client", daemon: "Child", *, windows: int) -> "Result":
    """Show the progress until the run is over; return its last window.

    Raises
    ------
    LivepdfError
        When the daemon ends, or nothing moves any more.
    """
    from rich.console import Console
    from rich.progress import BarColumn, Progress, TextColumn, TimeRemainingColumn

    columns = (TextColumn("{task.description}"), BarColumn(), TimeRemainingColumn())
    console = Console(stderr=True)
    mirror = client.mirror
    moved, seen = time.monotonic(), -1
    with Progress(*columns, console=console, disable=not console.is_terminal) as progress:
        task = progress.add_task("growing HfO2", total=windows)
        while not any(event.kind == "run end" for event in mirror.events):
            client.poll(0.2)
            done = mirror.latest.span.number if mirror.latest else -1
            if done != seen:
                moved, seen = time.monotonic(), done
                progress.update(task, completed=done + 1)
            if daemon.ended() or time.monotonic() - moved > _STILL:
                raise LivepdfError(f"the run does not go on; {mirror.connection}; see demo.log")
    client.connect(_STILL)
    if mirror.windows is None or mirror.latest is None:
        raise LivepdfError("the run ended without a window; see demo.log")
    return client.window(len(mirror.windows) - 1)


def _leave(
    folder: Path,
    *,
    written: Path | None,
    result: "Result",
    files: "DemoFiles",
    shape: tuple[int, int],
) -> None:
    """Give the results their plain names."""
    from livepdf.daemon.assemble import prepare
    from livepdf.reduction.recipes import plan_extras, plan_header
    from livepdf.sinks.columns import write_curve

    if written is not None and written.is_file():
        shutil.move(written, folder / "run.nxs")
    plan = prepare(files.profile, files.recipe).for_shape(shape).plan
    extras = {**plan_extras(plan), "frames": f"{result.span.first} to {result.span.last}"}
    write_curve(folder / "last.gr", result.curve("gr"), header=plan_header(plan), extras=extras)


def _say(words: str) -> None:
    click.echo(words, err=True)
