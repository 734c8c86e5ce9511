"""`livepdf pdf`: one pattern to G(r)."""

import json
from pathlib import Path
from typing import TYPE_CHECKING, Literal

import click

if TYPE_CHECKING:
    from livepdf.cli.pdf_job import Done, Job
    from livepdf.model.curve import CurveKind
    from livepdf.numerics.resample import AxisUnit

_FILE = click.Path(exists=True, dir_okay=False, path_type=Path)
_KINDS: "tuple[CurveKind, ...]" = ("iq", "sq", "fq", "gr")


def _kinds(
    context: click.Context,  # noqa: ARG001
    parameter: click.Parameter,  # noqa: ARG001
    value: str,
) -> "tuple[CurveKind, ...]":
    wanted = [word.strip() for word in value.split(",") if word.strip()]
    unknown = [word for word in wanted if word not in _KINDS]
    if unknown or not wanted:
        raise click.BadParameter(f"{value!r}: wanted some of {','.join(_KINDS)}")
    return tuple(kind for kind in _KINDS if kind in wanted)


def _bgscale(
    context: click.Context,  # noqa: ARG001
    parameter: click.Parameter,  # noqa: ARG001
    value: str | None,
) -> 'float | Literal["fit"] | None':
    if value is None or value == "fit":
        return "fit" if value else None
    try:
        return float(value)
    except ValueError:
        raise click.BadParameter(f"{value!r}: wanted a number or fit") from None


@click.command()
@click.argument("sample", type=_FILE)
@click.option(
    "--config", "-c", type=_FILE, required=True, help="Recipe (.toml), .cfg, or an output file."
)
@click.option("--background", "-b", type=_FILE, help="Pattern to subtract, in the same units.")
@click.option(
    "--bgscale",
    metavar="NUMBER|fit",
    callback=_bgscale,
    help="Factor on the background, or fit; default from the config.",
)
@click.option(
    "--bank",
    "banks",
    type=_FILE,
    multiple=True,
    help="A further pattern of the same sample with errors, e.g. of another detector bank: they "
    "are merged, each point weighted by 1/σ². May be given again.",
)
@click.option(
    "--out",
    "-o",
    type=click.Path(dir_okay=False, path_type=Path),
    help="Where G(r) goes; default the sample's name with .gr in this folder.",
)
@click.option(
    "--outputs",
    default="gr",
    show_default=True,
    callback=_kinds,
    help="Which of iq,sq,fq,gr to write, next to each other.",
)
@click.option(
    "--dataformat",
    type=click.Choice(["QA", "Qnm", "twotheta"]),
    help="Unit of the first column: 1/A, 1/nm, degrees; default from the config, QA for recipes.",
)
@click.option("--wavelength", type=click.FloatRange(min=0, min_open=True), help="Å, for twotheta.")
@click.option("--json", "as_json", is_flag=True, help="Print what was done as JSON.")
def pdf(
    sample: Path,
    config: Path,
    background: Path | None,
    bgscale: 'float | Literal["fit"] | None',
    banks: tuple[Path, ...],
    out: Path | None,
    outputs: "tuple[CurveKind, ...]",
    dataformat: "AxisUnit | None",
    wavelength: float | None,
    as_json: bool,
) -> None:
    """Reduce the pattern SAMPLE (two or three columns: Q, I and, where known, its error).

    The config says composition, limits and background: a livepdf recipe, or a config file or
    any output of PDFgetX3 and xPDFsuite, whose numbers are then repeated to the last digit. What
    livepdf writes can be given back as --config too. G(r) gets an error column when every
    pattern that goes in has errors.

    \b
    livepdf pdf Ni.chi --background kapton.chi --config Ni.gr -o again.gr
    livepdf pdf Ni.chi --config recipe.toml --outputs iq,sq,fq,gr
    """  # noqa: D301  # click wants the character \b, not its spelling
    from livepdf.cli.pdf_job import read_job, run_job, write_done

    job = read_job(
        sample=sample,
        config=config,
        background=background,
        bgscale=bgscale,
        dataformat=dataformat,
        wavelength=wavelength,
        banks=banks,
    )
    done = run_job(job)
    target = Path(sample.with_suffix(".gr").name) if out is None else out
    written = write_done(job, done, out=target, kinds=outputs)
    tell = _json if as_json else _sentences
    click.echo(tell(job, done, written))


def _json(job: "Job", done: "Done", written: list[Path]) -> str:
    report = {
        "written": [str(path) for path in written],
        "backgrounds": [{"file": str(b.path), "scale": b.scale} for b in job.backgrounds],
        "fitted": [
            {"name": f.name, "scale": f.value, "sigma": _known(f.sigma)} for f in done.fitted
        ],
        "scale": done.scale,
        "scale_sigma": _known(done.scale_sigma),
        "bridged": done.bridged,
        "points": int(done.plan.r.size),
        "qmaxinst": done.plan.parameters.qmaxinst,
    }
    return json.dumps(report)


def _known(value: float) -> float | None:
    """Return None for NaN, which JSON does not have."""
    return value if value == value else None


def _sentences(job: "Job", done: "Done", written: list[Path]) -> str:
    lines = [f"wrote {path}" for path in written]
    lines += [f"{f.name} was subtracted {f.value:.4f}({f.sigma:.4f}) times" for f in done.fitted]
    if done.bridged:
        lines.append(f"{done.bridged} empty bins were interpolated")
    end = done.plan.parameters.qmaxinst
    if end != job.qmaxinst:
        lines.append(f"qmaxinst was {end:.4f}, the last intensity, instead of {job.qmaxinst:g}")
    return "\n".join(lines)
