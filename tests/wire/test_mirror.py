import math

import numpy as np

from livepdf.model.curve import Curve, Result, Span, Trend
from livepdf.wire.mirror import Mirror, RunWindows

Q, R = np.linspace(1, 2, 5), np.linspace(0, 1, 4)


def result(number: int, *, run: str = "r", r: np.ndarray = R) -> Result:  # type: ignore[type-arg]
    span = Span(
        scope="window",
        run=run,
        number=number,
        first=number,
        last=number,
        frames=1,
        start=float(number),
        end=number + 1.0,
        revision=1,
    )
    curves = (
        Curve(kind="iq", x=Q, y=Q + number, sigma=Q),
        Curve(kind="gr", x=r, y=r + number, sigma=r),
    )
    trends = (Trend(name="size", unit="Å", value=float(number), sigma=0.1),)
    return Result(span=span, curves=curves, trends=trends, environment=(("T", 300.0 + number),))


def test_windows_that_come_in_any_order_take_their_places() -> None:
    mirror = Mirror()
    for number in (2, 0, 100):
        mirror.add(result(number))

    windows = mirror.windows
    assert windows is not None
    assert len(windows) == 101
    assert windows.missing() == 1
    np.testing.assert_allclose(windows.gr[100], R + 100)
    assert np.isnan(windows.gr[50]).all()
    assert math.isnan(windows.times()[50])
    assert windows.environment("T")[2] == 302.0
    assert windows.trend_names() == ["size"]
    assert windows.environment_names() == ["T"]


def test_a_view_taken_before_does_not_change_when_more_windows_come() -> None:
    windows = RunWindows("r", q=Q, r=R)
    put(windows, 0)
    view = windows.gr
    for number in range(1, 200):
        put(windows, number)

    assert view.shape == (1, 4)
    np.testing.assert_allclose(view[0], R)
    np.testing.assert_allclose(windows.gr[199], R + 199)


def put(windows: RunWindows, number: int) -> None:
    one = result(number)
    windows.put(
        one.span,
        iq=one.curve("iq").y,
        gr=one.curve("gr").y,
        trends=one.trends,
        environment=one.environment,
    )


def test_another_run_starts_an_empty_history_and_another_grid_moves_it() -> None:
    mirror = Mirror()
    mirror.add(result(0))
    mirror.add(result(0, run="next"))
    assert mirror.windows is not None
    assert mirror.windows.run == "next"

    mirror.add(result(1, run="next", r=np.linspace(0, 9, 7)))
    assert mirror.windows.gr.shape == (2, 7)
    assert mirror.windows.missing() is None
