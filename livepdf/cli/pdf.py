"""`livepdf pdf`: one pattern to G(r)."""

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from livepdf.cli.pdf_options import TAPERS, Options, read_bgscales, read_kinds, read_qmax

if TYPE_CHECKING:
    from livepdf.cli.pdf_job import Done
    from livepdf.cli.pdf_settings import Job
    from livepdf.model.curve import CurveKind, Trend
    from livepdf.reduction.curves import FittedScale

_FILE = click.Path(exists=True, dir_okay=False, path_type=Path)
_POSITIVE = click.FloatRange(min=0, min_open=True)
_OWN_STEP = -1.0
"""Stands for an --covariance without a number."""


@click.command()
@click.argument("sample", type=_FILE)
@click.option(
    "--config", "-c", type=_FILE, required=True, help="Recipe (.toml), .cfg, or an output file."
)
@click.option("--section", "-s", help="Of a .cfg with several samples, which.")
@click.option(
    "--background",
    "-b",
    "backgrounds",
    type=_FILE,
    multiple=True,
    help="Pattern to subtract, in the same units; may be given again. Default: the config's.",
)
@click.option(
    "--bgscale",
    "bgscales",
    metavar="NUMBER|fit",
    multiple=True,
    callback=read_bgscales,
    help="Factor on the background, or fit; once, or once for each. Default: the config's.",
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
    callback=read_kinds,
    help="Which of iq,sq,fq,gr to write, next to each other.",
)
@click.option(
    "--dataformat",
    type=click.Choice(["QA", "Qnm", "twotheta"]),
    help="Unit of the first column: 1/A, 1/nm, degrees; default from the config, QA for recipes.",
)
@click.option(
    "--wavelength",
    type=_POSITIVE,
    help="Å, for twotheta; with a recipe also for what needs the photons' energy.",
)
@click.option(
    "--quantity",
    type=click.Choice(["iq", "sq", "fq"]),
    help="What the second column is; default: what the file's own header says, else iq. S and F "
    "are transformed as they are, without scale, background and (but for --rpoly) polynomial.",
)
@click.option(
    "--qmax",
    metavar="NUMBER|auto",
    callback=read_qmax,
    help="1/A, in place of the config's; auto: where noise begins to outweigh signal.",
)
@click.option("--rpoly", type=click.FloatRange(min=0), help="Å, in place of the config's.")
@click.option(
    "--taper",
    type=click.Choice(TAPERS),
    help="In place of the config's; wiener: what the noise of this very pattern asks for.",
)
@click.option(
    "--temperature", type=float, help="Of the sample, where a background is a series over it."
)
@click.option(
    "--scale-from",
    type=_FILE,
    help="Take the scale of this pattern, which has the same background: for series.",
)
@click.option(
    "--minus",
    type=_FILE,
    help="Write differences: this pattern (or, if it ends in .gr, this G) is taken off. Both get "
    "the scale of the one taken off.",
)
@click.option("--bond", type=_POSITIVE, help="Å, shortest distance between atoms, for advice.")
@click.option(
    "--covariance",
    type=click.FloatRange(min=-1),
    is_flag=False,
    flag_value=_OWN_STEP,
    metavar="[STEP]",
    help="Write the covariance of G as well (.cov.h5), on points STEP Å apart; without a number "
    "so far apart that nothing is lost, with 0 on all.",
)
@click.option("--json", "as_json", is_flag=True, help="Print what was done as JSON.")
def pdf(
    out: Path | None,
    outputs: "tuple[CurveKind, ...]",
    covariance: float | None,
    as_json: bool,
    **asked: Any,
) -> None:
    """Reduce the pattern SAMPLE (two or three columns: Q, I and, where known, its error).

    The config says composition, limits and background: a livepdf recipe, or a config file or
    any output of PDFgetX3 and xPDFsuite, whose numbers are then repeated to the last digit. What
    livepdf writes can be given back as --config too. G(r) gets an error column when every
    pattern that goes in has errors.

    \b
    livepdf pdf Ni.chi --background kapton.chi --config Ni.gr -o again.gr
    livepdf pdf Ni.chi --config recipe.toml --outputs iq,sq,fq,gr
    livepdf pdf hot.chi --config recipe.toml --minus cold.chi -o change.gr
    livepdf pdf bank1.sq --bank bank2.sq --quantity sq --config neutron.toml
    """  # noqa: D301  # click wants the character \b, not its spelling
    from livepdf.cli.pdf_files import write_covariance, write_done
    from livepdf.cli.pdf_job import run_job
    from livepdf.cli.pdf_settings import read_job

    options = Options(**asked)
    job = read_job(options)
    done = run_job(job)
    target = Path(options.sample.with_suffix(".gr").name) if out is None else out
    written = write_done(job, done, out=target, kinds=outputs)
    if covariance is not None:
        written.append(
            write_covariance(done, out=target, step=None if covariance == _OWN_STEP else covariance)
        )
    for warning in done.warnings:
        click.echo(f"warning: {warning}", err=True)
    click.echo(_json(done, written) if as_json else _sentences(job, done, written))


def _json(done: "Done", written: list[Path]) -> str:
    p = done.plan.parameters
    report = {
        "written": [str(path) for path in written],
        "backgrounds": [{"file": b.name, "scale": b.scale} for b in done.plan.backgrounds],
        "fitted": [
            {"name": f.name, "scale": f.value, "sigma": _known(f.sigma)} for f in done.fitted
        ],
        "scale": done.scale,
        "scale_sigma": _known(done.scale_sigma),
        "scale_kind": p.scale,
        "bridged": done.bridged,
        "points": int(done.plan.r.size),
        "qmax": p.qmax,
        "qmaxinst": p.qmaxinst,
        "rpoly": p.rpoly,
        "correlation_length": _known(done.correlation_length),
        "quality": [
            {
                "name": trend.name,
                "unit": trend.unit,
                "value": _known(trend.value),
                "sigma": _known(trend.sigma),
                "reason": trend.reason,
            }
            for trend in done.quality
        ],
        "warnings": list(done.warnings),
    }
    return json.dumps(report)


def _known(value: float) -> float | None:
    """Return None for NaN, which JSON does not have."""
    return value if value == value else None


def _sentences(job: "Job", done: "Done", written: list[Path]) -> str:
    p = done.plan.parameters
    lines = [f"wrote {path}" for path in written]
    lines += [f"{f.name} was subtracted {_times(f)}" for f in done.fitted]
    if done.bridged:
        lines.append(f"{done.bridged} empty bins were interpolated")
    if p.qmaxinst != job.qmaxinst and job.quantity == "iq":
        lines.append(
            f"qmaxinst was {p.qmaxinst:.4f}, the last intensity, instead of {job.qmaxinst:g}"
        )
    lines.append(f"scale {done.scale:.6g}{_sigma(done.scale_sigma)} ({p.scale}), qmax {p.qmax:g}")
    lines += [_told(trend) for trend in done.quality if trend.value == trend.value]
    if done.correlation_length == done.correlation_length:
        lines.append(f"noise of G hangs together over {done.correlation_length:.3f} A")
    return "\n".join(lines)


def _times(fitted: "FittedScale") -> str:
    if fitted.value == 0:
        return "0 times: the fit would have less than nothing of it"
    return f"{fitted.value:.4f}{_sigma(fitted.sigma)} times"


def _told(trend: "Trend") -> str:
    return f"{trend.name} {trend.value:.4g}{_sigma(trend.sigma)} {trend.unit}".rstrip()


def _sigma(value: float) -> str:
    return f"({value:.2g})" if value == value else ""
