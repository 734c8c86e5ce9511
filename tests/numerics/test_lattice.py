import numpy as np
import pytest

from livepdf.numerics.lattice import LATTICES

CELLS = {
    "cubic": ((4.1, 4.1, 4.1), (90.0, 90.0, 90.0)),
    "tetragonal": ((4.1, 4.1, 9.3), (90.0, 90.0, 90.0)),
    "hexagonal": ((4.3, 4.3, 7.0), (90.0, 90.0, 120.0)),
    "rhombohedral": ((5.2, 5.2, 5.2), (57.0, 57.0, 57.0)),
    "orthorhombic": ((4.1, 5.2, 9.3), (90.0, 90.0, 90.0)),
    "monoclinic-a": ((5.1, 5.2, 5.3), (99.2, 90.0, 90.0)),
    "monoclinic-b": ((5.1, 5.2, 5.3), (90.0, 99.2, 90.0)),
    "monoclinic-c": ((5.1, 5.2, 5.3), (90.0, 90.0, 99.2)),
    "triclinic": ((5.1, 6.2, 7.3), (85.0, 99.0, 103.0)),
}


def vectors(lengths: np.ndarray, angles: np.ndarray) -> np.ndarray:
    """Return cell vectors as rows, from the law of cosines alone."""
    cosine = np.cos(np.radians(angles))
    tensor = np.outer(lengths, lengths) * np.array(
        [
            [1.0, cosine[2], cosine[1]],
            [cosine[2], 1.0, cosine[0]],
            [cosine[1], cosine[0], 1.0],
        ]
    )
    return np.linalg.cholesky(tensor)


@pytest.mark.parametrize("name", LATTICES)
def test_keys_times_metric_is_the_squared_distance(name: str) -> None:
    kind, (lengths, angles) = LATTICES[name], CELLS[name]
    difference = np.random.default_rng(1).uniform(-5, 5, (50, 3))

    metric, _ = kind.metric(kind.free(lengths, angles), angles=angles)

    cartesian = difference @ vectors(np.array(lengths), np.array(angles))
    np.testing.assert_allclose(kind.keys(difference) @ metric, (cartesian**2).sum(axis=1))


@pytest.mark.parametrize("name", LATTICES)
def test_the_change_of_the_metric_and_the_volume_is_that_of_finite_differences(name: str) -> None:
    kind, (lengths, angles) = LATTICES[name], CELLS[name]
    free = kind.free(lengths, angles)

    _, change = kind.metric(free, angles=angles)
    volume, by_free = kind.volume(free, angles=angles)

    for k in range(len(free)):
        step = 1e-5 * np.eye(len(free))[k]
        up, down = (kind.metric(free + s, angles=angles)[0] for s in (step, -step))
        np.testing.assert_allclose(change[:, k], (up - down) / 2e-5, atol=1e-6)
        wide, narrow = (
            np.linalg.det(vectors(*np.split(kind.cell(free + s, angles=angles), 2)))
            for s in (step, -step)
        )
        assert by_free[k] * volume == pytest.approx((wide - narrow) / 2e-5, rel=1e-5, abs=1e-6)


def test_only_what_symmetry_leaves_is_free() -> None:
    assert LATTICES["cubic"].names == ("a",)
    assert LATTICES["hexagonal"].names == ("a", "c")
    assert LATTICES["rhombohedral"].names == ("a", "alpha")
    assert LATTICES["monoclinic-b"].names == ("a", "b", "c", "beta")
    assert LATTICES["triclinic"].names == ("a", "b", "c", "alpha", "beta", "gamma")
