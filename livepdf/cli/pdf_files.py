"""What `livepdf pdf` writes: curves whose headers repeat the calculation, and the covariance."""

from collections.abc import Sequence
from pathlib import Path

import h5py
import numpy as np
from numpy.typing import NDArray

from livepdf.cli.pdf_job import Done
from livepdf.cli.pdf_settings import Job
from livepdf.errors import FileError
from livepdf.model.curve import Curve, CurveKind
from livepdf.reduction.background import Background
from livepdf.reduction.curves import gr_covariance
from livepdf.reduction.recipes import plan_extras, plan_header
from livepdf.sinks.columns import write_curve


def write_done(job: Job, done: Done, *, out: Path, kinds: Sequence[CurveKind]) -> list[Path]:
    """Write the wanted curves beside each other; each header repeats the calculation.

    A background that is no file as it was read, for it was denoised or belongs to a temperature
    between two that were recorded, is written too and named in the header in place of its source.
    FileError when a file would replace one that the job read.
    """
    made = {b.name: out.with_name(f"{out.stem}.{_plain(b.name)}.bkg") for b in _made(done)}
    header = _header(job, done, {name: path.name for name, path in made.items()})
    paths = {kind: out if kind == "gr" else out.with_suffix(f".{kind}") for kind in kinds}
    for path in (*paths.values(), *made.values()):
        _refuse(path, job)
    for curve in done.curves:
        if curve.kind in paths:
            write_curve(paths[curve.kind], curve, header=header, extras=_extras(job, done))
    for background in _made(done):
        _write_background(made[background.name], background, job, done)
    return [*paths.values(), *made.values()]


def write_covariance(done: Done, *, out: Path, step: float | None) -> Path:
    """Write the covariance of G(r) as HDF5, on every so many points of r; return the file.

    ``r`` (n,) Å, ``G`` (n,) Å⁻² and ``covariance`` (n, n) Å⁻⁴. Points π/(2 qmax) apart, as where
    no step (Å) is given, hold all that there is to know. FileError for a difference, whose noise
    is that of two patterns, or a file that cannot be written.
    """
    path = out.with_suffix(".cov.h5")
    gr = next(curve for curve in done.curves if curve.kind == "gr")
    if done.difference:
        raise FileError(f"{path}: no covariance of a difference; ask for those of both patterns")
    every = np.pi / (2 * done.plan.parameters.qmax) if step is None else step
    stride = max(int(every / done.plan.parameters.rstep), 1)
    at = np.arange(0, gr.x.size, stride, dtype=np.intp)
    covariance = gr_covariance(done.plan, intensity=done.pattern[0], sigma=done.pattern[1], at=at)
    try:
        with h5py.File(path, "w") as file:
            _dataset(file, "r", gr.x[at], "Angstrom")
            _dataset(file, "G", gr.y[at], "1/Angstrom^2")
            _dataset(file, "covariance", covariance, "1/Angstrom^4")
    except OSError as error:
        raise FileError(f"{path}: {error}") from None
    return path


def _dataset(file: h5py.File, name: str, values: NDArray[np.float64], unit: str) -> None:
    file.create_dataset(name, data=values).attrs["units"] = unit


def _made(done: Done) -> list[Background]:
    return [b for b in done.plan.backgrounds if b.made]


def _plain(name: str) -> str:
    return "".join(letter if letter.isalnum() or letter in "._-" else "_" for letter in name)


def _header(job: Job, done: Done, made: dict[str, str]) -> dict[str, object]:
    options = job.options
    header = {
        **plan_header(done.plan, names=made),
        "dataformat": job.axis.unit,
        "inputfile": ", ".join(path.name for path in (options.sample, *options.banks)),
    }
    if job.axis.wavelength is not None:
        header["wavelength"] = job.axis.wavelength
    if job.axis.zero:
        header["twothetazero"] = job.axis.zero
    return header


def _extras(job: Job, done: Done) -> dict[str, object]:
    extras = plan_extras(done.plan)
    if job.wiener:
        extras["taper"] = "wiener"
    if job.quantity != "iq":
        extras["quantity"] = job.quantity
    if job.minus is not None:
        extras["minus"] = job.minus.name
    if done.correlation_length == done.correlation_length:
        extras["correlation_length"] = f"{done.correlation_length:.4g}"
    return extras


def _write_background(path: Path, background: Background, job: Job, done: Done) -> None:
    # Read back it is in the unit of the sample, as every background is.
    curve = Curve(
        kind="iq",
        x=job.axis.as_written(done.plan.q),
        y=background.intensity,
        sigma=background.sigma,
    )
    write_curve(path, curve, header={"dataformat": job.axis.unit}, extras={})


def _refuse(path: Path, job: Job) -> None:
    if path.exists() and any(path.samefile(other) for other in job.read):
        raise FileError(f"{path}: would replace a file that was read; give -o another name")
