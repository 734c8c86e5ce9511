import numpy as np
import pytest

from livepdf.analysis.agreement import agreement
from livepdf.analysis.ensemble import build_ensemble, ensemble_fq, xray_amplitudes
from livepdf.files.structures import read_structure
from livepdf.model.snapshot import Snapshot
from livepdf.numerics.bulk import bulk_fq
from livepdf.numerics.form_factors import dispersion, form_factor, mean_form_factors
from livepdf.numerics.pairs import crystal_pairs
from livepdf.simulate.particles import cut, sphere
from tests.reference.debye import debye_double_sum

Q = np.arange(1.0, 20.0, 0.02)
ENERGY = 60.0


def fq_of(snapshots: list[Snapshot], *, r_max: float = 20.0, **more: object) -> np.ndarray:
    ensemble = build_ensemble(snapshots, r_max=r_max)
    composition = dict(zip(ensemble.species, ensemble.fractions, strict=True))
    return ensemble_fq(
        ensemble,
        q=Q,
        amplitudes=xray_amplitudes(ensemble.species, Q, energy=ENERGY),
        mean_f2=mean_form_factors(q=Q, composition=composition, energy=ENERGY)[0] ** 2,
        **more,  # type: ignore[arg-type]
    )


@pytest.mark.parametrize("name", ["hfo2-monoclinic", "pt"])
def test_a_cluster_is_the_double_sum_over_its_atoms(name: str) -> None:
    s = read_structure(name)
    cartesian, atom = cut(s, sphere(12.0), centre=np.array([0.3, 0.6, 0.1]))
    elements = [s.elements[i] for i in atom]
    cluster = Snapshot(elements=tuple(elements), cartesian=cartesian, cell=None)
    uiso = np.full(len(s.species), 0.004)

    mine = fq_of([cluster], uiso=uiso)

    every = slice(None, None, 30)
    composition = {e: elements.count(e) for e in elements}
    mean, square = mean_form_factors(q=Q, composition=composition, energy=ENERGY)
    intensity = debye_double_sum(
        q=Q[every],
        cartesian=cartesian,
        elements=elements,
        uiso=np.full(len(elements), 0.004),
        shifts={e: dispersion(element=e, energy=ENERGY) for e in set(elements)},
    )
    twin = Q[every] * (intensity - square[every]) / mean[every] ** 2
    np.testing.assert_allclose(mine[every], twin, atol=2e-3 * np.abs(twin).max())


def test_a_box_that_shakes_is_a_crystal_with_that_displacement() -> None:
    s, uiso, rng = read_structure("pt"), 0.006, np.random.default_rng(1)
    times = 4
    cells = np.stack(np.meshgrid(*[np.arange(times)] * 3, indexing="ij"), axis=-1).reshape(-1, 3)
    places = (s.positions[:, None] + cells[None]).reshape(-1, 3) @ s.cell
    box = [
        Snapshot(
            elements=("Pt",) * len(places),
            cartesian=places + rng.normal(0.0, np.sqrt(uiso), places.shape),
            cell=times * s.cell,
        )
        for _ in range(12)
    ]

    mine = fq_of(box, r_max=15.0)

    still = Snapshot(elements=s.elements, cartesian=s.positions @ s.cell, cell=s.cell)
    twin = fq_of([still], r_max=15.0, uiso=np.array([uiso]))
    high = Q > 3.0
    assert np.std((mine - twin)[high]) < 0.08 * np.std(twin[high])


def test_a_crystal_given_as_a_box_is_the_crystal() -> None:
    s = read_structure("tio2-anatase")
    kind, uiso = s.species_index, np.array([0.004, 0.007])
    one = Snapshot(elements=s.elements, cartesian=s.positions @ s.cell, cell=s.cell)
    ensemble = build_ensemble([one], r_max=25.0)
    f = np.array([form_factor(q=Q, element=e) for e in s.species])

    mine = ensemble_fq(
        ensemble,
        q=Q,
        amplitudes=f.astype(np.complex128),
        mean_f2=(np.bincount(kind) / len(kind) @ f) ** 2,
        uiso=uiso,
        qdamp=0.03,
    )

    shells = crystal_pairs(cell=s.cell, positions=s.positions, species=kind, r_max=35.0)
    fractions = np.bincount(kind) / len(kind)
    twin = bulk_fq(
        shells, q=Q, fractions=fractions, amplitudes=f, uiso=uiso, r_max=25.0, qdamp=0.03
    )
    # The twin has the small-angle scattering of its end, which the box has not.
    high = Q > 3.0
    assert np.std((mine - twin)[high]) < 5e-3 * np.std(twin[high])


def test_steps_that_do_not_belong_together_are_refused() -> None:
    cluster = Snapshot(elements=("Pt", "Pt"), cartesian=np.eye(3)[:2], cell=None)
    boxed = Snapshot(elements=("Pt", "Pt"), cartesian=np.eye(3)[:2], cell=9 * np.eye(3))
    other = Snapshot(elements=("Pt", "Ni"), cartesian=np.eye(3)[:2], cell=None)

    for steps in ([cluster, boxed], [cluster, other], []):
        with pytest.raises(ValueError, match=r"steps differ|without a single"):
            build_ensemble(steps, r_max=10.0)


def test_agreement_is_scale_and_weighted_residual() -> None:
    model = np.array([1.0, -2.0, 3.0])
    data = 2.0 * model + np.array([0.3, 0.15, 0.0])

    scale, rw = agreement(data=data, model=model)

    assert agreement(data=2.0 * model, model=model) == pytest.approx((2.0, 0.0), abs=1e-12)
    assert scale == pytest.approx(2.0)
    assert rw == pytest.approx(np.sqrt((0.3**2 + 0.15**2) / np.sum(data**2)))
    assert np.isnan(agreement(data=data, model=np.zeros(3))).all()
