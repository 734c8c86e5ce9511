"""Slow values reach the windows, and I0 of a feed weighs the frames, in a whole daemon."""

import math
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from livepdf.config.slow import SlowTable
from livepdf.daemon.joining import Joiner
from livepdf.daemon.tickets import Stop, Ticket
from livepdf.daemon.workers import Outcome
from livepdf.model.sums import empty_sums
from livepdf.sources.slow_feeds import SlowFeeds
from livepdf.wire.client import Client
from tests.daemon import beamline
from tests.daemon.conftest import Bench
from tests.daemon.test_service import ended, follow

Start = Callable[..., Bench]

SLOW = """
[[slow]]
kind = "table"
path = "{path}"
frame = "image"
wait = {wait}
poll = 0.01
value = [{value}]
"""


def slow(path: Path, *, wait: float = 0.2, value: str) -> str:
    return SLOW.format(path=path, wait=wait, value=value)


def fed(client: Client, daemon: Bench, name: str, value: float) -> None:
    """Wait until the daemon has read this value last."""
    follow(client, lambda: dict(daemon.service.status().feeds[0].newest).get(name) == value)


def test_values_of_a_table_reach_the_windows_and_missing_ones_are_nan(
    bench: Start, tmp_path: Path
) -> None:
    table = tmp_path / "heater.csv"
    table.write_text("image,P\n" + "".join(f"{n},{100 + n}\n" for n in range(4)))
    daemon = bench(detector=slow(table, value='{ name = "heater", of = "P" }'))
    client = daemon.client()
    client.connect()
    fed(client, daemon, "heater", 103.0)

    daemon.source.put(beamline.start(), *(beamline.frame(n) for n in range(8)), beamline.end())
    follow(client, lambda: ended(client))

    first, second = (dict(client.window(n).environment) for n in range(2))
    assert first["heater"] == 101.5
    assert first["temperature"] == 301.5
    assert math.isnan(second["heater"])
    (feed,) = daemon.service.status().feeds
    assert feed.joined == 4
    assert feed.missing == {"no reading for frame": 4}


def test_i0_of_a_feed_weighs_each_frame_and_frames_without_are_refused(
    bench: Start, tmp_path: Path
) -> None:
    i0 = [1000.0, 2000.0, 500.0]
    table = tmp_path / "i0.csv"
    table.write_text("image,I0\n" + "".join(f"{n},{value}\n" for n, value in enumerate(i0)))
    daemon = bench(
        detector=slow(table, value='{ name = "monitor", of = "I0" }'),
        more="[normalization]\nmonitor = true\n",
    )
    client = daemon.client()
    client.connect()
    assert daemon.pipeline is not None
    fed(client, daemon, "monitor", 500.0)

    daemon.source.put(beamline.start(), *(beamline.frame(n) for n in range(4)), beamline.end())
    follow(client, lambda: ended(client))

    integrator = daemon.pipeline.integrator
    each = [integrator.integrate(beamline.counts(n)) for n in range(3)]
    signal = sum(s.signal for s in each)
    weight = sum(s.weight * m for s, m in zip(each, i0, strict=True))
    with np.errstate(invalid="ignore", divide="ignore"):
        expected = (signal / weight).astype(np.float32)
    np.testing.assert_allclose(client.window(0).curve("iq").y, expected, rtol=1e-6)
    counters = daemon.service.status().counters
    assert counters.refused == {"no monitor": 1}
    assert counters.add_up()


def test_frames_wait_for_their_reading_no_longer_than_stated(tmp_path: Path) -> None:
    table = tmp_path / "t.csv"
    table.write_text("image,T\n0,20\n")
    settings = SlowTable.model_validate(
        {
            "kind": "table",
            "path": table,
            "frame": "image",
            "wait": 2.0,
            "poll": 0.01,
            "value": [{"name": "T", "of": "T"}],
        }
    )
    now = [0.0]
    feeds = SlowFeeds([settings])
    notes: list[str] = []
    joiner = Joiner(feeds, note=lambda _, text: notes.append(text), clock=lambda: now[0])
    outcomes = [Outcome(ticket=Ticket(n, beamline.frame(n)), sums=empty_sums(3)) for n in range(3)]
    feeds.open()
    try:
        # The feed is read by a thread of its own: ask until the first frame has its value.
        ready = joiner.add(outcomes)
        while not ready:
            ready = joiner.due()
        assert [outcome.ticket.number for outcome in ready] == [0]
        now[0] = 1.9
        assert joiner.due() == []
        now[0] = 2.0
        assert [outcome.ticket.number for outcome in joiner.due()] == [1, 2]
        assert notes == ["no T: no reading for frame 1", "no T: no reading for frame 2"]
        joiner.add([Outcome(ticket=Ticket(3, beamline.frame(3)), sums=empty_sums(3))])
        stop = joiner.add([Outcome(ticket=Ticket(4, Stop()))])
        assert [outcome.ticket.number for outcome in stop] == [3, 4]
    finally:
        feeds.close()


def test_without_feeds_everything_passes_untouched() -> None:
    joiner = Joiner(SlowFeeds([]), note=pytest.fail)
    item = beamline.frame(0)
    outcome = Outcome(ticket=Ticket(0, item), sums=empty_sums(3))
    assert joiner.prepare(item) is item
    assert joiner.add([outcome]) == [outcome]
    assert joiner.pause == math.inf
