"""Truth put in from outside: explicit atoms, and another program's G(r), through the reduction."""

import io

import numpy as np
import pytest
from diffpy.pdffit2 import PdfFit, redirect_stdout
from diffpy.structure import Atom, Lattice
from diffpy.structure import Structure as Crystallography

from livepdf.files.structures import read_structure
from livepdf.model.curve import Curve
from livepdf.numerics.adhoc import ScaleKind
from livepdf.numerics.compton import mean_compton
from livepdf.numerics.form_factors import form_factor
from livepdf.reduction.curves import reduce_intensity
from livepdf.reduction.plan import build_plan
from livepdf.simulate.debye import debye_intensity, sphere_sums

HFO2 = {"Hf": 1.0, "O": 2.0}
STEP = 0.01


@pytest.fixture(scope="module")
def hafnia() -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Q, the intensity per atom of 5 nm spheres, all atoms explicit, and their exact F(Q)."""
    structure = read_structure("hfo2-monoclinic")
    centres = np.random.default_rng(8).uniform(size=(2, 3))
    sums = sphere_sums(structure, diameter=50.0, q_max=22.5, centres=centres)
    # The spheres have the composition they have; what is told to the reduction is HfO2.
    intensity = debye_intensity(structure, sums)
    f = np.array([form_factor(q=sums.q, element=element) for element in structure.species])
    waves = np.einsum("aq,bq,abq->q", f, f, sums.pairs)
    fq = sums.q * waves / (sums.fraction @ f) ** 2
    return sums.q, intensity, fq


def _rewindowed(
    q: np.ndarray, fq: np.ndarray, r: np.ndarray, *, qmax: float, end: float, rpoly: float
) -> np.ndarray:
    """The model through the data's window: textbook polynomial fit and a plain sine sum."""
    inside = (q >= 0.8) & (q <= end)
    x, y = q[inside], fq[inside]
    degree = rpoly * (x[-1] - x[0]) / np.pi - 1
    parts = []
    for whole in (int(np.floor(degree)), int(np.floor(degree)) + 1):
        columns = x[:, None] * np.polynomial.chebyshev.chebvander(2 * x / x[-1] - 1, whole)
        parts.append(columns @ np.linalg.lstsq(columns, y, rcond=None)[0])
    share = degree - np.floor(degree)
    y = y - (1 - share) * parts[0] - share * parts[1]
    shown = x <= qmax
    kernel = np.sin(np.outer(r, x[shown]))
    return np.asarray(2 / np.pi * np.trapezoid(kernel * y[shown], x[shown], axis=1))


def _maxima(r: np.ndarray, gr: np.ndarray) -> np.ndarray:
    top = np.flatnonzero((gr[1:-1] > gr[:-2]) & (gr[1:-1] > gr[2:]) & (gr[1:-1] > 0.5)) + 1
    a, b, c = gr[top - 1], gr[top], gr[top + 1]
    return np.asarray(r[top] + 0.5 * STEP * (a - c) / (a - 2 * b + c))


@pytest.mark.parametrize("scale", ["mean", "lsq", "high-q"])
@pytest.mark.parametrize(("qmax", "end"), [(20.0, 22.0), (8.0, 9.0)])
def test_peaks_of_hafnia_are_where_the_model_in_the_same_window_has_them(
    hafnia: tuple[np.ndarray, np.ndarray, np.ndarray], qmax: float, end: float, scale: ScaleKind
) -> None:
    q, intensity, fq = hafnia
    # What a detector adds: a slope of Compton scattering that nobody subtracts.
    measured = 3.0 * (intensity + mean_compton(q=q, composition=HFO2, energy=60.0))
    plan = build_plan(
        q=q,
        composition=HFO2,
        qmin=0.8,
        qmax=qmax,
        qmaxinst=end,
        rpoly=0.9,
        rmin=STEP,
        rmax=30.0,
        rstep=STEP,
        scale=scale,
    )

    gr = _gr(reduce_intensity(plan, intensity=measured, sigma=np.sqrt(measured)))

    model = _rewindowed(q, fq, plan.r, qmax=qmax, end=end, rpoly=0.9)
    shown = (plan.r > 1.7) & (plan.r < 30)
    found, expected = _maxima(plan.r[shown], gr.y[shown]), _maxima(plan.r[shown], model[shown])
    nearest = np.array([expected[np.argmin(np.abs(expected - one))] for one in found])
    assert found.size >= (20 if qmax > 10 else 12)
    assert np.max(np.abs(found - nearest)) < 0.005


