import random

import numpy as np
import pytest

from livepdf.daemon.assemble import prepare
from livepdf.daemon.collector import Closed, Collector, Ended, Opened, Refusal, Settled, Summed
from livepdf.daemon.ledger import Ledger
from livepdf.daemon.runs import Run, RunNames
from livepdf.daemon.tickets import RunCloses, RunOpens, Stop, Ticket
from livepdf.daemon.workers import Outcome, integrate_here
from livepdf.errors import FrameError
from livepdf.model.sums import Sums
from tests.daemon import beamline


@pytest.mark.parametrize("seed", range(3))
def test_results_do_not_depend_on_which_worker_is_faster(tmp_path: object, seed: int) -> None:
    prepared = prepare(*beamline.write_settings(tmp_path))  # type: ignore[arg-type]
    pipeline = prepared.for_shape(beamline.SHAPE)
    run = Run(beamline.start(), name="r", build=prepared.for_series, shape=beamline.SHAPE)
    run.get_ready()
    outcomes = [Outcome(ticket=Ticket(0, RunOpens(), run))]
    for n in range(12):
        frame = beamline.frame(n)
        ticket = Ticket(n + 1, frame, run)
        if n % 5 == 3:
            outcomes.append(Outcome(ticket=ticket, refusal=FrameError("corrupt")))
        else:
            [sums] = integrate_here(pipeline, [frame])
            assert isinstance(sums, Sums)
            outcomes.append(Outcome(ticket=ticket, sums=sums))
    outcomes.append(Outcome(ticket=Ticket(13, RunCloses(1.0, "end"), run)))
    outcomes += [Outcome(ticket=Ticket(14, Stop()))] * 2

    def collect(order: list[Outcome]) -> tuple[list[Settled], Ledger]:
        ledger, settled = Ledger(), list[Settled]()
        ledger.open("1")
        for _ in range(12):
            ledger.receive("1")
        collector = Collector(ledger=ledger, emit=settled.append)
        for outcome in order:
            collector.take(outcome)
        assert collector.ended
        return settled, ledger

    shuffled = outcomes.copy()
    random.Random(seed).shuffle(shuffled)
    straight, books = collect(outcomes)
    mixed, mixed_books = collect(shuffled)

    assert books.total() == mixed_books.total()
    assert books.total().add_up()
    assert books.total().refused == {"corrupt": 2}
    windows = [s for s in straight if isinstance(s, Summed) and s.stretch.span.scope == "window"]
    again = [s for s in mixed if isinstance(s, Summed) and s.stretch.span.scope == "window"]
    assert [w.stretch.span for w in windows] == [w.stretch.span for w in again]
    for one, other in zip(windows, again, strict=True):
        np.testing.assert_array_equal(one.stretch.sums.weight, other.stretch.sums.weight)
    kinds = [type(s) for s in mixed]
    assert kinds[0] is Opened
    assert kinds[-2:] == [Closed, Ended]
    assert kinds.count(Refusal) == 2


def test_names_of_runs_never_meet_a_file_that_is_there() -> None:
    names = RunNames(["HfO2_0001", "HfO2_0007-part2", "other"])

    assert names.next("HfO2") == "HfO2_0008"
    assert names.next("HfO2") == "HfO2_0009"
    assert names.next("../../etc/passwd") == "etc-passwd_0001"
    assert names.next("") == "run_0001"
