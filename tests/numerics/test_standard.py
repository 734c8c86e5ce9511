"""The oracle is diffpy.pdffit2, whose definitions of qdamp and qbroad these are."""

import io
from typing import Any

import numpy as np
import pytest
from diffpy.pdffit2 import PdfFit, redirect_stdout
from diffpy.structure import Atom, Lattice
from diffpy.structure import Structure as Crystallography

from livepdf.files.structures import read_structure
from livepdf.numerics.form_factors import form_factor
from livepdf.numerics.pairs import crystal_pairs
from livepdf.numerics.standard import Crystal, StandardModel, fit_resolution, standard_model

R = 1.5 + 0.12 * np.arange(480)
NICKEL: dict[str, Any] = {
    "stretch": 1.0,
    "uiso": np.array([0.005]),
    "delta2": 2.0,
    "qdamp": 0.04,
    "qbroad": 0.015,
}


def _model(r: np.ndarray = R, rpoly: float = 0.0) -> StandardModel:
    structure = read_structure("ni")
    q = np.linspace(0.0, 30.0, 1000)
    return standard_model(
        Crystal(
            shells=crystal_pairs(
                cell=structure.cell,
                positions=structure.positions,
                species=structure.species_index,
                r_max=float(r[-1]) + 25.0,
            ),
            fractions=np.ones(1),
            density=4 / structure.volume,
            uiso=np.array([0.006]),
        ),
        amplitudes_q=q,
        amplitudes=form_factor(q=q, element="Ni")[None],
        r=r,
        qmin=0.5,
        qmax=25.0,
        qmaxinst=27.0,
        rpoly=rpoly,
    )


def test_nickel_is_calculated_as_pdffit2_does() -> None:
    structure = read_structure("ni")
    lattice = Lattice(*structure.lengths, *structure.angles)
    crystal = Crystallography(
        [Atom("Ni", xyz=xyz, Uisoequiv=0.005) for xyz in structure.positions], lattice=lattice
    )
    # Its ripples start and end with its grid, hence the margins.
    wide = np.arange(0.05, 75.0, 0.01)
    # It talks on a standard output of its own.
    redirect_stdout(io.StringIO())
    other = PdfFit(create_intro=False)
    other.add_structure(crystal)
    other.alloc("X", 25.0, 0.04, float(wide[0]), float(wide[-1]), wide.size)
    other.setvar("qbroad", 0.015)
    other.setvar("delta2", 2.0)
    other.calc()
    expected = np.interp(R, np.array(other.getR()), np.array(other.getpdf_fit()))

    gr = _model().gr(**NICKEL)

    assert np.sqrt(np.mean((gr - expected) ** 2) / np.mean(expected**2)) < 0.02


def test_what_was_put_in_is_found_with_the_error_of_its_scatter() -> None:
    model = _model(rpoly=0.9)
    truth, rng = model.gr(**NICKEL), np.random.default_rng(5)
    noise = 0.02 * np.std(truth)

    fits = [
        fit_resolution(model, gr=0.7 * truth + rng.normal(0, noise, R.size), sigma=None)
        for _ in range(24)
    ]

    for name, expected in (("qdamp", 0.04), ("qbroad", 0.015), ("stretch", 1.0), ("scale", 0.7)):
        values = np.array([getattr(fit, name) for fit in fits])
        sigma = np.median([getattr(fit, f"{name}_sigma") for fit in fits])
        assert abs(np.mean(values) - expected) < 4 * sigma / np.sqrt(24), name
        assert 0.6 < sigma / np.std(values, ddof=1) < 1.6, name


def test_a_lattice_half_a_percent_off_is_still_found() -> None:
    model = _model()

    fit = fit_resolution(model, gr=model.gr(**(NICKEL | {"stretch": 1.0051})), sigma=None)

    assert fit.stretch == pytest.approx(1.0051, abs=1e-6)
    assert fit.qdamp == pytest.approx(0.04, rel=1e-4)


def test_data_that_are_the_opposite_of_a_standard_are_refused() -> None:
    model = _model(1.5 + 0.12 * np.arange(60))

    with pytest.raises(ValueError, match="do not look like"):
        fit_resolution(model, gr=np.zeros(60), sigma=None)