def test_what_eight_inverse_angstrom_show_of_hafnia_is_not_where_its_atoms_are(
    hafnia: tuple[np.ndarray, np.ndarray, np.ndarray],
) -> None:
    # Hf-Hf distances of 3.44 and 3.95: the second seems to lie at 4.12 where qmax is 8.
    q, intensity, _ = hafnia
    seen = {}
    for qmax in (8.0, 20.0):
        plan = build_plan(
            q=q,
            composition=HFO2,
            qmin=0.8,
            qmax=qmax,
            qmaxinst=qmax,
            rpoly=0.0,
            rmin=STEP,
            rmax=10.0,
            rstep=STEP,
            scale="mean",
        )
        gr = _gr(reduce_intensity(plan, intensity=intensity, sigma=np.ones(q.size)))
        seen[qmax] = _maxima(plan.r, gr.y)

    for qmax, position in ((20.0, 2.13), (20.0, 3.44), (20.0, 3.94), (8.0, 3.44), (8.0, 4.12)):
        assert np.min(np.abs(seen[qmax] - position)) < 0.06
    assert np.min(np.abs(seen[8.0] - 3.95)) > 0.1


@pytest.mark.parametrize(
    ("scale", "value", "tolerance"), [("fixed", 0.25, 3e-3), ("absolute", None, 1.5e-2)]
)
def test_gr_of_nickel_by_another_program_comes_back_through_a_simulated_intensity(
    scale: ScaleKind, value: float | None, tolerance: float
) -> None:
    q, intensity = _nickel()
    if scale == "absolute":
        intensity = intensity + 4.0 * mean_compton(q=q, composition={"Ni": 1}, energy=60.0)
    plan = build_plan(
        q=q,
        composition="Ni",
        qmin=0.02,
        qmax=25.0,
        qmaxinst=25.0,
        # An absolute scale leaves Compton in F: it is slow, and the polynomial's to take out.
        rpoly=0.9 if scale == "absolute" else 0.0,
        rmin=2.0,
        rmax=40.0,
        rstep=0.01,
        scale=scale,
        scale_value=value,
        density=4 / read_structure("ni").volume,
        energy=60.0,
    )

    gr = _gr(reduce_intensity(plan, intensity=intensity, sigma=np.ones(q.size)))

    expected = np.interp(plan.r, *_pdffit(25.0))
    assert np.sqrt(np.mean((gr.y - expected) ** 2) / np.mean(expected**2)) < tolerance


@pytest.mark.parametrize("scale", ["mean", "lsq", "high-q"])
def test_with_any_scale_it_comes_back_but_for_one_factor(scale: ScaleKind) -> None:
    q, intensity = _nickel()
    plan = build_plan(
        q=q,
        composition="Ni",
        qmin=0.02,
        qmax=25.0,
        qmaxinst=25.0,
        rpoly=0.9,
        rmin=2.0,
        rmax=40.0,
        rstep=0.01,
        scale=scale,
    )

    gr = _gr(reduce_intensity(plan, intensity=intensity, sigma=np.ones(q.size))).y

    expected = np.interp(plan.r, *_pdffit(25.0))
    gr = gr * (gr @ expected) / (gr @ gr)
    assert np.sqrt(np.mean((gr - expected) ** 2) / np.mean(expected**2)) < 1.5e-2


def _nickel() -> tuple[np.ndarray, np.ndarray]:
    """Q and the intensity that pdffit2's G(r) without a window belongs to."""
    r, gr = _pdffit(0.0)
    q = 0.02 * np.arange(1, 1301)
    fq = np.trapezoid(np.sin(np.outer(q, r)) * gr, r, axis=1)
    return q, 4.0 * form_factor(q=q, element="Ni") ** 2 * (1 + fq / q)


def _gr(curves: tuple[Curve, ...]) -> Curve:
    return next(curve for curve in curves if curve.kind == "gr")


def _pdffit(qmax: float) -> tuple[np.ndarray, np.ndarray]:
    """G(r) of nickel by diffpy.pdffit2; with qmax 0 it has no window."""
    structure = read_structure("ni")
    crystal = Crystallography(
        [Atom("Ni", xyz=xyz, Uisoequiv=0.005) for xyz in structure.positions],
        lattice=Lattice(*structure.lengths, *structure.angles),
    )
    # It talks on a standard output of its own.
    redirect_stdout(io.StringIO())
    other = PdfFit(create_intro=False)
    other.add_structure(crystal)
    r = np.arange(0.01, 90.0, 0.01)
    other.alloc("X", qmax, 0.06, float(r[0]), float(r[-1]), r.size)
    other.setvar("delta2", 2.0)
    other.calc()
    return np.array(other.getR()), np.array(other.getpdf_fit())
