import numpy as np
import pytest

from livepdf.numerics.pairs import crystal_pairs, distance_histogram, sphere_cut

RANDOM = np.random.default_rng(5)
CELL = np.array([[5.1, 0.0, 0.0], [-0.7, 4.9, 0.0], [-0.8, 0.4, 5.3]])
POSITIONS = RANDOM.random((6, 3))
SPECIES = np.array([0, 1, 1, 0, 1, 2])


def test_shells_of_a_simple_cubic_lattice_are_roots_of_sums_of_three_squares() -> None:
    pairs = crystal_pairs(
        cell=3.0 * np.eye(3), positions=np.zeros((1, 3)), species=np.zeros(1, dtype=int), r_max=9.1
    )

    square = np.rint((pairs.r / 3.0) ** 2).astype(int)
    np.testing.assert_allclose(pairs.r, 3.0 * np.sqrt(square))
    # how many ways n is a sum of three squares (OEIS A005875)
    np.testing.assert_array_equal(square, [1, 2, 3, 4, 5, 6, 8, 9])
    np.testing.assert_array_equal(pairs.count, [6, 12, 8, 6, 24, 24, 12, 30])


def test_shells_of_a_skewed_cell_agree_with_plain_enumeration() -> None:
    r_max = 11.0
    pairs = crystal_pairs(cell=CELL, positions=POSITIONS, species=SPECIES, r_max=r_max)

    images = np.stack(np.meshgrid(*[np.arange(-5, 6)] * 3, indexing="ij"), -1).reshape(-1, 3)
    for a in range(3):
        for b in range(3):
            mine = (pairs.species_a == a) & (pairs.species_b == b)
            vectors = (
                POSITIONS[b == SPECIES][None, :, None] - POSITIONS[a == SPECIES][:, None, None]
            )
            r = np.linalg.norm((vectors + images).reshape(-1, 3) @ CELL, axis=1)
            r = np.sort(r[(r > 1e-6) & (r <= r_max)])
            atoms = (a == SPECIES).sum()
            assert pairs.count[mine].sum() * atoms == pytest.approx(len(r))
            members = np.rint(pairs.count[mine] * atoms).astype(int)
            np.testing.assert_allclose(np.repeat(pairs.r[mine], members), r, atol=1e-6)


def test_a_sees_b_as_often_as_b_sees_a() -> None:
    pairs = crystal_pairs(cell=CELL, positions=POSITIONS, species=SPECIES, r_max=20.0)

    atoms = np.bincount(SPECIES)
    ab = (pairs.species_a == 0) & (pairs.species_b == 1)
    ba = (pairs.species_a == 1) & (pairs.species_b == 0)
    np.testing.assert_allclose(pairs.count[ab] * atoms[0], pairs.count[ba] * atoms[1])


def test_shells_do_not_depend_on_the_cell_that_describes_the_crystal() -> None:
    next_cell = POSITIONS + np.array([1.0, 0.0, 0.0])
    doubled = np.concatenate([POSITIONS, next_cell]) / [2, 1, 1]

    small = crystal_pairs(cell=CELL, positions=POSITIONS, species=SPECIES, r_max=12.0)
    large = crystal_pairs(
        cell=CELL * [[2], [1], [1]], positions=doubled, species=np.tile(SPECIES, 2), r_max=12.0
    )

    np.testing.assert_allclose(small.r, large.r, atol=1e-9)
    np.testing.assert_allclose(small.count, large.count)


def test_a_sphere_holds_the_density_of_the_crystal_on_average() -> None:
    sizes = [
        len(sphere_cut(cell=CELL, positions=POSITIONS, diameter=24.0, centre=RANDOM.random(3))[1])
        for _ in range(200)
    ]

    expected = len(POSITIONS) / np.linalg.det(CELL) * np.pi / 6 * 24.0**3
    assert np.mean(sizes) == pytest.approx(expected, rel=0.01)


def test_a_sphere_reaches_no_further_than_its_radius_and_names_its_atoms() -> None:
    centre = np.array([0.3, 0.9, -2.4])
    cartesian, atom = sphere_cut(cell=CELL, positions=POSITIONS, diameter=15.0, centre=centre)

    assert np.linalg.norm(cartesian, axis=1).max() <= 7.5
    fractional = cartesian @ np.linalg.inv(CELL) + centre - POSITIONS[atom]
    np.testing.assert_allclose(fractional, np.rint(fractional), atol=1e-9)


def test_a_histogram_counts_every_ordered_pair_and_keeps_the_mean_distance() -> None:
    points = RANDOM.random((40, 3)) * 6.0
    species = RANDOM.integers(0, 2, 40)

    histogram = distance_histogram(positions=points, species=species, kinds=2, step=0.01, bins=2000)

    distance = np.linalg.norm(points[:, None] - points[None], axis=-1)
    for a in range(2):
        for b in range(2):
            direct = distance[np.ix_(species == a, species == b)]
            direct = direct[direct > 0.0]
            assert histogram[a, b].sum() == pytest.approx(direct.size)
            mean = (histogram[a, b] * 0.01 * np.arange(2000)).sum() / direct.size
            assert mean == pytest.approx(direct.mean(), rel=1e-12)


def test_the_expected_histogram_of_a_sphere_is_the_crystal_times_the_shape_function() -> None:
    # Over random centres a pair at r survives with γ(r) = 1 - 3t/2 + t³/2, t = r/D.
    diameter, step, bins = 16.0, 0.01, 2200
    total = np.zeros(bins)
    atoms = 0
    for _ in range(60):
        cartesian, atom = sphere_cut(
            cell=CELL, positions=POSITIONS, diameter=diameter, centre=RANDOM.random(3)
        )
        ones = np.zeros(len(atom), dtype=np.int64)
        total += distance_histogram(
            positions=cartesian, species=ones, kinds=1, step=step, bins=bins
        )[0, 0]
        atoms += len(atom)
    shells = crystal_pairs(
        cell=CELL, positions=POSITIONS, species=np.zeros(6, dtype=np.int64), r_max=diameter
    )

    t = shells.r / diameter
    running = np.cumsum(shells.count * (1 - 1.5 * t + 0.5 * t**3))
    for r in (4.0, 8.0, 12.0, 15.9):
        mine = total[: int(r / step)].sum() / atoms
        assert mine == pytest.approx(running[np.searchsorted(shells.r, r) - 1], rel=0.02)


def test_a_grid_too_short_for_the_particle_is_refused() -> None:
    with pytest.raises(ValueError, match="too short"):
        distance_histogram(
            positions=RANDOM.random((9, 3)) * 9,
            species=np.zeros(9, dtype=np.int64),
            kinds=1,
            step=0.1,
            bins=20,
        )


def test_an_empty_cell_is_refused() -> None:
    with pytest.raises(ValueError, match="n > 0"):
        crystal_pairs(
            cell=np.eye(3), positions=np.zeros((0, 3)), species=np.zeros(0, dtype=int), r_max=3.0
        )
