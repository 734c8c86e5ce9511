"""`livepdf simulate-shots`: an XFEL that does not exist, on a real socket."""

import sys
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Literal

import click

from livepdf.cli.signals import stopped_by_signal

if TYPE_CHECKING:
    from livepdf.simulate.shots import Experiment

_POSITIVE = click.FloatRange(min=0, min_open=True)


@click.command("simulate-shots")
@click.argument("experiment", type=click.Choice(["pump-probe", "breakdown", "serial"]))
@click.option(
    "--endpoint",
    default="tcp://127.0.0.1:31001",
    show_default=True,
    help="Address to bind, as a detector does; port 0 takes a free one.",
)
@click.option("--shots", type=click.IntRange(min=1), default=600, show_default=True)
@click.option("--rate", type=_POSITIVE, default=30.0, show_default=True, help="Shots per second.")
@click.option(
    "--photons",
    type=_POSITIVE,
    help="Of a mean pulse on the detector (default 2e6); serial: of a sphere of 30 nm (3000).",
)
@click.option(
    "--size",
    type=click.Choice(["full", "demo", "tiny"]),
    default="demo",
    show_default=True,
    help="Pixels: full = 4096 × 1024, demo = 1024 × 256, tiny = 512 × 128.",
)
@click.option("--seed", type=click.IntRange(min=0), default=0, show_default=True)
@click.option(
    "--hits", type=click.FloatRange(0, 1), default=0.05, show_default=True, help="Share, serial."
)
@click.option(
    "--write",
    type=click.Path(file_okay=False, path_type=Path),
    help="Write profile, recipe and all that they name into this directory.",
)
@click.option(
    "--truth",
    type=click.Path(dir_okay=False, path_type=Path),
    help="Write what is true in each shot, one line of JSON per shot.",
)
@click.option("--wait", type=_POSITIVE, default=60.0, show_default=True, help="s for a reader.")
def simulate_shots(
    experiment: "Experiment",
    endpoint: str,
    shots: int,
    rate: float,
    photons: float | None,
    size: Literal["full", "demo", "tiny"],
    seed: int,
    hits: float,
    write: Path | None,
    truth: Path | None,
    wait: float,
) -> None:
    """Send simulated shots of an XFEL as a detector would (Stream V2).

    The beam jitters in intensity, photon energy and time; the detector has tiles with gaps, a
    pedestal, a common mode, and saturates. EXPERIMENT is a powder that a laser heats
    (pump-probe), samples that a laser destroys (breakdown), or single spheres (serial).

    \b
    Try it with two terminals:
      livepdf simulate-shots breakdown --write xfel --truth truth.jsonl
      livepdf run xfel/profile.toml --recipe xfel/recipe.toml
    """  # noqa: D301 click wants the real control character
    from livepdf.cli.shots_files import write_shot_settings
    from livepdf.simulate.port import Port
    from livepdf.simulate.sender import send_series
    from livepdf.simulate.shots import write_shots
    from livepdf.simulate.xfel import xfel_run

    run = xfel_run(
        experiment, shots=shots, size=size, photons=photons, seed=seed, rate=rate, hit_rate=hits
    )
    with Port(endpoint, patience=wait) as port, stopped_by_signal() as stop:
        if write is not None:
            write_shot_settings(run, write, endpoint=port.endpoint)
        if truth is not None:
            write_shots(truth, run.truths)
        run.image(shots - 1)  # builds every table before the clock of the series starts
        click.echo(f"bound {port.endpoint}")
        sys.stdout.flush()
        start, images, end = run.messages(datetime.now(UTC))
        sent = send_series(
            port,
            start=start,
            images=images,
            end=end,
            rate=rate,
            stop=stop,
            sent=lambda _: None,
        )
    click.echo(f"sent {sent.images} of {shots} shots", err=True)
