"""Joining readings to frames, and telling clocks apart."""

import math
import random

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from livepdf.sources.slow_clock import ClockOffset
from livepdf.sources.slow_join import Readings

RAMP = [(float(t), 300.0 + 2.0 * t) for t in range(0, 100, 10)]


def readings(points: list[tuple[float, float]]) -> Readings:
    found = Readings()
    for time, value in points:
        found.add(value, time=time, frame=None)
    return found


def test_a_line_between_readings_gives_a_ramp_exactly() -> None:
    ramp = readings(RAMP)
    for t in np.linspace(0, 90, 37):
        joined = ramp.at(float(t), how="linear", tolerance=15)
        assert joined.value == pytest.approx(300 + 2 * t)
        assert joined.settled == (t < 90)


@settings(deadline=None)
@given(
    points=st.lists(st.floats(0, 1e3), min_size=2, max_size=30, unique=True),
    time=st.floats(-10, 1010),
)
def test_last_and_nearest_are_what_a_search_of_all_readings_finds(
    points: list[float], time: float
) -> None:
    found = readings([(t, t) for t in points])
    last = found.at(time, how="last", tolerance=1e9)
    before = [t for t in points if t <= time]
    assert last.value == max(before) if before else math.isnan(last.value)
    nearest = found.at(time, how="nearest", tolerance=1e9)
    assert abs(nearest.value - time) == min(abs(t - time) for t in points)


def test_a_feed_that_stopped_gives_no_stale_number_but_the_reason() -> None:
    ramp = readings(RAMP)
    for how in ("last", "nearest", "linear"):
        joined = ramp.at(124.0, how=how, tolerance=10)
        assert math.isnan(joined.value)
        assert joined.reason == "silent for 34 s"
        assert not joined.settled


def test_each_absence_has_its_reason() -> None:
    assert Readings().at(1.0, how="last", tolerance=1).reason == "no reading yet"
    ramp = readings(RAMP)
    assert ramp.at(-5.0, how="last", tolerance=1).reason == "before its first reading"
    assert ramp.at(15.0, how="last", tolerance=1).reason == "a gap in its readings"
    assert readings([(0.0, math.nan)]).at(0, how="last", tolerance=1).reason


def test_the_last_reading_of_before_is_settled_at_once() -> None:
    assert readings(RAMP).at(92.0, how="last", tolerance=10).settled
    assert not readings(RAMP).at(92.0, how="nearest", tolerance=10).settled


def test_readings_that_come_late_are_put_in_their_place() -> None:
    assert readings(RAMP[::-1]).at(35.0, how="linear", tolerance=15).value == 370.0


def test_frames_may_be_joined_by_their_number() -> None:
    found = Readings()
    found.add(21.5, time=0.0, frame=3)
    assert found.of_frame(3).value == 21.5
    assert found.of_frame(4).reason == "no reading for frame 4"


@pytest.mark.parametrize("offset", [-3.0, 5.0, 7200.0])
def test_the_offset_of_a_clock_is_found_below_the_spread_of_the_delays(offset: float) -> None:
    rng = random.Random(1)
    clock = ClockOffset()
    for n in range(300):
        sent = 1e9 + n
        delay = 0.02 + rng.expovariate(1 / 0.5)
        clock.add(stamp=sent - offset, received=sent + delay)
    assert clock.offset == pytest.approx(offset + 0.02, abs=0.02)
    assert 0 <= clock.uncertainty < 0.02
    assert clock.correction == clock.offset


def test_a_clock_that_drifts_is_followed() -> None:
    clock = ClockOffset(span=100)
    for n in range(2000):
        clock.add(stamp=1e9 + n - (10 + 1e-2 * n), received=1e9 + n)
    assert clock.offset == pytest.approx(10 + 20, abs=1.1)


def test_an_offset_that_a_delay_explains_is_shown_and_not_used() -> None:
    clock = ClockOffset()
    for n in range(10):
        clock.add(stamp=1e9 + n, received=1e9 + n + 0.8)
    assert clock.offset == pytest.approx(0.8)
    assert clock.correction == 0.0


def test_nothing_is_known_before_a_few_messages() -> None:
    clock = ClockOffset()
    clock.add(stamp=0.0, received=50.0)
    assert math.isnan(clock.offset)
    assert math.isnan(clock.uncertainty)
    assert clock.correction == 0.0
