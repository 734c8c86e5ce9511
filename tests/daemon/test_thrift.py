"""What clients may take of the daemon's time: laws of both accounts, for any course of events."""

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from livepdf.daemon.thrift import Rates, Thrift

gaps = st.lists(st.floats(0.0, 5.0), min_size=1, max_size=200)


@given(gaps=gaps, rate=st.floats(0.1, 200.0), burst=st.floats(1.0, 50.0))
def test_in_any_stretch_of_time_nobody_gets_more_than_a_burst_and_the_rate(
    gaps: list[float], rate: float, burst: float
) -> None:
    rates, now, granted = Rates(rate=rate, burst=burst), 0.0, list[float]()
    for gap in gaps:
        now += gap
        if rates.allow(b"peer", now):
            granted.append(now)

    for first in range(len(granted)):
        for last in range(first, len(granted)):
            most = burst + rate * (granted[last] - granted[first])
            assert last - first + 1 <= most + 1e-6


@given(rate=st.floats(0.1, 200.0), burst=st.floats(1.0, 50.0), steps=st.integers(1, 200))
def test_who_asks_no_faster_than_the_rate_is_never_refused(
    rate: float, burst: float, steps: int
) -> None:
    rates = Rates(rate=rate, burst=burst)

    assert all(rates.allow(b"peer", step * 1.0001 / rate) for step in range(steps))


@given(gaps=gaps)
def test_what_one_client_takes_is_not_missing_to_another(gaps: list[float]) -> None:
    alone, beside = Rates(rate=3.0, burst=5.0), Rates(rate=3.0, burst=5.0)
    now = 0.0
    for gap in gaps:
        now += gap
        for _ in range(20):
            beside.allow(b"flood", now)
        assert alone.allow(b"quiet", now) == beside.allow(b"quiet", now)


def test_no_number_of_clients_takes_more_memory_than_the_most_that_are_remembered() -> None:
    rates = Rates(rate=1.0, burst=2.0, most=10)
    for number in range(1000):
        assert rates.allow(str(number).encode(), 0.0)

    # The newest ten are known: of two requests each has made one.
    recent = [str(number).encode() for number in range(990, 1000)]
    assert [rates.allow(peer, 0.0) for peer in recent] == [True] * 10
    assert [rates.allow(peer, 0.0) for peer in recent] == [False] * 10


@given(
    work=st.lists(st.tuples(st.floats(0.0, 1.0), st.floats(0.0, 3.0)), min_size=1, max_size=100),
    share=st.floats(0.01, 0.5),
    saved=st.floats(0.0, 3.0),
)
def test_who_waits_as_told_never_takes_more_than_the_share_and_what_was_saved(
    work: list[tuple[float, float]], share: float, saved: float
) -> None:
    thrift, now, taken, largest = Thrift(share=share, saved=saved), 1.0, 0.0, 0.0
    began = now
    for seconds, idle in work:
        now += idle + thrift.debt(now + idle)
        assert thrift.debt(now) <= 1e-6 / share
        now += seconds
        thrift.spend(seconds, now)
        taken, largest = taken + seconds, max(largest, seconds)
        # The piece that it was just let begin may go beyond, and is paid for afterwards.
        assert taken <= saved + share * (now - began) + largest + 1e-6


@given(st.floats(0.01, 0.5), st.floats(0.1, 2.0))
def test_a_debt_is_paid_by_waiting_for_exactly_as_long_as_was_said(
    share: float, spent: float
) -> None:
    thrift = Thrift(share=share, saved=0.0)
    thrift.spend(spent, 1.0)

    debt = thrift.debt(1.0)

    assert debt == pytest.approx(spent / share)
    assert thrift.debt(1.0 + debt / 2) == pytest.approx(debt / 2)
    assert thrift.debt(1.0 + debt) == pytest.approx(0.0, abs=1e-9)
    assert math.isfinite(debt)


def test_a_clock_that_steps_back_gives_nothing_away() -> None:
    thrift = Thrift(share=0.1, saved=0.0)
    thrift.spend(1.0, 100.0)

    assert thrift.debt(50.0) >= 10.0 - 1e-9
