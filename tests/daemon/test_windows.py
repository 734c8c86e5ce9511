from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from livepdf.config.recipe import Window
from livepdf.daemon.windows import Stretch, WindowCutter
from livepdf.model.sums import Sums
from tests.daemon import beamline


def sums(value: float) -> Sums:
    ones = np.ones(3)
    return Sums(
        signal=value * ones,
        variance=value * ones,
        weight=ones,
        pixels=ones,
        frames=1,
        monitor=1.0,
        exposure=0.5,
    )


def cut(rule: Window, indices: list[int], *, received: float = 0.0) -> list[Stretch]:
    cutter = WindowCutter(rule, run="r", revision=1)
    windows = []
    for index in indices:
        frame = beamline.frame(index, received=received + index)
        windows += cutter.add(frame, sums(float(index)))
    return windows + cutter.cut()


def test_windows_end_at_frame_numbers_whatever_is_missing() -> None:
    windows = cut(Window(frames=4), [1, 2, 5, 6, 7, 16])

    assert [(w.span.first, w.span.last, w.span.frames) for w in windows] == [
        (1, 2, 2),
        (5, 7, 3),
        (16, 16, 1),
    ]
    assert [w.span.number for w in windows] == [0, 1, 2]


def test_a_window_by_number_closes_with_its_last_frame() -> None:
    cutter = WindowCutter(Window(frames=2), run="r", revision=1)

    assert cutter.add(beamline.frame(0), sums(1.0)) == []
    assert len(cutter.add(beamline.frame(1), sums(1.0))) == 1


def test_windows_by_time_follow_the_clock_of_the_detector_not_the_arrival() -> None:
    # frames come every 0.5 s by the detector's clock
    early = cut(Window(seconds=2.0), list(range(10)), received=0.0)
    late = cut(Window(seconds=2.0), list(range(10)), received=1e9)

    assert [w.span.frames for w in early] == [4, 4, 2]
    assert [(w.span.first, w.span.last) for w in late] == [
        (w.span.first, w.span.last) for w in early
    ]


def test_a_clock_that_jumps_back_loses_no_frame() -> None:
    cutter = WindowCutter(Window(seconds=2.0), run="r", revision=1)
    windows = []
    for index, time in enumerate([0.0, 1.0, 1e6, 2.0, 3.0, float("nan")]):
        windows += cutter.add(replace(beamline.frame(index), time=time), sums(1.0))
    windows += cutter.cut()

    assert sum(w.span.frames for w in windows) == 6


@given(st.sets(st.integers(0, 60), min_size=1), st.integers(1, 7))
def test_windows_add_up_to_the_run(indices: set[int], size: int) -> None:
    cutter = WindowCutter(Window(frames=size), run="r", revision=1)
    windows = []
    for index in sorted(indices):
        windows += cutter.add(beamline.frame(index), sums(float(index)))
    windows += cutter.cut()
    whole = cutter.whole()

    assert whole is not None
    assert whole.sums.frames == len(indices) == sum(w.sums.frames for w in windows)
    total = sum(w.sums.signal[0] for w in windows)
    assert whole.sums.signal[0] == pytest.approx(total)


def test_slow_values_are_means_over_the_frames_that_have_them() -> None:
    cutter = WindowCutter(Window(frames=3), run="r", revision=1)
    given = [{"temperature": 300.0}, {}, {"temperature": 310.0, "pressure": float("nan")}]
    windows = []
    for index, environment in enumerate(given):
        windows += cutter.add(beamline.frame(index, environment=environment), sums(1.0))

    assert windows[0].environment[0] == ("temperature", 305.0)


def test_a_slow_value_that_no_frame_has_is_nan_not_absent() -> None:
    cutter = WindowCutter(Window(frames=1), run="r", revision=1)
    (window,) = cutter.add(beamline.frame(0, environment={"pressure": float("nan")}), sums(1.0))

    assert repr(window.environment) == "(('pressure', nan),)"
