"""What ``livepdf calibrate-resolution`` does between its options and its lines."""

from dataclasses import dataclass
from pathlib import Path
from typing import cast

import numpy as np
from numpy.typing import NDArray

from livepdf.cli.pdf_job import run_job
from livepdf.cli.pdf_options import Options
from livepdf.cli.pdf_settings import read_job
from livepdf.config.load import load_recipe
from livepdf.config.recipe import Reduction
from livepdf.errors import Complaint, ConfigError, FileError
from livepdf.files.columns import read_columns
from livepdf.files.pdf_config import PdfConfig, read_pdf_config
from livepdf.files.structures import read_structure
from livepdf.model.structure import Structure
from livepdf.numerics.form_factors import form_factor
from livepdf.numerics.neutron import mean_scattering_lengths
from livepdf.numerics.pairs import crystal_pairs
from livepdf.numerics.standard import (
    Crystal,
    ResolutionFit,
    StandardModel,
    fit_resolution,
    standard_model,
)
from livepdf.numerics.tapers import TaperKind

Floats = NDArray[np.float64]

_BEYOND = 25.0
"""Å that the neighbours reach beyond the last r: they fade there, and the lattice may be off."""
_POOR = 0.25
"""Rw above which the fit is no calibration."""
_OFF = 0.003
"""Relative error of the lattice above which distance or energy should be looked at."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """What the data went through."""

    qmin: float
    qmax: float
    qmaxinst: float
    rpoly: float
    taper: TaperKind
    mode: str


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Measured:
    """G(r) of a standard and the limits that made it."""

    r: Floats
    gr: Floats
    sigma: Floats | None
    limits: Limits


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Calibration:
    """The fit and what it belongs to."""

    fit: ResolutionFit
    species: tuple[str, ...]
    lengths: tuple[float, float, float]
    """Å, a, b and c that were assumed."""
    rmin: float
    rmax: float
    held: bool
    """Whether qbroad was told."""
    warnings: tuple[str, ...]


def calibrate(
    *,
    standard: Path,
    structure: str,
    config: Path | None,
    rmin: float,
    rmax: float,
    qbroad: float | None,
) -> Calibration:
    """Read, model and fit. FileError or ConfigError says what does not go."""
    crystal = read_structure(structure)
    data = _measured(standard, config)
    grid = _independent(data, rmin, rmax, standard)
    r, gr = data.r[grid], data.gr[grid]
    sigma = None if data.sigma is None else data.sigma[grid]
    try:
        fit = fit_resolution(_model(crystal, data, r), gr=gr, sigma=sigma, qbroad=qbroad)
    except ValueError as error:
        raise FileError(f"{standard}: {error}") from None
    return Calibration(
        fit=fit,
        species=crystal.species,
        lengths=crystal.lengths,
        rmin=float(r[0]),
        rmax=float(r[-1]),
        held=qbroad is not None,
        warnings=_warnings(fit),
    )


def _measured(standard: Path, config: Path | None) -> Measured:
    if standard.suffix.lower() != ".gr":
        if config is None:
            wanted = "a recipe or a config file, as the standard is no .gr"
            raise ConfigError([Complaint(str(standard), "--config", "nothing", wanted)])
        return _reduced(standard, config)
    columns = read_columns(standard)
    known = columns.sigma is not None and bool(np.all(columns.sigma > 0))
    return Measured(
        r=columns.x,
        gr=columns.y,
        sigma=columns.sigma if known else None,
        limits=_limits(standard if config is None else config),
    )


def _limits(config: Path) -> Limits:
    if config.suffix.lower() == ".toml":
        table: Reduction | PdfConfig = load_recipe(config).reduction
    else:
        table = read_pdf_config(config)
    return Limits(
        qmin=table.qmin,
        qmax=table.qmax,
        qmaxinst=table.qmax if table.qmaxinst is None else table.qmaxinst,
        rpoly=table.rpoly,
        taper=cast(TaperKind, table.taper),
        mode=table.mode,
    )


def _reduced(standard: Path, config: Path) -> Measured:
    done = run_job(read_job(Options(sample=standard, config=config)))
    gr = next(curve for curve in done.curves if curve.kind == "gr")
    known = bool(np.all(gr.sigma[1:] > 0))
    p = done.plan.parameters
    return Measured(
        r=gr.x,
        gr=gr.y,
        sigma=gr.sigma if known else None,
        limits=Limits(
            qmin=p.qmin,
            qmax=p.qmax,
            qmaxinst=p.qmaxinst,
            rpoly=p.rpoly,
            taper=p.taper,
            mode=p.mode,
        ),
    )


def _independent(data: Measured, rmin: float, rmax: float, standard: Path) -> slice:
    """Return every so many points of r that the next brings new information: π/qmax apart."""
    step = float((data.r[-1] - data.r[0]) / (data.r.size - 1))
    first, last = np.searchsorted(data.r, [rmin - 1e-6, rmax + 1e-6])
    grid = slice(int(first), int(last), max(int(np.pi / data.limits.qmax / step), 1))
    if data.r[grid].size < 40:
        raise FileError(
            f"{standard}: r from {data.r[0]:g} to {data.r[-1]:g} A holds "
            f"{data.r[grid].size} independent points between {rmin:g} and {rmax:g}, wanted 40"
        )
    return grid


def _model(structure: Structure, data: Measured, r: Floats) -> StandardModel:
    limits = data.limits
    atoms = np.bincount(structure.species_index, minlength=len(structure.species))
    known = np.where(np.isnan(structure.uiso), 0.005, structure.uiso)
    crystal = Crystal(
        shells=crystal_pairs(
            cell=structure.cell,
            positions=structure.positions,
            species=structure.species_index,
            r_max=float(r[-1]) + _BEYOND,
        ),
        fractions=atoms / atoms.sum(),
        density=len(structure.elements) / structure.volume,
        uiso=np.bincount(structure.species_index, known) / atoms,
    )
    q = np.linspace(0.0, limits.qmaxinst + 0.1, 4000)
    # Printed r may be off by half of its last digit; the transform wants equal steps.
    even = r[0] + (r[-1] - r[0]) / (r.size - 1) * np.arange(r.size)
    return standard_model(
        crystal,
        amplitudes_q=q,
        amplitudes=np.array([_amplitude(q, name, limits.mode) for name in structure.species]),
        r=even,
        qmin=limits.qmin,
        qmax=limits.qmax,
        qmaxinst=limits.qmaxinst,
        rpoly=limits.rpoly,
        taper_kind=limits.taper,
    )


def _amplitude(q: Floats, element: str, mode: str) -> Floats:
    if mode == "neutron":
        return mean_scattering_lengths(q=q, composition={element: 1.0})[0]
    return form_factor(q=q, element=element)


def _warnings(fit: ResolutionFit) -> tuple[str, ...]:
    warnings = []
    if fit.residual > _POOR:
        warnings.append(
            f"Rw is {fit.residual:.2f}: not this standard, or not this structure; do not use"
        )
    if abs(fit.stretch - 1) > _OFF:
        warnings.append(
            f"the lattice is {100 * (fit.stretch - 1):+.2f} % off: look at distance and energy"
        )
    if fit.qdamp < 3 * fit.qdamp_sigma:
        warnings.append("qdamp is not different from zero on this range of r: take a longer one")
    return tuple(warnings)
