"""One outcome for each ticket, whether frames are added up alone or side by side."""

import queue
import threading
from pathlib import Path

import numpy as np
import pytest

from livepdf.daemon.assemble import prepare
from livepdf.daemon.queue import FrameQueue
from livepdf.daemon.runs import Run
from livepdf.daemon.spool import Spool
from livepdf.daemon.tickets import RunOpens, Stop
from livepdf.daemon.workers import Newest, Outcome, Outcomes, integrate_here, work
from livepdf.model.sums import Sums
from tests.daemon import beamline


@pytest.mark.parametrize("limit", [1 << 30, 60_000], ids=["in memory", "spooled"])
def test_a_bad_frame_among_many_is_refused_alone_and_the_others_are_as_if_alone(
    tmp_path: Path, limit: int
) -> None:
    prepared = prepare(*beamline.write_settings(tmp_path))
    pipeline = prepared.for_shape(beamline.SHAPE)
    run = Run(
        beamline.start(),
        name="r",
        build=lambda _, shape: prepared.for_shape(shape),
        shape=beamline.SHAPE,
    )
    frames = [beamline.frame(n) for n in range(40)]
    frames[3] = beamline.truncated(3)
    frames[21] = beamline.frame(21, image=beamline.pack(np.ones((4, 5), np.uint16)))
    frames[30] = beamline.frame(30, image=beamline.pack(beamline.counts(30).astype(np.int32)))
    waiting = FrameQueue(limit=limit, spool=Spool(tmp_path, reserve=0))
    threading.Thread(target=waiting.page, daemon=True).start()
    waiting.put(RunOpens(), run)
    for number, frame in enumerate(frames):
        waiting.put_frame(frame, run, paused=number in (8, 9))
    waiting.put(Stop())
    outcomes: Outcomes = queue.Queue()

    work(waiting, outcomes, Newest(), integrate=integrate_here)

    batches = []
    while not outcomes.empty():
        batches.append(outcomes.get())
    found: list[Outcome] = [outcome for batch in batches for outcome in batch]
    assert max(map(len, batches)) == 16
    assert [outcome.ticket.number for outcome in found] == list(range(42))
    reasons = {o.ticket.number - 1: o.refusal.reason for o in found if o.refusal is not None}
    assert reasons == {3: "truncated", 8: "paused", 9: "paused", 21: "wrong shape"}
    for outcome, frame in zip(found[1:-1], frames, strict=True):
        if outcome.refusal is None:
            [alone] = integrate_here(pipeline, [frame])
            assert isinstance(alone, Sums)
            assert outcome.sums is not None
            np.testing.assert_array_equal(outcome.sums.signal, alone.signal)
            np.testing.assert_array_equal(outcome.sums.variance, alone.variance)
            np.testing.assert_array_equal(outcome.sums.weight, alone.weight)
