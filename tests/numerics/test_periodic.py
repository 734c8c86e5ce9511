import numpy as np
import pytest

from livepdf.files.structures import read_structure
from livepdf.numerics.pairs import crystal_pairs
from livepdf.numerics.periodic import periodic_histogram

STEP = 0.01


@pytest.mark.parametrize("name", ["hfo2-monoclinic", "tio2-anatase", "pt"])
def test_a_box_of_a_crystal_has_the_shells_of_the_crystal(name: str) -> None:
    s = read_structure(name)
    kinds = len(s.species)
    shells = crystal_pairs(cell=s.cell, positions=s.positions, species=s.species_index, r_max=14.0)

    found = periodic_histogram(
        cell=s.cell,
        cartesian=s.positions @ s.cell,
        species=s.species_index,
        kinds=kinds,
        r_max=14.0,
        step=STEP,
    )

    r = STEP * np.arange(found.shape[2])
    atoms = np.bincount(s.species_index)
    for a, b in np.ndindex(kinds, kinds):
        pick = (shells.species_a == a) & (shells.species_b == b)
        assert found[a, b].sum() == pytest.approx(atoms[a] * shells.count[pick].sum())
        # Distances keep their mean when they are shared between grid points.
        mean = np.average(shells.r[pick], weights=shells.count[pick])
        assert found[a, b] @ r / found[a, b].sum() == pytest.approx(mean)


def test_how_atoms_are_wrapped_into_a_skewed_box_does_not_matter() -> None:
    rng = np.random.default_rng(3)
    cell = np.array([[6.0, 0.0, 0.0], [2.5, 5.5, 0.0], [-1.0, 1.5, 7.0]])
    cartesian, kind = rng.random((12, 3)) @ cell, rng.integers(0, 2, 12)
    moved = cartesian + rng.integers(-3, 4, (12, 3)) @ cell
    asked = {"cell": cell, "species": kind, "kinds": 2, "r_max": 11.0, "step": STEP}

    here = periodic_histogram(cartesian=cartesian, **asked)  # type: ignore[arg-type]
    there = periodic_histogram(cartesian=moved, **asked)  # type: ignore[arg-type]

    np.testing.assert_allclose(there, here, atol=1e-6)
    # The twin: every image in a block that is certainly large enough.
    images = np.stack(np.meshgrid(*[np.arange(-4, 5)] * 3, indexing="ij"), axis=-1).reshape(-1, 3)
    every = (cartesian[:, None] + (images @ cell)[None]).reshape(-1, 3)
    distance = np.linalg.norm(cartesian[:, None] - every[None], axis=2)
    assert here.sum() == pytest.approx(np.sum((distance > 1e-9) & (distance <= 11.0)))
