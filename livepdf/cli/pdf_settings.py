"""From the options and the settings file of `livepdf pdf` to one job, before any data is read."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path, PureWindowsPath
from typing import Literal, cast

import numpy as np
from numpy.typing import NDArray

from livepdf.cli.pdf_options import Options
from livepdf.cli.pdf_patterns import Axis, read_pattern
from livepdf.config.load import load_recipe
from livepdf.config.recipe import Background as Told
from livepdf.config.recipe import Recipe
from livepdf.errors import Complaint, ConfigError, FileError
from livepdf.files.columns import read_columns
from livepdf.files.pdf_config import PdfConfig, header_quantity, read_pdf_config
from livepdf.numerics.adhoc import ScaleKind
from livepdf.numerics.capillary import Capillary
from livepdf.numerics.compton import HC
from livepdf.numerics.tapers import TaperKind
from livepdf.numerics.transform import TransformKind
from livepdf.reduction.background import Background, background_on
from livepdf.reduction.parameters import Mode
from livepdf.reduction.plan import Plan, build_plan
from livepdf.reduction.quantities import Quantity
from livepdf.reduction.recipes import plan_from_recipe, recipe_backgrounds

Floats = NDArray[np.float64]
BuildPlan = Callable[[Floats, Floats, Sequence[Background]], Plan]
"""From a Q grid, the intensity and the backgrounds on that grid."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Job:
    """One sample with its settings."""

    options: Options
    axis: Axis
    quantity: Quantity
    read: tuple[Path, ...]
    """Every file that is read, none of which may be written over."""
    backgrounds: Callable[[Floats], list[Background]]
    """Read, on a Q grid."""
    qmaxinst: float
    """Å⁻¹, as asked for."""
    plan: BuildPlan
    wiener: bool
    """Whether the taper is to follow from the pattern's own noise."""
    minus: Path | None
    bond: float | None
    """Å, the shortest distance that the settings tell of."""
    environment: Mapping[str, float] = field(default_factory=dict)


