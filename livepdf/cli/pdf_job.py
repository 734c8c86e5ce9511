"""What ``livepdf pdf`` does between its options and its files."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import cast

import numpy as np
from numpy.typing import NDArray

from livepdf.config.load import load_recipe
from livepdf.config.recipe import Recipe
from livepdf.errors import Complaint, ConfigError, FileError
from livepdf.files.columns import read_columns
from livepdf.files.pdf_config import PdfConfig, read_pdf_config
from livepdf.model.curve import Curve, CurveKind
from livepdf.numerics.adhoc import ScaleKind
from livepdf.numerics.neutron import merge_banks
from livepdf.numerics.resample import AxisUnit, momentum_transfer, resample_uniform
from livepdf.numerics.tapers import TaperKind
from livepdf.numerics.transform import TransformKind
from livepdf.reduction.background import Background, BackgroundScale, background_on
from livepdf.reduction.curves import (
    FittedScale,
    background_scales,
    bridged_bins,
    intensity_scale,
    reduce_intensity,
)
from livepdf.reduction.parameters import Mode
from livepdf.reduction.plan import Plan, build_plan
from livepdf.reduction.recipes import plan_extras, plan_from_recipe, plan_header
from livepdf.sinks.columns import write_curve

Floats = NDArray[np.float64]


@dataclass(frozen=True, slots=True, kw_only=True)
class Axis:
    """How the x column of the data is to be read."""

    unit: AxisUnit
    wavelength: float | None
    """Å"""
    zero: float = 0.0
    """Degrees, subtracted from 2θ."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Blank:
    """A background file and what it is subtracted with."""

    path: Path
    scale: BackgroundScale
    monitor: float | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Job:
    """One sample with its settings."""

    sample: Path
    config: Path
    axis: Axis
    banks: tuple[Path, ...]
    """Further patterns of the sample, merged with the first."""
    backgrounds: tuple[Blank, ...]
    qmaxinst: float
    """Å⁻¹, as asked for."""
    plan: Callable[[Floats, Floats, Sequence[Background]], Plan]
    """From a Q grid, the intensity and the backgrounds on it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Done:
    """What came of a job."""

    plan: Plan
    curves: tuple[Curve, ...]
    scale: float
    scale_sigma: float
    fitted: tuple[FittedScale, ...]
    """Scales of the backgrounds that were fitted."""
    bridged: int


def read_job(
    *,
    sample: Path,
    config: Path,
    background: Path | None,
    bgscale: BackgroundScale | None,
    dataformat: AxisUnit | None,
    wavelength: float | None,
    banks: Sequence[Path] = (),
) -> Job:
    """Put the options and the settings file together; options win. ConfigError when they clash."""
    if config.suffix.lower() == ".toml":
        job = _recipe_job(sample, config, background, bgscale, dataformat, wavelength)
        return replace(job, banks=tuple(banks))
    settings = read_pdf_config(config)
    axis = Axis(
        unit=dataformat or settings.dataformat,
        wavelength=wavelength or settings.wavelength,
        zero=settings.twothetazero,
    )
    if background is not None:
        chosen = settings.bgscale if bgscale is None else bgscale
        backgrounds: tuple[Blank, ...] = (Blank(path=background, scale=chosen),)
    else:
        named = [(n, s if bgscale is None else bgscale) for n, s in settings.backgrounds]
        backgrounds = _find_all(named, sample=sample, config=config)
    return Job(
        sample=sample,
        config=config,
        axis=axis,
        banks=tuple(banks),
        backgrounds=backgrounds,
        qmaxinst=settings.qmaxinst,
        plan=lambda q, intensity, grids: _plan_from_header(settings, q, intensity, grids),
    )


def run_job(job: Job) -> Done:
    """Read the files and reduce. FileError or ConfigError says what does not go."""
    try:
        q, intensity, sigma = _sample(job)
    except ValueError as error:
        raise FileError(f"{job.sample}: {error}") from None
    backgrounds = [_background(blank, q, job.axis) for blank in job.backgrounds]
    try:
        plan = job.plan(q, intensity, backgrounds)
    except ValueError as error:
        wanted = f"settings that fit {job.sample.name}"
        raise ConfigError([Complaint(str(job.config), "reduction", str(error), wanted)]) from None
    try:
        curves = reduce_intensity(plan, intensity=intensity, sigma=sigma)
    except ValueError as error:
        raise FileError(f"{job.sample}: {error}") from None
    scale, scale_sigma = intensity_scale(plan, intensity=intensity, sigma=sigma)
    return Done(
        plan=plan,
        curves=curves,
        scale=scale,
        scale_sigma=scale_sigma,
        fitted=background_scales(plan, intensity=intensity, sigma=sigma),
        bridged=bridged_bins(plan, intensity),
    )


def write_done(job: Job, done: Done, *, out: Path, kinds: Sequence[CurveKind]) -> list[Path]:
    """Write the wanted curves beside each other; each header repeats the calculation.

    FileError when a file would replace one that the job read.
    """
    header = {
        **plan_header(done.plan),
        "dataformat": job.axis.unit,
        "inputfile": ", ".join(path.name for path in (job.sample, *job.banks)),
    }
    if job.axis.wavelength is not None:
        header["wavelength"] = job.axis.wavelength
    if job.axis.zero:
        header["twothetazero"] = job.axis.zero
    paths = {kind: out if kind == "gr" else out.with_suffix(f".{kind}") for kind in kinds}
    read = [job.sample, job.config, *job.banks, *(blank.path for blank in job.backgrounds)]
    for path in paths.values():
        if path.exists() and any(path.samefile(other) for other in read):
            raise FileError(f"{path}: would replace a file that was read; give -o another name")
    for curve in done.curves:
        if curve.kind in paths:
            write_curve(paths[curve.kind], curve, header=header, extras=plan_extras(done.plan))
    return list(paths.values())


def _recipe_job(
    sample: Path,
    config: Path,
    background: Path | None,
    bgscale: BackgroundScale | None,
    dataformat: AxisUnit | None,
    wavelength: float | None,
) -> Job:
    recipe: Recipe = load_recipe(config)
    unit = dataformat or "QA"
    if unit == "twotheta" and wavelength is None:
        raise ConfigError([Complaint(str(sample), "--wavelength", "nothing", "Å, for 2θ data")])
    named = [
        Blank(path=b.file, scale=b.scale, monitor=b.monitor)
        if bgscale is None
        else Blank(path=b.file, scale=bgscale)
        for b in recipe.background
    ]
    if background is not None:
        named = [Blank(path=background, scale=1.0 if bgscale is None else bgscale)]
    table = recipe.reduction
    return Job(
        sample=sample,
        config=config,
        axis=Axis(unit=unit, wavelength=wavelength),
        banks=(),
        backgrounds=tuple(blank for blank in named if blank.scale != 0),
        qmaxinst=table.qmax if table.qmaxinst is None else table.qmaxinst,
        plan=lambda q, _, grids: plan_from_recipe(recipe, q=q, backgrounds=grids),
    )


def _plan_from_header(
    settings: PdfConfig, q: Floats, intensity: Floats, backgrounds: Sequence[Background]
) -> Plan:
    # PDFgetX3 takes the last point with an intensity where qmaxinst lies beyond it.
    there = np.flatnonzero(np.isfinite(intensity) & (intensity != 0))
    end = float(q[there[-1]]) if there.size else float(q[-1])
    beyond = settings.qmaxinst > end + (q[1] - q[0])
    qmaxinst = end if beyond else settings.qmaxinst
    return build_plan(
        q=q,
        composition=settings.composition,
        qmin=settings.qmin,
        qmax=min(settings.qmax, qmaxinst),
        qmaxinst=qmaxinst,
        rpoly=settings.rpoly,
        rmin=settings.rmin,
        rmax=settings.rmax,
        rstep=settings.rstep,
        scale=cast(ScaleKind, settings.scale),
        scale_value=settings.scale_value,
        taper=cast(TaperKind, settings.taper),
        transform=cast(TransformKind, settings.transform),
        backgrounds=backgrounds,
        mode=cast(Mode, settings.mode),
        scale_sigma=settings.scale_sigma,
        density=settings.density,
        energy=settings.energy,
    )


def _find_all(
    named: Sequence[tuple[str, BackgroundScale]], *, sample: Path, config: Path
) -> tuple[Blank, ...]:
    """Look the header's backgrounds up beside the sample, then beside the config."""
    found, complaints = [], []
    for name, scale in named:
        if scale == 0:
            continue
        path = _find(name, (sample.resolve().parent, config.resolve().parent))
        if path is None:
            wanted = "a file beside the sample or the config, or --background"
            complaints.append(Complaint(str(config), "backgroundfile", name, wanted))
        else:
            found.append(Blank(path=path, scale=scale))
    if complaints:
        raise ConfigError(complaints)
    return tuple(found)


