import numpy as np
import pytest

from livepdf.files.structures import read_structure
from livepdf.numerics.pairs import sphere_cut
from livepdf.simulate.debye import debye_intensity, sphere_sums
from livepdf.simulate.sizes import size_table, sphere_intensity
from tests.reference.debye import debye_double_sum


@pytest.mark.parametrize("name", ["hfo2-monoclinic", "tio2-anatase", "pt"])
def test_the_intensity_of_a_particle_is_the_double_sum_over_its_atoms(name: str) -> None:
    structure = read_structure(name)
    centre = np.array([0.12, 0.34, 0.56])
    sums = sphere_sums(structure, diameter=13.0, q_max=25.0, centres=centre[None])
    every = slice(30, None, 25)

    cartesian, atom = sphere_cut(
        cell=structure.cell, positions=structure.positions, diameter=13.0, centre=centre
    )
    twin = debye_double_sum(
        q=sums.q[every],
        cartesian=cartesian,
        elements=[structure.elements[i] for i in atom],
        uiso=structure.uiso[atom],
    )

    mine = debye_intensity(structure, sums)[every]
    np.testing.assert_allclose(mine, twin, rtol=1e-3, atol=1e-3 * twin.max() * 0.1)


def test_the_table_of_sizes_agrees_with_particles_it_has_not_seen() -> None:
    structure = read_structure("hfo2-monoclinic")
    table = size_table(structure, smallest=15.0, largest=24.0, q_max=22.0)
    q = np.arange(0.8, 22.0, 0.01)

    for diameter in (16.3, 21.7):
        centres = np.random.default_rng(77).random((60, 3))
        sums = sphere_sums(structure, diameter=diameter, q_max=22.1, centres=centres)
        other = np.interp(q, sums.q, debye_intensity(structure, sums))
        mine = sphere_intensity(table, q=q, diameter=diameter)
        assert np.sqrt(np.mean((mine - other) ** 2)) < 0.015 * np.std(other)


def test_an_expanded_lattice_scatters_as_an_expanded_particle() -> None:
    structure = read_structure("pt")
    stretch, extra = 1.004, 0.003
    table = size_table(structure, smallest=15.0, largest=15.75, q_max=20.0)
    q = np.arange(1.0, 20.0, 0.05)

    mine = sphere_intensity(table, q=q, diameter=15.0 * stretch, stretch=stretch, extra_uiso=extra)

    centres = np.random.default_rng(0).random(
        (max(2, round(8_000 / (4 / structure.volume * np.pi / 6 * 15.0**3))), 3)
    )
    sphere, sizes = np.zeros(len(q)), 0
    for centre in centres[:2]:
        cartesian, atom = sphere_cut(
            cell=structure.cell, positions=structure.positions, diameter=15.0, centre=centre
        )
        sphere += len(atom) * debye_double_sum(
            q=q,
            cartesian=cartesian * stretch,
            elements=["Pt"] * len(atom),
            uiso=np.full(len(atom), structure.uiso[0] + extra),
        )
        sizes += len(atom)
    # two of the centres of the table against all of them: surfaces differ, positions do not
    assert np.sqrt(np.mean((mine - sphere / sizes) ** 2)) < 0.05 * np.std(sphere / sizes)


def test_a_diameter_outside_the_table_is_refused() -> None:
    table = size_table(read_structure("pt"), smallest=10.0, largest=12.0, q_max=10.0)

    with pytest.raises(ValueError, match="outside"):
        sphere_intensity(table, q=np.arange(1.0, 9.0, 0.1), diameter=20.0)
