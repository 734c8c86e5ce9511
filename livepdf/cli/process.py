"""`livepdf process`: image files that are there already, to I(Q), S(Q), F(Q) and G(r)."""

import json
import math
from pathlib import Path
from typing import TYPE_CHECKING

import click

if TYPE_CHECKING:
    from livepdf.daemon.process import FileJob, Processed, Text

_FILE = click.Path(dir_okay=False, path_type=Path)
STRICT_EXIT = 5


@click.command()
@click.argument("files", type=click.Path(path_type=Path), nargs=-1, required=True)
@click.option("--profile", type=_FILE, required=True, help="Instrument, TOML.")
@click.option("--recipe", type=_FILE, required=True, help="Sample and experiment, TOML.")
@click.option(
    "--out",
    type=click.Path(file_okay=False, path_type=Path),
    required=True,
    help="Directory of the results; made when missing.",
)
@click.option(
    "--text",
    type=click.Choice(["all", "gr", "none"]),
    default="all",
    show_default=True,
    help="Text files beside run.nxs, which has everything; they take most of the time.",
)
@click.option("--overwrite", is_flag=True, help="Replace results that are there already.")
@click.option("--json", "as_json", is_flag=True, help="Print the results as JSON.")
@click.option("--strict", is_flag=True, help="Exit with 5 when any image failed.")
def process(
    files: tuple[Path, ...],
    profile: Path,
    recipe: Path,
    out: Path,
    text: "Text",
    overwrite: bool,
    as_json: bool,
    strict: bool,
) -> int:
    """Reduce FILES one by one, as `livepdf run` would have done live.

    FILES are TIFF, CBF, EDF, HDF5 (FILE::DATASET where one holds several), DECTRIS masters, files
    of SACLA, folders of runs of the European XFEL, or NXazint patterns that were integrated
    before. Every image becomes OUT/NAME.iq, .sq, .fq and .gr, with NAME_00001 and so on where a
    file holds several, and one window of OUT/run.nxs. An image that fails is named with the
    reason; the others go on. Any profile will do: of its source only dataset, metadata and
    read_timeout are used.

    \b
    livepdf process scan/*.tif --profile profile.toml --recipe recipe.toml --out results
    livepdf process x_master.h5 --profile profile.toml --recipe recipe.toml --out results
    """  # noqa: D301  (\b is click's own mark)
    from livepdf.cli.warm import compiling_said
    from livepdf.daemon.assemble import prepare
    from livepdf.daemon.process import FileJob

    with compiling_said():
        job = FileJob(prepare(profile, recipe), out=out, overwrite=overwrite, text=text)
        outcomes = _work(job, files)
    failed = [outcome for outcome in outcomes if outcome.reason]
    for note in job.notes:
        click.echo(note, err=True)
    if as_json:
        click.echo(json.dumps(_as_json(job, outcomes), indent=2))
    else:
        done = len(outcomes) - len(failed)
        click.echo(f"{done} of {len(outcomes)} images reduced; results in {out}", err=True)
    if outcomes and len(failed) == len(outcomes):
        return 1
    return STRICT_EXIT if strict and failed else 0


def _work(job: "FileJob", files: tuple[Path, ...]) -> list["Processed"]:
    from rich.console import Console
    from rich.progress import Progress

    console = Console(stderr=True)
    outcomes = []
    with Progress(console=console, disable=not console.is_terminal) as progress:
        task = progress.add_task("reducing", total=len(files))
        for outcome in job.run(files):
            outcomes.append(_without_curves(outcome))
            progress.update(task, completed=len({o.file for o in outcomes}) - 1)
            if outcome.reason:
                console.print(
                    f"{outcome.origin}: {outcome.reason}: {outcome.detail}",
                    markup=False,
                    highlight=False,
                    soft_wrap=True,
                )
        progress.update(task, completed=len(files))
    return outcomes


def _without_curves(outcome: "Processed") -> "Processed":
    """Return the outcome without its arrays: thousands of them would fill the memory."""
    from dataclasses import replace

    result = outcome.result
    return outcome if result is None else replace(outcome, result=replace(result, curves=()))


def _as_json(job: "FileJob", outcomes: list["Processed"]) -> dict[str, object]:
    counters = job.counters()
    return {
        "nexus": str(job.nexus) if job.nexus.exists() else None,
        "received": counters.received,
        "used": counters.used,
        "refused": dict(counters.refused),
        "images": [_image(outcome) for outcome in outcomes],
    }


def _image(outcome: "Processed") -> dict[str, object]:
    trends = outcome.result.trends if outcome.result is not None else ()
    return {
        "file": str(outcome.file),
        "image": outcome.origin,
        "written": [str(path) for path in outcome.written],
        "reason": outcome.reason,
        "detail": outcome.detail,
        "trends": {
            t.name: {
                "value": _number(t.value),
                "sigma": _number(t.sigma),
                "unit": t.unit,
                "reason": t.reason,
            }
            for t in trends
        },
    }


def _number(value: float) -> float | None:
    return value if math.isfinite(value) else None