def _find(name: str, folders: Sequence[Path]) -> Path | None:
    # A header may come from a system that does not tell Kapton.chi from kapton.chi.
    for folder in folders:
        if (folder / name).is_file():
            return folder / name
        alike = [path for path in folder.iterdir() if path.name.lower() == Path(name).name.lower()]
        if len(alike) == 1:
            return alike[0]
    return None


def _background(blank: Blank, grid: Floats, axis: Axis) -> Background:
    q, intensity, sigma = _read(blank.path, axis)
    try:
        return background_on(
            grid=grid,
            name=blank.path.name,
            q=q,
            intensity=intensity,
            sigma=sigma,
            scale=blank.scale,
            monitor=blank.monitor,
        )
    except ValueError as error:
        raise FileError(f"{blank.path}: {error}") from None


def _sample(job: Job) -> tuple[Floats, Floats, Floats]:
    """Return the pattern on equal steps of Q; banks are merged on the finest of theirs."""
    q, intensity, sigma = _read(job.sample, job.axis)
    if not job.banks:
        return resample_uniform(q=q, intensity=intensity, sigma=sigma)
    banks = [(q, intensity, sigma), *(_read(path, job.axis) for path in job.banks)]
    step = min(float((one[0][-1] - one[0][0]) / (one[0].size - 1)) for one in banks)
    first = int(np.ceil(min(one[0][0] for one in banks) / step))
    last = int(np.floor(max(one[0][-1] for one in banks) / step))
    grid = np.asarray(step * np.arange(first, last + 1), dtype=np.float64)
    return grid, *merge_banks(onto=grid, banks=banks)


def _read(path: Path, axis: Axis) -> tuple[Floats, Floats, Floats]:
    """Return Q, intensity and σ (NaN where the file has none)."""
    columns = read_columns(path)
    x = columns.x - axis.zero if axis.unit == "twotheta" else columns.x
    try:
        q = momentum_transfer(axis=x, unit=axis.unit, wavelength=axis.wavelength)
    except ValueError as error:
        raise FileError(f"{path}: {error}") from None
    sigma = np.full(q.shape, np.nan) if columns.sigma is None else columns.sigma
    return q, columns.y, sigma
