"""The options that all simulated detectors share."""

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import click

from livepdf.simulate.faults import Faults
from livepdf.simulate.powder import CAMERAS

Command = Callable[..., Any]
_SHARE = click.FloatRange(min=0.0, max=1.0)


def image_options(command: Command) -> Command:
    """Add what the detector sees: powder, a synthesis, image files or a recording."""
    options = [
        click.option(
            "--camera",
            type=click.Choice(list(CAMERAS)),
            default="pilatus-100k",
            show_default=True,
            help="Powder images on this detector.",
        ),
        click.option(
            "--synthesis",
            type=click.Choice(["hfo2", "tio2"]),
            help="Instead: particles that nucleate and grow, as `livepdf simulate` sends them.",
        ),
        click.option(
            "--images",
            type=click.Path(exists=True, path_type=Path),
            multiple=True,
            help="Instead: these image files (TIFF, CBF, EDF, HDF5 …), in turn.",
        ),
        click.option(
            "--recording",
            type=click.Path(exists=True, dir_okay=False, path_type=Path),
            help="Instead: the images of a recording (.mcap, .cbors), whatever its protocol.",
        ),
        click.option(
            "--frames",
            type=click.IntRange(min=1),
            default=100,
            show_default=True,
            help="Length of the series.",
        ),
        click.option(
            "--rate",
            type=click.FloatRange(min=0, min_open=True),
            default=10.0,
            show_default=True,
            help="Images per second.",
        ),
        click.option(
            "--write",
            type=click.Path(dir_okay=False, path_type=Path),
            help="Write the calibration (.poni) of the powder camera to this file.",
        ),
    ]
    return _with(options, command)


def fault_options(command: Command) -> Command:
    """Add what goes wrong."""
    options = [
        click.option("--seed", type=int, default=0, help="Of noise and faults: repeats exactly."),
        click.option("--loss", type=_SHARE, default=0.0, help="Share of images never sent."),
        click.option("--disorder", type=_SHARE, default=0.0, help="Share of images overtaken."),
        click.option("--depth", type=click.IntRange(min=1), default=3, help="By how many."),
        click.option("--duplicates", type=_SHARE, default=0.0, help="Share sent twice."),
        click.option(
            "--corruption",
            type=_SHARE,
            default=0.0,
            help="Share that arrives cut off, with a wrong bit, or as garbage.",
        ),
        click.option("--stall-every", type=int, default=0, help="Images between two silences."),
        click.option("--stall-seconds", type=float, default=5.0, help="Length of a silence."),
        click.option(
            "--restart-every",
            type=int,
            default=0,
            help="Images between two restarts of the sending program, in mid-series.",
        ),
        click.option("--no-start", is_flag=True, help="Send no header."),
        click.option("--no-end", is_flag=True, help="Send no end, as when it is switched off."),
    ]
    return _with(options, command)


def socket_options(endpoint: str) -> Callable[[Command], Command]:
    """Add where it is reached."""
    options = [
        click.option(
            "--endpoint",
            default=endpoint,
            show_default=True,
            help="Address to bind, as the hardware does; port 0 takes a free one.",
        ),
        click.option(
            "--wait",
            type=float,
            default=60.0,
            show_default=True,
            help="s that a message waits for a reader; then it gives up (exit 1).",
        ),
    ]
    return lambda command: _with(options, command)


FAULT_NAMES = (
    "seed",
    "loss",
    "disorder",
    "depth",
    "duplicates",
    "corruption",
    "stall_every",
    "stall_seconds",
    "restart_every",
    "no_start",
    "no_end",
)


def faults_of(given: dict[str, Any]) -> Faults:
    """Take the faults out of all that was given on the command line."""
    return Faults(**{name: given.pop(name) for name in FAULT_NAMES})


def _with(options: Sequence[Callable[[Command], Command]], command: Command) -> Command:
    for option in reversed(options):
        command = option(command)
    return command
