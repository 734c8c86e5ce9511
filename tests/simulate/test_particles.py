import numpy as np
import pytest

from livepdf.files.structures import read_structure
from livepdf.numerics.form_factors import dispersion
from livepdf.simulate.debye import debye_intensity, particle_sums
from livepdf.simulate.particles import Shape, cut, sphere
from livepdf.simulate.sizes import lognormal_intensity, size_table, sphere_intensity
from tests.reference.debye import debye_double_sum

SHAPES = [
    Shape(kind="ellipsoid", width=11.0, aspect=1.5),
    Shape(kind="rod", width=9.0, aspect=2.0),
    Shape(kind="cuboid", width=10.0),
    Shape(width=13.0, shell_strain=-0.03),
]


@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize("name", ["hfo2-monoclinic", "pt"])
def test_any_particle_scatters_as_the_double_sum_over_its_atoms(name: str, shape: Shape) -> None:
    structure, energy = read_structure(name), 60.0
    centre = np.array([0.21, 0.43, 0.65])
    cartesian, atom = cut(structure, shape, centre=centre)

    sums = particle_sums(structure, [(cartesian, atom)], q_max=22.0)

    every = slice(30, None, 60)
    twin = debye_double_sum(
        q=sums.q[every],
        cartesian=cartesian,
        elements=[structure.elements[i] for i in atom],
        uiso=structure.uiso[atom],
        shifts={e: dispersion(element=e, energy=energy) for e in structure.species},
    )
    mine = debye_intensity(structure, sums, energy=energy)[every]
    np.testing.assert_allclose(mine, twin, rtol=1e-3, atol=1e-4 * twin.max())


@pytest.mark.parametrize("shape", SHAPES)
def test_a_particle_holds_the_atoms_of_its_volume(shape: Shape) -> None:
    structure = read_structure("sno2-rutile")
    large = shape.of_diameter(60.0)
    density = len(structure.elements) / structure.volume

    atoms = len(cut(structure, large, centre=np.array([0.3, 0.1, 0.7]))[1])

    assert large.equivalent_diameter == pytest.approx(60.0)
    assert atoms == pytest.approx(density * large.volume, rel=0.02)


def test_a_long_particle_lies_along_c() -> None:
    structure = read_structure("hfo2-monoclinic")
    rod = Shape(kind="rod", width=15.0, aspect=4.0)

    cartesian, _ = cut(structure, rod, centre=np.zeros(3))

    axis = structure.cell[2] / np.linalg.norm(structure.cell[2])
    along = cartesian @ axis
    across = np.linalg.norm(cartesian - np.outer(along, axis), axis=1)
    assert 56 < np.ptp(along) <= 60
    assert 6.5 < across.max() <= 7.5


def test_a_contracted_surface_leaves_the_middle_where_it_was() -> None:
    structure, centre = read_structure("pt"), np.array([0.1, 0.2, 0.3])
    whole, _ = cut(structure, sphere(40.0), centre=centre)
    shape = Shape(width=40.0, shell_strain=-0.02, shell_depth=3.0)

    relaxed, _ = cut(structure, shape, centre=centre)

    radius = np.linalg.norm(whole, axis=1)
    shrunk = np.linalg.norm(relaxed, axis=1) / radius - 1
    assert shrunk[radius.argmax()] == pytest.approx(-0.02)
    assert abs(shrunk[radius < 8]).max() < 4e-4


def test_a_lognormal_of_sizes_has_the_diameter_weighted_by_volume() -> None:
    # Against a plain sum over many sizes, each weighted by its number times its volume.
    table = size_table(read_structure("pt"), smallest=13.0, largest=70.0, q_max=10.0)
    q, s, d43 = np.arange(1.5, 10.0, 0.02), 0.15, 32.0
    sizes = np.linspace(15.0, 68.0, 120)
    median = d43 * np.exp(-3.5 * s**2)
    number = np.exp(-0.5 * (np.log(sizes / median) / s) ** 2) / sizes
    shares = number * sizes**3 / np.sum(number * sizes**3)
    twin = sum(
        w * sphere_intensity(table, q=q, diameter=d) for w, d in zip(shares, sizes, strict=True)
    )

    mine = lognormal_intensity(table, q=q, diameter=d43, spread=s)

    one = lognormal_intensity(table, q=q, diameter=d43, spread=0.0)
    assert np.std(mine - twin) < 0.05 * np.std(mine - one)
