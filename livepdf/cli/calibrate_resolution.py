"""`livepdf calibrate-resolution`: what a standard says about the resolution of an instrument."""

import json
from pathlib import Path
from typing import TYPE_CHECKING

import click

if TYPE_CHECKING:
    from livepdf.cli.standard_job import Calibration

_FILE = click.Path(exists=True, dir_okay=False, path_type=Path)
_POSITIVE = click.FloatRange(min=0, min_open=True)


@click.command("calibrate-resolution")
@click.argument("standard", type=_FILE)
@click.option(
    "--structure", "-s", required=True, help="Of the standard: ni, ceo2, … or a CIF file."
)
@click.option(
    "--config",
    "-c",
    type=_FILE,
    help="Recipe (.toml), .cfg or output file; a .gr that says how it was made needs none.",
)
@click.option("--rmin", type=_POSITIVE, default=1.5, show_default=True, help="Å")
@click.option("--rmax", type=_POSITIVE, default=100.0, show_default=True, help="Å")
@click.option(
    "--qbroad", type=click.FloatRange(min=0), help="Å⁻¹, held at this value; fitted by default."
)
@click.option("--json", "as_json", is_flag=True, help="Print everything as JSON.")
def calibrate_resolution(
    standard: Path,
    structure: str,
    config: Path | None,
    rmin: float,
    rmax: float,
    qbroad: float | None,
    as_json: bool,
) -> None:
    """Fit a well crystallised standard (STANDARD is its .gr, or its I(Q) with --config).

    Scale, lattice, displacements, qdamp and qbroad are fitted, as PDFgui defines them, and the
    lines for the profile are printed. Use the sample's own holder and position; crystallites of
    the standard should be larger than half a micrometre, as smaller ones look like qdamp.

    \b
    livepdf calibrate-resolution Ni.gr --structure ni
    livepdf calibrate-resolution CeO2.chi --structure ceo2 --config recipe.toml
    """  # noqa: D301  # click wants the character \b, not its spelling
    from livepdf.cli.standard_job import calibrate

    found = calibrate(
        standard=standard, structure=structure, config=config, rmin=rmin, rmax=rmax, qbroad=qbroad
    )
    click.echo(_json(found) if as_json else _lines(found))


def _json(found: "Calibration") -> str:
    fit = found.fit
    return json.dumps(
        {
            "qdamp": fit.qdamp,
            "qdamp_sigma": fit.qdamp_sigma,
            "qbroad": fit.qbroad,
            "qbroad_sigma": fit.qbroad_sigma,
            "scale": fit.scale,
            "scale_sigma": fit.scale_sigma,
            "lattice": [fit.stretch * length for length in found.lengths],
            "lattice_sigma": [fit.stretch_sigma * length for length in found.lengths],
            "uiso": dict(zip(found.species, fit.uiso.tolist(), strict=True)),
            "uiso_sigma": dict(zip(found.species, fit.uiso_sigma.tolist(), strict=True)),
            "delta2": fit.delta2,
            "rw": fit.residual,
            "rmin": found.rmin,
            "rmax": found.rmax,
            "warnings": list(found.warnings),
        }
    )


def _lines(found: "Calibration") -> str:
    fit = found.fit
    lattice = ", ".join(f"{fit.stretch * length:.5f}" for length in found.lengths)
    motion = ", ".join(
        f"{name} {value:.5f}({sigma:.5f})"
        for name, value, sigma in zip(found.species, fit.uiso, fit.uiso_sigma, strict=True)
    )
    return "\n".join(
        [
            "[resolution]",
            f"qdamp = {fit.qdamp:.5f}",
            f"qdamp_sigma = {fit.qdamp_sigma:.5f}",
            f"qbroad = {fit.qbroad:.5f}",
            "",
            "# qbroad was " + ("held" if found.held else f"found to {fit.qbroad_sigma:.5f} 1/A"),
            f"# lattice {lattice} A, {1e6 * (fit.stretch - 1):+.0f}({1e6 * fit.stretch_sigma:.0f})"
            " ppm from the one assumed",
            f"# U {motion} A^2, delta2 {fit.delta2:.2f} A^2",
            f"# scale {fit.scale:.4f}({fit.scale_sigma:.4f}), Rw {fit.residual:.3f}"
            f" on {found.rmin:g} to {found.rmax:g} A",
            *(f"# WARNING: {warning}" for warning in found.warnings),
        ]
    )
