"""A film crystallises without gaining or losing an atom: what each scale makes of its peaks."""

import numpy as np
import pytest

from livepdf.files.structures import read_structure
from livepdf.numerics.adhoc import ScaleKind
from livepdf.numerics.bulk import bulk_fq
from livepdf.numerics.composition import number_density
from livepdf.numerics.compton import mean_compton
from livepdf.numerics.form_factors import form_factor, mean_form_factors
from livepdf.numerics.pairs import crystal_pairs
from livepdf.reduction.plan import build_plan
from livepdf.reduction.stack import reduce_many

Q = 0.0125 * np.arange(60, 2000)
OXIDE = {"Ti": 1.0, "O": 2.0}


def _fq(r_max: float, u_static: float) -> np.ndarray:
    structure = read_structure("tio2-anatase")
    shells = crystal_pairs(
        cell=structure.cell,
        positions=structure.positions,
        species=structure.species_index,
        r_max=r_max + 20.0,
    )
    return bulk_fq(
        shells,
        q=Q,
        fractions=np.array([1, 2]) / 3,
        amplitudes=np.array([form_factor(q=Q, element=e) for e in structure.species]),
        uiso=np.array([0.005, 0.007]) + u_static,
        r_max=r_max,
        tail=20.0,
        qdamp=0.01,
    )


@pytest.fixture(scope="module")
def series() -> np.ndarray:
    """I(Q) from glass-like (order to 8 Å) to crystal, the short bonds the same, no noise."""
    mean_f, mean_f2 = mean_form_factors(q=Q, composition=OXIDE)
    own = mean_f2 + mean_compton(q=Q, composition=OXIDE, energy=60.0)
    glass, crystal = (mean_f**2 * _fq(r_max, 0.001) / Q for r_max in (3.0, 120.0))
    shares = np.linspace(0.0, 1.0, 11)[:, None]
    return np.asarray(100 * (own + (1 - shares) * glass + shares * crystal))


def _first_peak(series: np.ndarray, kind: ScaleKind) -> np.ndarray:
    plan = build_plan(
        q=Q,
        composition=OXIDE,
        qmin=0.8,
        qmax=22.0,
        qmaxinst=24.0,
        rpoly=0.9,
        rmin=1.0,
        rmax=5.0,
        rstep=0.01,
        scale=kind,
        scale_value=0.01 if kind in ("fixed", "reference") else None,
        density=number_density(OXIDE, density=3.89),
        energy=60.0,
    )
    gr = reduce_many(plan, series, np.zeros(series.shape)).gr
    shown = (plan.r > 1.7) & (plan.r < 2.2)
    peak = gr[:, shown].max(axis=1)
    return np.asarray(peak / peak[0])


def test_lsq_fakes_tens_of_percent_of_the_first_bond(series: np.ndarray) -> None:
    peak = _first_peak(series, "lsq")

    assert peak[-1] < 0.85
    assert np.all(np.diff(peak) < 0)


@pytest.mark.parametrize("kind", ["mean", "high-q", "absolute", "reference"])
def test_the_other_scales_do_not(series: np.ndarray, kind: ScaleKind) -> None:
    np.testing.assert_allclose(_first_peak(series, kind), 1.0, atol=0.01)
