"""`livepdf simulate`: a detector and a synthesis that do not exist, on a real socket."""

import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Literal

import click

from livepdf.cli.signals import stopped_by_signal

if TYPE_CHECKING:
    from rich.progress import Progress, TaskID

    from livepdf.simulate.port import Port
    from livepdf.simulate.run import Run


@click.command()
@click.option(
    "--sample",
    type=click.Choice(["hfo2", "tio2"]),
    default="hfo2",
    show_default=True,
    help="What grows: monoclinic HfO2 (1 mol/l) or anatase TiO2 (2 mol/l), spheres of 2 to 5 nm.",
)
@click.option(
    "--endpoint",
    default="tcp://127.0.0.1:0",
    show_default=True,
    help="Address to bind, as a detector does; port 0 takes a free one.",
)
@click.option(
    "--frames",
    type=click.IntRange(min=1),
    default=600,
    show_default=True,
    help="Length of the series: the synthesis is stretched to fill it.",
)
@click.option(
    "--rate",
    type=click.FloatRange(min=0, min_open=True),
    default=10.0,
    show_default=True,
    help="Frames per second.",
)
@click.option(
    "--photons",
    type=click.FloatRange(min=0, min_open=True),
    default=1e7,
    show_default=True,
    help="Expected counts of one frame before anything has reacted.",
)
@click.option("--seed", type=click.IntRange(min=0), default=0, show_default=True, help="Of noise.")
@click.option(
    "--truth",
    type=click.Path(dir_okay=False, path_type=Path),
    help="Write what is true in each frame, one line of JSON per frame.",
)
@click.option("--blank", is_flag=True, help="Send water and capillary alone, heated likewise.")
@click.option(
    "--size",
    type=click.Choice(["full", "half"]),
    default="half",
    show_default=True,
    help="Detector: full = 1679 × 1475 pixels, half = 1043 × 981.",
)
@click.option(
    "--wait",
    type=click.FloatRange(min=0, min_open=True),
    default=60.0,
    show_default=True,
    help="Seconds to wait for a reader before giving up (exit 4).",
)
@click.option(
    "--write",
    type=click.Path(file_okay=False, path_type=Path),
    help="Write demo.poni and demo_mask.h5 of the instrument into this directory.",
)
def simulate(
    sample: str,
    endpoint: str,
    frames: int,
    rate: float,
    photons: float,
    seed: int,
    truth: Path | None,
    blank: bool,
    size: Literal["full", "half"],
    wait: float,
    write: Path | None,
) -> None:
    """Send a simulated synthesis as a DECTRIS detector would (Stream V2).

    The first line on standard output is 'bound ADDRESS': connect a reader to that address,
    and the series starts. Crystals nucleate and grow in hot water inside a fused-silica
    capillary; temperature goes along with each image.

    \b
    Try it with two terminals:
      livepdf simulate --endpoint tcp://127.0.0.1:31001 --write instrument --truth truth.jsonl
      livepdf run PROFILE --recipe RECIPE      (endpoint = "tcp://127.0.0.1:31001")

    Ctrl-C ends the series early, with its end message.
    """  # noqa: D301 click wants the real control character
    from livepdf.simulate.detector import write_instrument
    from livepdf.simulate.growth import write_truths
    from livepdf.simulate.port import Port
    from livepdf.simulate.run import demo_run

    run = demo_run(
        sample, size=size, frames=frames, rate=rate, photons=photons, seed=seed, blank=blank
    )
    with Port(endpoint, patience=wait) as port, stopped_by_signal() as stop:
        click.echo(f"bound {port.endpoint}")
        sys.stdout.flush()
        if write is not None:
            write_instrument(run.detector, write)
        if truth is not None:
            write_truths(truth, run.truths)
        _send(run, port=port, stop=stop)


def _send(run: "Run", *, port: "Port", stop: threading.Event) -> None:
    from livepdf.simulate.sender import send_series

    series = run.series(datetime.now(UTC))
    start, images, end = run.messages(series)
    run.image(run.frames - 1)  # builds every table before the clock of the series starts
    with _progress(run.frames) as (progress, task):
        sent = send_series(
            port,
            start=start,
            images=images,
            end=end,
            rate=run.rate,
            stop=stop,
            sent=lambda count: progress.update(task, completed=count),
        )
    click.echo(f"sent {sent.images} of {run.frames} images", err=True)


@contextmanager
def _progress(total: int) -> Iterator[tuple["Progress", "TaskID"]]:
    from rich.console import Console
    from rich.progress import (
        BarColumn,
        MofNCompleteColumn,
        Progress,
        TextColumn,
        TimeRemainingColumn,
    )

    console = Console(stderr=True)
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn())
    with Progress(
        *columns, TimeRemainingColumn(), console=console, disable=not console.is_terminal
    ) as progress:
        yield progress, progress.add_task("images", total=total)
