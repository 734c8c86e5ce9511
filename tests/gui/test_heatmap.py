import numpy as np
from livepdf_gui.show.heatmap import MapBuffer

from tests.gui.publisher import growing_result
from tests.gui.samples import flat_history, history_of


def _values(view):
    """Undo the colour index."""
    low, high = view.levels
    index = view.image.astype(float)
    return np.where(index == 0, np.nan, low + (index - 1) / 254 * (high - low))


def test_the_map_shows_every_window_in_its_column() -> None:
    values = [0.0, 1.0, -1.0, 0.5]

    view = MapBuffer("gr").view(flat_history(values))

    assert view is not None
    step = (view.levels[1] - view.levels[0]) / 254
    np.testing.assert_allclose(_values(view)[0], values, atol=step)
    assert view.width == 4


def test_an_absent_window_is_absent_and_not_zero() -> None:
    view = MapBuffer("gr").view(flat_history([0.0, np.nan, 1.0]))

    assert view is not None
    assert (view.image[:, 1] == 0).all()
    assert (view.image[:, 0] > 0).all()


def test_the_levels_of_gr_are_centred_on_zero() -> None:
    view = MapBuffer("gr").view(flat_history([0.2, 3.0, -0.5]))

    assert view is not None
    assert view.levels[0] == -view.levels[1]
    assert view.diverging


def test_a_map_grown_window_by_window_equals_one_made_at_once() -> None:
    results = [growing_result(n, start=0.0) for n in range(30)]
    growing = MapBuffer("gr")
    for upto in range(1, 31):
        grown = growing.view(history_of(results[:upto]))
    at_once = MapBuffer("gr").view(history_of(results))

    assert grown is not None
    assert at_once is not None
    steps = [(v.levels[1] - v.levels[0]) / 254 for v in (grown, at_once)]
    limit = min(grown.levels[1], at_once.levels[1])
    np.testing.assert_allclose(
        np.clip(_values(grown), -limit, limit),
        np.clip(_values(at_once), -limit, limit),
        atol=sum(steps),
    )


def test_a_long_run_shares_columns_by_averaging() -> None:
    values = np.repeat([0.0, 1.0], 2000)

    view = MapBuffer("gr").view(flat_history(list(values), points=20))

    assert view is not None
    assert view.binning == 2
    assert view.image.shape[1] == 2000
    shown = _values(view)[0]
    np.testing.assert_allclose(shown[:1000], 0.0, atol=0.01)
    np.testing.assert_allclose(shown[1000:], 1.0, atol=0.01)


def test_another_run_starts_an_empty_map() -> None:
    buffer = MapBuffer("gr")
    buffer.view(history_of([growing_result(n, start=0.0) for n in range(5)]))

    view = buffer.view(history_of([growing_result(0, start=0.0, run="second")]))

    assert view is not None
    assert view.image.shape[1] == 1
