"""`livepdf analyse`: what a finished run, or a published G(r), says."""

from pathlib import Path

import click

_FILE = click.Path(exists=True, dir_okay=False, path_type=Path)


@click.command()
@click.argument("file", type=_FILE)
@click.option(
    "--recipe", "-c", type=_FILE, help="Recipe; that of the run itself when left out (.nxs)."
)
@click.option(
    "--out",
    "-o",
    type=click.Path(dir_okay=False, path_type=Path),
    help="Results file of a run; its name with -analysed when left out (.nxs).",
)
@click.option("--json", "as_json", is_flag=True, help="Print the results as JSON.")
def analyse(file: Path, recipe: Path | None, out: Path | None, as_json: bool) -> None:
    """Analyse FILE again: results of a run (.nxs).

    All windows of a run go from their stored sums through reduction and analysis, by its own
    recipe or by another one, and are written like those of a live run.

    \b
    livepdf analyse livepdf-output/hfo2_0001.nxs
    livepdf analyse hfo2_0001.nxs --recipe better.toml --out better.nxs
    """  # noqa: D301  (\b is click's own mark)
    from livepdf.cli.analyse_run import print_run

    print_run(file, recipe=recipe, out=out, as_json=as_json)