def read_job(options: Options) -> Job:
    """Put the options and the settings file together; options win. ConfigError when they clash."""
    quantity, header = _quantity(options)
    if options.config.suffix.lower() == ".toml":
        return _recipe_job(options, quantity)
    asked = _asked(options)
    if header and options.dataformat is None:
        # Whatever it was made from, an output is in 1/A.
        asked["dataformat"] = "QA"
    settings = read_pdf_config(options.config, section=options.section, options=asked)
    quantity = quantity if header or options.quantity else cast(Quantity, settings.quantity or "iq")
    bare = bool(header) or quantity != "iq"
    if quantity != "iq":
        settings = _as_it_is(settings, options)
    files = () if bare and not options.backgrounds else _header_files(options, settings)
    axis = Axis(
        unit=settings.dataformat, wavelength=settings.wavelength, zero=settings.twothetazero
    )
    minus = options.minus
    if minus is None and settings.minus:
        minus = _found(settings.minus, options, "minus")
    return Job(
        options=options,
        axis=axis,
        quantity=quantity,
        read=_all_read(options, [file.path for file in files], minus),
        backgrounds=lambda grid: [_background(file, grid, axis) for file in files],
        qmaxinst=settings.qmaxinst,
        plan=lambda q, intensity, grids: _plan_from_header(settings, q, intensity, grids),
        wiener=settings.taper == "wiener",
        minus=minus,
        bond=options.bond,
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class _File:
    """A background that a header or an option names."""

    path: Path
    scale: float | Literal["fit", "fit-signed"]
    cell: bool = False


def _quantity(options: Options) -> tuple[Quantity, str]:
    """Return what the data are, and what their own header says of it."""
    header = header_quantity(read_columns(options.sample).header)
    if header == "gr":
        raise FileError(f"{options.sample} is a G(r) already; give the I(Q) that it was made from")
    found = options.quantity or cast(Quantity, header or "iq")
    return found, header


def _asked(options: Options) -> dict[str, str]:
    qmax = None if options.qmax == "auto" else options.qmax
    asked = {
        "dataformat": options.dataformat,
        "wavelength": options.wavelength,
        "qmax": qmax,
        "rpoly": options.rpoly,
        "taper": options.taper,
    }
    return {key: str(value) for key, value in asked.items() if value is not None}


def _as_it_is(settings: PdfConfig, options: Options) -> PdfConfig:
    """Return settings that leave S and F as they are; told backgrounds go with I alone."""
    rpoly = 0.0 if options.rpoly is None else options.rpoly
    return replace(
        settings,
        scale="fixed",
        scale_value=1.0,
        scale_sigma=0.0,
        rpoly=rpoly,
        qmaxinst=settings.qmax,
        capillary=None,
    )


def _recipe_job(options: Options, quantity: Quantity) -> Job:
    recipe = _changed(load_recipe(options.config), options, quantity)
    unit = options.dataformat or "QA"
    if unit == "twotheta" and options.wavelength is None:
        wanted = "Å, for 2θ data"
        raise ConfigError([Complaint(str(options.sample), "--wavelength", "nothing", wanted)])
    axis = Axis(unit=unit, wavelength=options.wavelength)
    energy = None if options.wavelength is None else HC / options.wavelength
    table, told = recipe.reduction, [b for b in recipe.background if b.scale != 0]
    recipe = recipe.model_copy(update={"background": told})
    reference = table.scale_from
    names = {b.match for b in told if b.ramp and b.match != "fit"}
    return Job(
        options=options,
        axis=axis,
        quantity=quantity,
        read=_all_read(options, [path for b in told for path in b.files], options.minus),
        backgrounds=lambda grid: recipe_backgrounds(
            recipe,
            grid=grid,
            patterns=[[read_pattern(path, axis) for path in b.files] for b in told],
        ),
        qmaxinst=table.qmax if table.qmaxinst is None else table.qmaxinst,
        plan=lambda q, _, grids: plan_from_recipe(
            recipe,
            q=q,
            backgrounds=grids,
            energy=energy,
            reference=None if reference is None else read_pattern(reference, axis),
        ),
        wiener=options.taper == "wiener",
        minus=options.minus,
        bond=options.bond or min([peak.near for peak in recipe.peak], default=None),
        environment={}
        if options.temperature is None
        else dict.fromkeys(names, options.temperature),
    )


def _changed(recipe: Recipe, options: Options, quantity: Quantity) -> Recipe:
    """Return the recipe with what the options say in place of its own."""
    changes: dict[str, object] = {}
    if isinstance(options.qmax, float):
        end = recipe.reduction.qmaxinst
        changes |= {"qmax": options.qmax, "qmaxinst": max(end, options.qmax) if end else None}
    if options.rpoly is not None:
        changes["rpoly"] = options.rpoly
    if options.taper is not None and options.taper != "wiener":
        changes["taper"] = options.taper
    backgrounds = recipe.background
    if quantity != "iq":
        changes |= {"scale": "fixed", "scale_value": 1.0, "scale_sigma": 0.0, "scale_from": None}
        changes |= {"qmaxinst": None, "rpoly": options.rpoly or 0.0}
        backgrounds = []
    if options.backgrounds:
        scales = _scales(options, len(options.backgrounds))
        pairs = zip(options.backgrounds, scales, strict=True)
        backgrounds = [Told(file=path, scale=1.0 if s is None else s) for path, s in pairs]
    elif options.bgscales:
        scales = _scales(options, len(backgrounds))
        pairs_told = zip(backgrounds, scales, strict=True)
        update = [{"scale": s, "monitor": None} for _, s in pairs_told]
        backgrounds = [b.model_copy(update=u) for b, u in zip(backgrounds, update, strict=True)]
    more: dict[str, object] = {"background": backgrounds}
    if quantity != "iq":
        more["absorption"] = None
    return recipe.model_copy(
        update={"reduction": recipe.reduction.model_copy(update=changes), **more}
    )


def _scales(options: Options, count: int) -> list[float | Literal["fit"] | None]:
    """Return one scale for each background, None where none was asked for."""
    asked = list(options.bgscales)
    if not asked:
        return [None] * count
    if len(asked) == 1:
        return [asked[0]] * count
    if len(asked) != count:
        found = f"{len(asked)} times"
        wanted = f"once, or once for each of {count} backgrounds"
        raise ConfigError([Complaint(str(options.config), "--bgscale", found, wanted)])
    return [*asked]


def _header_files(options: Options, settings: PdfConfig) -> tuple[_File, ...]:
    """Return the files of the options, or look the header's up; those with scale 0 are left out."""
    if options.backgrounds:
        scales = _scales(options, len(options.backgrounds))
        pairs = zip(options.backgrounds, scales, strict=True)
        return tuple(
            _File(path=path, scale=settings.bgscale if scale is None else scale)
            for path, scale in pairs
        )
    asked = _scales(options, len(settings.backgrounds))
    found, complaints = list[_File](), list[Complaint]()
    for (name, told), scale, cell in zip(settings.backgrounds, asked, settings.cells, strict=True):
        chosen = told if scale is None else scale
        if chosen == 0:
            continue
        try:
            path = _found(name, options, "backgroundfile")
        except ConfigError as error:
            complaints += error.complaints
            continue
        found.append(_File(path=path, scale=chosen, cell=cell))
    if complaints:
        raise ConfigError(complaints)
    return tuple(found)


def _found(name: str, options: Options, key: str) -> Path:
    """Look a file that a header names up beside the sample, then beside the config."""
    folders = (options.sample.resolve().parent, options.config.resolve().parent)
    bare = PureWindowsPath(name).name
    for folder in folders:
        if (folder / name).is_file():
            return folder / name
        # A header may come from a system that does not tell Kapton.chi from kapton.chi.
        alike = [path for path in folder.iterdir() if path.name.lower() == bare.lower()]
        alike = alike or [path for path in sorted(folder.glob(bare)) if path.is_file()]
        if len(alike) == 1:
            return alike[0]
        if alike:
            several = ", ".join(path.name for path in alike)
            raise ConfigError([Complaint(str(options.config), key, several, f"one {bare}")])
    wanted = "a file beside the sample or the config, or --background"
    raise ConfigError([Complaint(str(options.config), key, name, wanted)])


def _background(file: _File, grid: Floats, axis: Axis) -> Background:
    q, intensity, sigma = read_pattern(file.path, axis)
    try:
        background = background_on(
            grid=grid,
            name=file.path.name,
            q=q,
            intensity=intensity,
            sigma=sigma,
            scale="fit" if file.scale == "fit-signed" else file.scale,
            cell=file.cell,
        )
    except ValueError as error:
        raise FileError(f"{file.path}: {error}") from None
    return replace(background, signed=file.scale == "fit-signed")


def _plan_from_header(
    settings: PdfConfig, q: Floats, intensity: Floats, backgrounds: Sequence[Background]
) -> Plan:
    # PDFgetX3 takes the last point with an intensity where qmaxinst lies beyond it.
    there = np.flatnonzero(np.isfinite(intensity) & (intensity != 0))
    end = float(q[there[-1]]) if there.size else float(q[-1])
    beyond = settings.qmaxinst > end + (q[1] - q[0])
    qmaxinst = end if beyond else settings.qmaxinst
    c = settings.capillary
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
        taper=cast(TaperKind, "none" if settings.taper == "wiener" else settings.taper),
        transform=cast(TransformKind, settings.transform),
        backgrounds=backgrounds,
        mode=cast(Mode, settings.mode),
        scale_sigma=settings.scale_sigma,
        density=settings.density,
        energy=settings.energy,
        dispersion=settings.dispersion,
        capillary=None if c is None else Capillary(radius=c[0], mu=c[1], wall=c[2], wall_mu=c[3]),
    )


def _all_read(
    options: Options, backgrounds: Sequence[Path], minus: Path | None
) -> tuple[Path, ...]:
    more = [path for path in (options.scale_from, minus) if path is not None]
    return (options.sample, options.config, *options.banks, *backgrounds, *more)
