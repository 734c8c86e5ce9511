"""Sinks that hang, fail or are slow keep nobody waiting, and what they lose is counted and said."""

import threading
import time
from collections.abc import Callable

from livepdf.daemon.board import Board
from livepdf.daemon.relay import Relay
from livepdf.model.curve import Result
from livepdf.model.status import Event, Status
from tests.sinks.made import result

PATIENCE = 60.0


class Noting:
    """A sink that keeps the numbers of the windows that it took."""

    def __init__(self, act: Callable[[Result], None] = lambda _: None) -> None:
        self._act = act
        self.took: list[int] = []
        self.closed = False

    def result(self, result: Result) -> None:
        self._act(result)
        self.took.append(result.span.number)

    def event(self, event: Event) -> None:
        """Take nothing."""

    def flag(self, name: str, raised: bool, words: str) -> None:
        """Take nothing."""

    def status(self, status: Status) -> None:
        """Take nothing."""

    def close(self) -> None:
        self.closed = True


def wait(until: Callable[[], bool]) -> None:
    deadline = time.monotonic() + PATIENCE
    while not until():
        assert time.monotonic() < deadline
        time.sleep(0.01)


def test_every_item_is_taken_in_order_by_every_sink_and_all_are_closed() -> None:
    sinks = [Noting(), Noting()]
    relay = Relay([(str(n), sink) for n, sink in enumerate(sinks)], Board())
    for number in range(150):
        relay.result(result(number))
    relay.close()

    assert [sink.took for sink in sinks] == [list(range(150))] * 2
    assert all(sink.closed for sink in sinks)
    assert relay.dropped() == {}


def test_a_sink_that_hangs_delays_nobody_loses_its_oldest_and_is_told_of() -> None:
    begun, go_on = threading.Event(), threading.Event()

    def hang(_: Result) -> None:
        begun.set()
        go_on.wait(PATIENCE)

    hangs, works = Noting(hang), Noting()
    board = Board()
    relay = Relay([("hangs", hangs), ("works", works)], board)

    relay.result(result(0))
    assert begun.wait(PATIENCE)
    wait(lambda: works.took == [0])
    began = time.monotonic()
    for number in range(1, 1001):
        relay.result(result(number))
        if number % 100 == 0:
            wait(lambda n=number: works.took[-1] == n)  # type: ignore[misc]
    assert time.monotonic() - began < PATIENCE / 2
    assert works.took == list(range(1001))
    assert relay.dropped() == {"hangs": 800}
    assert any("sink hangs does not get on: 800 items" in p for p in board.problems())

    go_on.set()
    wait(lambda: len(hangs.took) == 201)
    relay.close()
    assert hangs.took == [0, *range(801, 1001)]


def test_a_sink_that_raises_loses_that_item_alone() -> None:
    def odd(window: Result) -> None:
        if window.span.number % 2:
            raise RuntimeError("odd numbers are not liked")

    sink, board = Noting(odd), Board()
    relay = Relay([("picky", sink)], board)
    for number in range(10):
        relay.result(result(number))
    relay.close()

    assert sink.took == [0, 2, 4, 6, 8]
    assert relay.dropped() == {"picky": 5}
    assert any("picky failed: odd numbers" in problem for problem in board.problems())


def test_one_that_never_ends_does_not_keep_the_daemon_from_ending() -> None:
    go_on = threading.Event()
    hangs, works = Noting(lambda _: bool(go_on.wait(PATIENCE))), Noting()
    relay = Relay([("hangs", hangs), ("hangs too", hangs), ("works", works)], Board())
    relay.result(result(0))

    began = time.monotonic()
    relay.close()

    assert time.monotonic() - began < 20.0
    assert works.took == [0]
    assert works.closed
    go_on.set()
