"""Results leave in order; when there is no time, trends wait for the newest window."""

import time
from collections.abc import Iterator
from functools import reduce
from operator import add
from pathlib import Path

import numpy as np
import pytest
import zmq

from livepdf.daemon.assemble import Pipeline, prepare
from livepdf.daemon.board import Board
from livepdf.daemon.collector import Closed, Ended, Opened, Summed
from livepdf.daemon.history import History
from livepdf.daemon.outlet import Outlet
from livepdf.daemon.publish import Publisher
from livepdf.daemon.results import BUSY
from livepdf.daemon.runs import Run
from livepdf.daemon.shelf import Shelf
from livepdf.daemon.store import Store
from livepdf.daemon.windows import Stretch, WindowCutter
from livepdf.model.curve import Result
from livepdf.model.frame import RunStart
from livepdf.model.status import Counters
from tests.daemon import beamline


class Desk:
    """An outlet with real neighbours and nobody behind them."""

    def __init__(self, folder: Path, context: "zmq.Context[zmq.Socket[bytes]]") -> None:
        self.board, self.history = Board(), History(limit=1 << 24)
        self.publisher = Publisher(context, "tcp://127.0.0.1:0")
        self.outlet = Outlet(
            shelf=Shelf(limit=1 << 20),
            board=self.board,
            history=self.history,
            publisher=self.publisher,
            store=Store(folder, self.board, flush=1.0, budget=1 << 24, counters=Counters),
            source="test",
            software={},
        )

    def work(self, pipeline: Pipeline, *, ago: float) -> None:
        """Let it evaluate three windows that were closed so long ago."""
        run = Run(beamline.start(), name="r", build=lambda *_: pipeline, shape=beamline.SHAPE)
        run.get_ready()
        self.outlet.put(Opened(run=run))
        for stretch in three_windows(pipeline):
            self.outlet.put(Summed(run=run, stretch=stretch, closed=time.monotonic() - ago))
        self.outlet.put(Ended())
        self.outlet.run()

    def reasons(self) -> list[str]:
        windows = (self.history.window("r", number) for number in range(3))
        return [window.trends[0].reason for window in windows if window is not None]


def three_windows(pipeline: Pipeline) -> list[Stretch]:
    cutter = WindowCutter(pipeline.recipe.window, run="r", revision=1)
    sums = [pipeline.integrator.integrate(beamline.counts(n)) for n in range(12)]
    return reduce(add, (cutter.add(beamline.frame(n), each) for n, each in enumerate(sums)))


@pytest.fixture
def desk(tmp_path: Path) -> Iterator[Desk]:
    with zmq.Context() as context:
        made = Desk(tmp_path, context)
        yield made
        made.publisher.close("done")


def pipeline(folder: Path, **settings: str) -> Pipeline:
    made = prepare(*beamline.write_settings(folder, **settings)).pipeline  # type: ignore[arg-type]
    assert made is not None
    return made


def test_windows_in_time_are_all_evaluated(desk: Desk, tmp_path: Path) -> None:
    desk.work(pipeline(tmp_path), ago=0.0)

    assert len(desk.reasons()) == 3
    assert BUSY not in desk.reasons()


def test_late_windows_are_skipped_until_the_newest_is_done_and_then_worked_off_oldest_first(
    desk: Desk, tmp_path: Path
) -> None:
    told: list[tuple[int, str]] = []
    publish = desk.publisher.result

    def heard(result: Result) -> None:
        told.append((result.span.number, result.trends[0].reason))
        publish(result)

    desk.publisher.result = heard  # type: ignore[method-assign]

    desk.work(pipeline(tmp_path), ago=60.0)

    assert [number for number, _ in told] == [0, 1, 2, 0, 1]
    assert [reason == BUSY for _, reason in told] == [True, True, False, False, False]
    assert BUSY not in desk.reasons()


def test_who_was_there_all_the_time_has_the_trends_of_the_run_once_all_is_made_up_for(
    desk: Desk, tmp_path: Path
) -> None:
    told: dict[int, Result] = {}
    publish = desk.publisher.result

    def heard(result: Result) -> None:
        told[result.span.number] = result
        publish(result)

    desk.publisher.result = heard  # type: ignore[method-assign]
    structure = '[analysis]\nstructures = ["ni"]\nsmallest = 15\nlargest = 20\ntemplate = 16\n'
    made = pipeline(tmp_path, more=structure)
    run = Run(beamline.start(), name="r", build=lambda *_: made, shape=beamline.SHAPE)
    run.get_ready()
    desk.outlet.put(Opened(run=run))
    for stretch in three_windows(made):
        desk.outlet.put(Summed(run=run, stretch=stretch, closed=time.monotonic() - 60.0))
    counters = Counters(received=12, used=12)
    desk.outlet.put(Closed(run=run, time=0.0, reason="end", counters=counters))
    desk.outlet.put(Ended())

    desk.outlet.run()

    for number in range(3):
        kept = desk.history.window("r", number)
        assert kept is not None
        assert repr(told[number].trends) == repr(kept.trends)
        novelty = next(t.reason for t in kept.trends if t.name == "novelty")
        assert novelty == f"learning: {number + 1} of 20 windows"


@pytest.mark.parametrize(
    ("announced", "words"), [(9, "4 frames used of 9 announced"), (5, "4 frames used,")]
)
def test_a_series_that_ends_early_says_how_many_frames_were_announced(
    desk: Desk, announced: int, words: str
) -> None:
    run = Run(beamline.start(expected=announced), name="r", build=never_built, shape=None)
    counters = Counters(received=4, used=4, lost=1)
    desk.outlet.put(Closed(run=run, time=0.0, reason="next start", counters=counters))
    desk.outlet.put(Ended())

    desk.outlet.run()

    assert words in desk.board.events()[-1].text


def never_built(start: RunStart, shape: tuple[int, int]) -> Pipeline:
    raise AssertionError((start, shape))


@pytest.mark.parametrize("columns", [2, 3])
def test_a_background_without_errors_is_named_as_the_cause(
    desk: Desk, tmp_path: Path, columns: int
) -> None:
    q = np.linspace(0.0, 40.0, 900)
    np.savetxt(tmp_path / "air.xy", np.column_stack([q, np.ones(900), np.ones(900)])[:, :columns])

    desk.work(pipeline(tmp_path, more='[[background]]\nname="air"\nfile="air.xy"'), ago=0.0)

    said = [problem for problem in desk.board.problems() if "background air" in problem]
    assert len(said) == (1 if columns == 2 else 0)
