"""A run of any length in memory that does not grow, seen as well as a short one."""

import numpy as np
from livepdf_gui.show.choice import Choice
from livepdf_gui.show.columns import RecordedWindows
from livepdf_gui.show.heatmap import FINEST, MapBuffer, wanted_detail
from livepdf_gui.show.joined import JoinedTrend
from livepdf_gui.show.session import Session
from livepdf_gui.show.state import MapDetail, State
from livepdf_gui.show.tables import trends_csv
from livepdf_gui.show.timescale import ValueScale
from livepdf_gui.show.trends import trends_view

from livepdf.model.curve import Span, Trend

GRID = np.linspace(0.0, 30.0, 3001)


def _run(windows: int) -> RecordedWindows:
    kept = RecordedWindows("long", q=GRID[:60], r=GRID)
    for number in range(windows):
        span = Span(
            scope="window", run="long", number=number, first=10 * number, last=10 * number + 9,
            frames=10, start=100.0 + number, end=101.0 + number, revision=1,
        )  # fmt: skip
        withheld = number % 1000 < 10
        trend = Trend(
            name="size", unit="Å", value=np.nan if withheld else float(number),
            sigma=np.nan if withheld else 2.0, reason="too small" if withheld else "",
        )  # fmt: skip
        row = np.full(GRID.size, np.sin(number))
        kept.put(span, iq=row[:60], gr=row, trends=(trend,), environment=(("T", 300.0),))
    return kept


def test_five_thousand_windows_share_columns_and_points() -> None:
    history = _run(5000).freeze()

    view = MapBuffer("gr").view(history)

    assert view is not None
    assert view.binning == 4
    assert view.image.shape == (501, 1250)
    assert view.layer.means.nbytes < 3e6


def test_a_strip_of_a_long_run_reaches_from_the_lowest_to_the_highest_error() -> None:
    history = _run(5000).freeze()

    strip = trends_view(history, Choice(), before=None).strips[0]

    assert strip.each == 4
    assert strip.value.size == 1250
    # windows 400 to 403: values 400 … 403, σ 2
    assert (strip.value[100], strip.low[100], strip.high[100]) == (401.5, 398.0, 405.0)
    assert np.isnan(strip.value[0])
    assert strip.withheld.size < 20


def test_a_zoom_asks_for_every_window_in_view_and_shows_them_in_the_same_colours() -> None:
    history = _run(3000).freeze()
    buffer = MapBuffer("gr")
    view = buffer.view(history)

    assert wanted_detail(view, 0.0, 3000.0) is None
    wanted = wanted_detail(view, 1000.2, 1000.2 + FINEST - 1)
    assert wanted == (1000, FINEST)
    values = np.full((FINEST, GRID.size), 0.5, dtype=np.float32)
    detail = MapDetail(run="long", kind="gr", first=1000, x=GRID, y=values)
    close = buffer.view(history, detail=detail)
    assert close is not None
    assert close.detail is not None
    assert close.detail.image.shape == (GRID.size, FINEST)
    low, high = close.levels
    assert np.unique(close.detail.image) == [1 + round((0.5 - low) / (high - low) * 254)]
    assert close.value(1005, 12.0) == (12.0, 0.5, True)
    assert wanted_detail(close, 1010.0, 1100.0) is None


def test_a_long_run_is_looked_at_once_a_second_and_at_once_when_something_is_chosen() -> None:
    session = Session("e")
    kept = _run(2000)
    session.take(State(endpoint="e", version=1, history=kept.freeze()))
    first = session.view(now=10.0)

    session.take(State(endpoint="e", version=2, history=kept.freeze()))

    assert session.view(now=10.5).moment is first.moment
    assert session.view(now=11.5).moment is not first.moment
    again = session.view(now=11.6)
    session.act("axis")
    assert session.view(now=11.7).axis.label != again.axis.label


def test_points_of_a_long_trend_follow_a_window_that_changes() -> None:
    kept = _run(4000)
    points = JoinedTrend()
    points.follow(kept.freeze().trends["size"])
    before = points.value.copy()

    again = Trend(name="size", unit="Å", value=1e4, sigma=1.0)
    kept.put(kept.span(500), iq=GRID[:60], gr=GRID, trends=(again,), environment=())
    points.follow(kept.freeze().trends["size"])

    whole = JoinedTrend()
    whole.follow(kept.freeze().trends["size"])
    np.testing.assert_array_equal(points.value, whole.value)
    np.testing.assert_array_equal(points.high, whole.high)
    moved = ~np.isclose(points.value, before, equal_nan=True)
    assert np.flatnonzero(moved).tolist() == [500 // points.each]


def test_ticks_tell_frames_and_temperatures() -> None:
    frames = ValueScale(label="frame", values=10.0 * np.arange(100.0), rising=True)
    slow = ValueScale(label="T", values=np.linspace(300.0, 399.0, 100), rising=False)

    assert frames.ticks(0.0, 100.0, 4) == [(0.0, "0"), (50.0, "500")]
    assert slow.ticks(0.0, 99.0, 2) == [(0.0, "300"), (50.0, "350")]


def test_the_table_of_trends_has_units_errors_and_reasons() -> None:
    rows = [line.split(",") for line in trends_csv(_run(12).freeze()).splitlines()]

    assert rows[0][4:] == ["T", "size (Å)", "σ size (Å)", "size withheld"]
    assert rows[1][:4] == ["0", "100.500", "0", "9"]
    assert rows[1][5:] == ["", "", "too small"]
    assert rows[11][5:] == ["10", "2", ""]
    assert len(rows) == 13
