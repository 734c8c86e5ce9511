import numpy as np
import pytest

from livepdf.model.pyramid import Pyramid

X = np.linspace(0.0, 10.0, 101)


def _filled(rows: np.ndarray, *, columns: int = 64) -> Pyramid:
    pyramid = Pyramid(X, columns=columns)
    for number, row in enumerate(rows):
        pyramid.put(number, row, revision=1)
    return pyramid


def test_every_column_is_the_mean_of_its_windows() -> None:
    rows = np.random.default_rng(0).normal(size=(300, X.size))

    layer = _filled(rows).freeze()

    assert layer.each == 8
    for column in range(300 // 8):
        block = rows[8 * column : 8 * column + 8]
        np.testing.assert_allclose(layer.means[column], block.mean(axis=0), atol=1e-5)
    np.testing.assert_allclose(layer.means[37], rows[296:].mean(axis=0), atol=1e-5)
    assert layer.held[37] == 4


def test_what_is_not_finite_takes_no_part_in_the_mean() -> None:
    rows = np.ones((128, X.size))
    rows[::2, 5] = np.nan
    rows[:, 7] = np.nan

    layer = _filled(rows).freeze()

    assert layer.each == 2
    np.testing.assert_array_equal(layer.means[:, 5], 1.0)
    assert np.isnan(layer.means[:, 7]).all()


def test_many_points_share_a_row_and_keep_their_place() -> None:
    x = np.linspace(0.0, 30.0, 3001)
    pyramid = Pyramid(x, rows=500)
    pyramid.put(0, 2.0 * x, revision=1)

    layer = pyramid.freeze()

    assert layer.x.size == layer.means.shape[1] <= 500
    np.testing.assert_allclose(layer.means[0], 2.0 * layer.x, rtol=1e-6)
    assert layer.edges[0] == pytest.approx(-0.005)


@pytest.mark.parametrize("backwards", [False, True])
def test_a_column_that_is_renewed_whole_holds_the_newer_alone(backwards: bool) -> None:
    rows = np.zeros((256, X.size))
    pyramid = _filled(rows)
    order = range(256)
    for done, number in enumerate(reversed(order) if backwards else order):
        if done == 130:
            mixed = pyramid.freeze().means
            assert set(np.unique(mixed)) == {0.0, 1.0}
        pyramid.put(number, rows[number] + 1.0, revision=2)

    np.testing.assert_array_equal(pyramid.freeze().means, 1.0)


def test_a_column_that_grows_while_it_is_renewed_ends_with_the_newer_alone() -> None:
    # windows 0 to 130 by the old plan; then new ones come and the old ones follow backwards,
    # while the columns are joined twice
    pyramid = _filled(np.zeros((131, X.size)))
    old = iter(range(130, -1, -1))
    for number in range(131, 600):
        pyramid.put(number, np.ones(X.size), revision=2)
        for _ in range(2):
            if (again := next(old, None)) is not None:
                pyramid.put(again, np.ones(X.size), revision=2)

    layer = pyramid.freeze()
    assert layer.each == 16
    np.testing.assert_array_equal(layer.means, 1.0)
    assert layer.held.sum() == 600


def test_what_was_frozen_is_not_changed_by_columns_that_come_or_join() -> None:
    pyramid = _filled(np.ones((60, X.size)))
    layer = pyramid.freeze()
    for number in range(60, 200):
        pyramid.put(number, np.full(X.size, 5.0), revision=1)

    np.testing.assert_array_equal(layer.means, 1.0)
    np.testing.assert_array_equal(layer.held, 1)


def test_one_that_begins_with_the_layer_of_another_goes_on_like_it() -> None:
    rows = np.random.default_rng(1).normal(size=(200, X.size))
    whole, first = _filled(rows), _filled(rows[:150])
    frozen = first.freeze()
    second = Pyramid(X, columns=64)
    seen = np.ones(150, dtype=bool)
    second.absorb(means=frozen.means, held=frozen.held, each=frozen.each, seen=seen, revision=1)
    for number in range(150, 200):
        second.put(number, rows[number], revision=1)

    np.testing.assert_allclose(second.freeze().means, whole.freeze().means, atol=1e-5)


def test_another_grid_interpolates_and_leaves_its_outside_empty() -> None:
    pyramid = _filled(np.tile(3.0 * X, (10, 1)))

    moved = pyramid.on(np.linspace(0.0, 20.0, 41))

    layer = moved.freeze()
    inside = layer.x <= 10.0
    np.testing.assert_allclose(layer.means[:, inside], np.tile(3.0 * layer.x[inside], (10, 1)))
    assert np.isnan(layer.means[:, ~inside]).all()
