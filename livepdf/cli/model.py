"""`livepdf model`: G(r) and F(Q) of a model from elsewhere, as data would show it."""

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from livepdf.cli.pdf_options import TAPERS, read_kinds

if TYPE_CHECKING:
    from livepdf.cli.model_job import Modelled
    from livepdf.model.curve import CurveKind

_FILE = click.Path(exists=True, dir_okay=False, path_type=Path)
_POSITIVE = click.FloatRange(min=0, min_open=True)
_NOT_NEGATIVE = click.FloatRange(min=0)


@click.command()
@click.argument("file")
@click.option(
    "--like",
    type=_FILE,
    help="Take limits and composition from this .gr and compare with it, or compare with every "
    "window of these results (.nxs).",
)
@click.option("--qmin", type=_NOT_NEGATIVE, help="1/A; default that of --like, else 0.8.")
@click.option("--qmax", type=_POSITIVE, help="1/A; default that of --like, else 20.")
@click.option("--rpoly", type=_NOT_NEGATIVE, help="Å; default that of --like, else none.")
@click.option("--taper", type=click.Choice([t for t in TAPERS if t != "wiener"]))
@click.option("--rmin", type=_NOT_NEGATIVE, help="Å")
@click.option("--rmax", type=_POSITIVE, help="Å")
@click.option("--rstep", type=_POSITIVE, help="Å")
@click.option(
    "--energy", type=_POSITIVE, help="keV: add f' and f''. Default: what --like was made with."
)
@click.option(
    "--qdamp", type=_NOT_NEGATIVE, default=0.0, show_default=True, help="1/A, of the instrument."
)
@click.option(
    "--uiso",
    type=_NOT_NEGATIVE,
    help="Å², of every atom. Default: what a CIF holds, else 0.005; 0 for more than one step.",
)
@click.option("--diameter", type=_POSITIVE, help="Å, of spheres cut from a crystal or box.")
@click.option("--species", help="Elements of LAMMPS types 1, 2, …: Hf,O")
@click.option("--start", type=click.IntRange(min=0), default=0, help="First step that is read.")
@click.option("--every", type=click.IntRange(min=1), default=1, help="Then every so many steps.")
@click.option("--out", "-o", type=click.Path(dir_okay=False, path_type=Path), help="Default: .gr")
@click.option(
    "--outputs", default="gr", show_default=True, callback=read_kinds, help="Of sq,fq,gr."
)
@click.option("--json", "as_json", is_flag=True, help="Print what was done as JSON.")
def model(
    file: str, out: Path | None, outputs: "tuple[CurveKind, ...]", as_json: bool, **asked: Any
) -> None:
    """Calculate G(r) of FILE in the window of data: same Q range, polynomial and taper.

    FILE is a structure known by name, a CIF, an XYZ cluster, or a trajectory (extended XYZ,
    LAMMPS text dump, XDATCAR and what else ASE reads), whose steps are averaged. With --like the
    model is put on the scale of the data by least squares and Rw is told.

    \b
    livepdf model hfo2-monoclinic --like window_0042.gr --qdamp 0.03 --diameter 45
    livepdf model cluster.xyz --qmin 0.9 --qmax 22 --rmax 20 -o cluster.gr --outputs gr,fq
    livepdf model melt.lammpstrj --species Hf,O --every 10 --like run_0001.nxs
    """  # noqa: D301  # click wants the character \b, not its spelling
    from livepdf.cli.model_job import Wanted, calculate, compare_run, write_modelled

    wanted = Wanted(file=file, **asked)
    done = calculate(wanted)
    target = Path(Path(file).stem + ".gr") if out is None else out
    written = write_modelled(done, out=target, kinds=outputs)
    windows = compare_run(done, wanted)
    for warning in done.warnings:
        click.echo(f"warning: {warning}", err=True)
    if as_json:
        click.echo(json.dumps(_json(done, written, windows)))
        return
    for path in written:
        click.echo(f"wrote {path}")
    steps = "1 step" if done.steps == 1 else f"{done.steps} steps"
    click.echo(f"{done.atoms} atoms of {'-'.join(done.species)}, {steps}")
    if done.agreement is not None:
        scale, rw = done.agreement
        click.echo(f"against {asked['like']}: scale {scale:.4g}, Rw {rw:.4f}")
    for number, scale, rw in windows:
        click.echo(f"window {number}: scale {scale:.4g}, Rw {rw:.4f}")


def _json(
    done: "Modelled", written: list[Path], windows: list[tuple[int, float, float]]
) -> dict[str, object]:
    scale, rw = (None, None) if done.agreement is None else done.agreement
    return {
        "written": [str(path) for path in written],
        "species": list(done.species),
        "atoms": done.atoms,
        "steps": done.steps,
        "scale": scale,
        "rw": rw,
        "windows": [{"number": n, "scale": s, "rw": w} for n, s, w in windows],
        "warnings": list(done.warnings),
    }
