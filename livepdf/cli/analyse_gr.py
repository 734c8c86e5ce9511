"""What `livepdf analyse` does with a G(r): a structure, fitted within the limits of the file."""

import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import cast

import click
import numpy as np
from rich.console import Console
from rich.markup import escape
from rich.table import Table

from livepdf.analysis.estimator.candidate import Candidate
from livepdf.analysis.estimator.published import Limits, PublishedFit, fit_published
from livepdf.cli.svg_plot import Line, svg_plot
from livepdf.errors import Complaint, ConfigError, FileError
from livepdf.files.columns import read_columns, read_text
from livepdf.files.structures import read_structure
from livepdf.model.structure import Structure
from livepdf.numerics.composition import parse_composition
from livepdf.numerics.pairs import crystal_pairs
from livepdf.numerics.tapers import TaperKind

_NUMBER = r"\s*=\s*([-+]?[\d.]+(?:[eE][-+]?\d+)?)"
_KEYS = ("qmin", "qmax", "qmaxinst", "rpoly", "qdamp", "qdamp_sigma", "qbroad")
_TAPERS = {"": "none", "none": "none", "step": "none", "lorch": "lorch-pdfgetx3"}
_SHARP = 0.8
"""Of the shortest distance: the fit begins there."""
_SAME = 1e-6
_FAR = 50.0
"""Å; the fit ends there where nobody says otherwise."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """The options of a fit; None is looked up in the file."""

    structures: tuple[str, ...]
    composition: str | None
    numbers: Mapping[str, float | None]
    """qmin, qmax, qmaxinst, rpoly, qdamp, qdamp_sigma, qbroad."""
    rmin: float | None
    rmax: float | None
    anisotropic: bool


def print_gr(
    file: Path, *, wanted: Wanted, out: Path | None, plot: Path | None, as_json: bool
) -> None:
    """Fit, print a table (or JSON), write curves and a picture where they are wanted."""
    fit = fit_file(file, wanted)
    if out is not None:
        _write_curves(out, fit)
    if plot is not None:
        _write_plot(plot, fit, title=f"{file.name}: {fit.structure}, Rw {fit.rw:.3f}")
    if as_json:
        click.echo(json.dumps(_plain(fit), ensure_ascii=False))
        return
    Console().print(_table(fit))
    click.echo(f"{fit.structure}: Rw {fit.rw:.3f} from {fit.r[0]:g} to {fit.r[-1]:g} Å")


def fit_file(file: Path, wanted: Wanted) -> PublishedFit:
    """Read a G(r) and fit it. FileError or ConfigError says what does not go."""
    if not wanted.structures:
        raise ConfigError([Complaint(str(file), "--structure", "none", "a name or a CIF file")])
    structures = [read_structure(name) for name in wanted.structures]
    names = [structure.name for structure in structures]
    if twice := sorted({name for name in names if names.count(name) > 1}):
        found, rule = f"{', '.join(twice)} twice", "each structure once"
        raise ConfigError([Complaint(str(file), "--structure", found, rule)])
    columns = read_columns(file)
    header = read_text(file) if not columns.header else columns.header
    known = _known(header, wanted)
    limits = _limits(file, header, known)
    composition = wanted.composition or _composition(header)
    told = _common(file, structures) if composition is None else parse_composition(composition)
    shortest = min(_shortest(structure) for structure in structures)
    try:
        return fit_published(
            r=columns.x,
            gr=columns.y,
            limits=limits,
            candidates=[
                Candidate(structure=structure, anisotropic=wanted.anisotropic)
                for structure in structures
            ],
            composition=told,
            rmin=_SHARP * shortest if wanted.rmin is None else wanted.rmin,
            rmax=min(_FAR, float(columns.x[-1])) if wanted.rmax is None else wanted.rmax,
            qdamp=known["qdamp"],
            qdamp_sigma=known["qdamp_sigma"] or 0.0,
            qbroad=known["qbroad"] or 0.0,
        )
    except ValueError as error:
        raise FileError(f"{file}: {error}") from None


def _known(header: str, wanted: Wanted) -> dict[str, float | None]:
    found: dict[str, float | None] = {}
    for key in _KEYS:
        match = re.search(rf"\b{key}{_NUMBER}", header)
        told = wanted.numbers.get(key)
        found[key] = float(match.group(1)) if told is None and match else told
    return found


def _limits(file: Path, header: str, known: Mapping[str, float | None]) -> Limits:
    qmax = known["qmax"]
    if qmax is None:
        wanted = "the Q range of the file in Å⁻¹: its header does not tell"
        raise ConfigError([Complaint(str(file), "--qmax", "nothing", wanted)])
    qmaxinst = known["qmaxinst"] or qmax
    match = re.search(r"^\s*(?:taper|window)\s*=\s*(\S*)", header, re.MULTILINE)
    taper = match.group(1).lower() if match else ""
    return Limits(
        qmin=known["qmin"] or 0.0,
        qmax=min(qmax, qmaxinst),
        qmaxinst=qmaxinst,
        rpoly=known["rpoly"] or 0.0,
        taper=cast(TaperKind, _TAPERS.get(taper, "none")),
    )


def _composition(header: str) -> str | None:
    match = re.search(r"^\s*composition\s*=\s*(\S.*)$", header, re.MULTILINE)
    return match.group(1).strip() if match else None


def _common(file: Path, structures: Sequence[Structure]) -> dict[str, float]:
    """Return the composition that all structures have; ConfigError where they differ."""
    counted = [_counted(structure) for structure in structures]
    shares = [{e: n / sum(one.values()) for e, n in one.items()} for one in counted]
    if any(one.keys() != shares[0].keys() for one in shares) or any(
        abs(one[e] - share) > _SAME for one in shares for e, share in shares[0].items()
    ):
        found = f"none, and {', '.join(structure.name for structure in structures)} differ"
        wanted = "the formula of the whole sample, as it was given to the reduction"
        raise ConfigError([Complaint(str(file), "--composition", found, wanted)])
    return counted[0]


def _counted(structure: Structure) -> dict[str, float]:
    return {e: float(structure.elements.count(e)) for e in structure.species}


def _shortest(structure: Structure) -> float:
    shells = crystal_pairs(
        cell=structure.cell,
        positions=structure.positions,
        species=structure.species_index,
        r_max=max(structure.lengths),
    )
    return float(shells.r.min())


def _table(fit: PublishedFit) -> Table:
    table = Table("value", "", "")
    for trend in fit.trends:
        shown = "" if trend.reason else f"{_rounded(trend.value, trend.sigma)} {trend.unit}"
        table.add_row(escape(trend.name), shown, escape(trend.reason))
    return table


def _rounded(value: float, sigma: float) -> str:
    digits = max(0, 1 - int(np.floor(np.log10(sigma)))) if sigma > 0 else 4
    return f"{value:.{digits}f} ± {sigma:.{digits}f}"


def _plain(fit: PublishedFit) -> dict[str, object]:
    return {
        "structure": fit.structure,
        "rw": fit.rw,
        "rmin": float(fit.r[0]),
        "rmax": float(fit.r[-1]),
        "trends": {
            trend.name: {"reason": trend.reason}
            if trend.reason
            else {"value": trend.value, "sigma": trend.sigma, "unit": trend.unit}
            for trend in fit.trends
        },
    }


def _write_curves(path: Path, fit: PublishedFit) -> None:
    table = np.column_stack([fit.r, fit.gr, fit.model_gr, fit.gr - fit.model_gr])
    try:
        np.savetxt(path, table, fmt="%.6g", header="r (Å)  G  model  difference (Å⁻²)")
    except OSError as error:
        raise FileError(f"{path}: {error.strerror or error}") from None


def _write_plot(path: Path, fit: PublishedFit, *, title: str) -> None:
    rest = fit.gr - fit.model_gr
    drop = 1.1 * (rest.max() - min(fit.gr.min(), fit.model_gr.min()))
    lines: Sequence[Line] = (
        Line(name="data", x=fit.r, y=fit.gr, colour="#1f4e9c"),
        Line(name="model", x=fit.r, y=fit.model_gr, colour="#c8371e"),
        Line(name="difference", x=fit.r, y=rest - drop, colour="#3a7d2c"),
    )
    try:
        path.write_text(
            svg_plot(lines, title=title, x_label="r (Å)", y_label="G(r) (Å⁻²)"), encoding="utf-8"
        )
    except OSError as error:
        raise FileError(f"{path}: {error.strerror or error}") from None
