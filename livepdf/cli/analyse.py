"""`livepdf analyse`: what a finished run, or a published G(r), says."""

from pathlib import Path

import click

_FILE = click.Path(exists=True, dir_okay=False, path_type=Path)
_NEW = click.Path(dir_okay=False, path_type=Path)
_POSITIVE = click.FloatRange(min=0, min_open=True)
_FROM_ZERO = click.FloatRange(min=0)


@click.command()
@click.argument("file", type=_FILE)
@click.option(
    "--recipe", "-c", type=_FILE, help="Recipe; that of the run itself when left out (.nxs)."
)
@click.option(
    "--out",
    "-o",
    type=_NEW,
    help="Results file of a run, its name with -analysed when left out; curves of a fit (.gr).",
)
@click.option(
    "--structure",
    "-s",
    "structures",
    multiple=True,
    help="Name or CIF file of a crystal that it may be; several share its atoms (.gr).",
)
@click.option("--composition", help="Where the header does not tell; else the structure's (.gr).")
@click.option("--qmin", type=_FROM_ZERO, help="Å⁻¹, where the header does not tell (.gr).")
@click.option("--qmax", type=_POSITIVE, help="Å⁻¹, where the header does not tell (.gr).")
@click.option("--qmaxinst", type=_POSITIVE, help="Å⁻¹, where the header does not tell (.gr).")
@click.option("--rpoly", type=_FROM_ZERO, help="Å, where the header does not tell (.gr).")
@click.option("--qdamp", type=_FROM_ZERO, help="Å⁻¹; without it no size is shown (.gr).")
@click.option("--qdamp-sigma", type=_FROM_ZERO, help="Å⁻¹ (.gr).")
@click.option("--qbroad", type=_FROM_ZERO, help="Å⁻¹ (.gr).")
@click.option("--rmin", type=_POSITIVE, help="Å; 0.8 of the shortest distance when left out (.gr).")
@click.option("--rmax", type=_POSITIVE, help="Å; 50 when left out (.gr).")
@click.option("--anisotropic", is_flag=True, help="Other displacements along c than across (.gr).")
@click.option("--plot", type=_NEW, help="Write data, model and difference as an .svg (.gr).")
@click.option("--json", "as_json", is_flag=True, help="Print the results as JSON.")
def analyse(
    file: Path,
    recipe: Path | None,
    out: Path | None,
    structures: tuple[str, ...],
    composition: str | None,
    rmin: float | None,
    rmax: float | None,
    anisotropic: bool,
    plot: Path | None,
    as_json: bool,
    **numbers: float | None,
) -> None:
    """Analyse FILE: results of a run (.nxs) again, or a G(r) that somebody published (.gr).

    All windows of a run go from their stored sums through reduction and analysis, by its own
    recipe or by another one, and are written like those of a live run.

    To a G(r), crystals are fitted: lattice, displacements and domain size, with uncertainties from
    the scatter about the fit. The model goes through the same limits of Q and the same correction
    as the file; --out writes r, G, model and difference.

    \b
    livepdf analyse livepdf-output/hfo2_0001.nxs
    livepdf analyse hfo2_0001.nxs --recipe better.toml --out better.nxs
    livepdf analyse Pt.gr --structure pt --qdamp 0.045 --qbroad 0.017 --plot fit.svg
    livepdf analyse film.gr -s tio2-anatase -s tio2-rutile --composition TiO2 --qdamp 0.045
    """  # noqa: D301  (\b is click's own mark)
    if file.suffix.lower() == ".gr":
        from livepdf.cli.analyse_gr import Wanted, print_gr

        wanted = Wanted(
            structures=structures,
            composition=composition,
            numbers=numbers,
            rmin=rmin,
            rmax=rmax,
            anisotropic=anisotropic,
        )
        print_gr(file, wanted=wanted, out=out, plot=plot, as_json=as_json)
        return
    from livepdf.cli.analyse_run import print_run

    print_run(file, recipe=recipe, out=out, as_json=as_json)
