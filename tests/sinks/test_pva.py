"""PVs, by a client of EPICS that is not ours."""

import math
import queue
from collections.abc import Iterator

import numpy as np
import pytest

from livepdf.config.publish import PvaPublish
from livepdf.model.status import Counters, Event, Status
from tests.sinks.made import R, result

pytest.importorskip("p4p")

from p4p.client.thread import Context

from livepdf.sinks.pva import PvaSink


@pytest.fixture
def sink() -> Iterator[PvaSink]:
    made = PvaSink(PvaPublish(kind="pva", prefix="T:PDF:", port=0))
    yield made
    made.close()


@pytest.fixture
def epics(sink: PvaSink) -> Iterator[Context]:
    with Context("pva", conf=sink.conf, useenv=False, nt=False) as made:
        yield made


def test_a_client_reads_trends_curves_flags_and_counters(sink: PvaSink, epics: Context) -> None:
    counters = Counters(received=10, used=7, refused={"no image": 2}, waiting=1)
    sink.status(Status(state="running", time=1.7e9, counters=counters, rate=25.0))
    sink.result(result(3, ("domain size", 31.5, 0.4), flags=("beam low",)))
    sink.event(Event(kind="onset", time=1.7e9, text="at window 3"))
    sink.flag("beam low", True, "beam low: 0.4")

    size = epics.get("T:PDF:TREND:DOMAIN_SIZE", timeout=20)
    assert (size["value"], size["display.units"]) == (31.5, "Å")
    assert size["alarm.severity"] == 1
    assert epics.get("T:PDF:TREND:DOMAIN_SIZE:SIGMA", timeout=20)["value"] == 0.4
    np.testing.assert_array_equal(epics.get("T:PDF:GR:X", timeout=20)["value"], R)
    np.testing.assert_array_equal(epics.get("T:PDF:GR:Y", timeout=20)["value"], np.sin(R + 3))
    assert list(epics.get("T:PDF:FLAGS", timeout=20)["value"]) == ["beam low"]
    for name, wanted in (("RECEIVED", 10), ("USED", 7), ("REFUSED", 2), ("WINDOW", 3)):
        assert epics.get(f"T:PDF:{name}", timeout=20)["value"] == wanted
    assert epics.get("T:PDF:EVENT", timeout=20)["value"] == "onset: at window 3"
    assert epics.get("T:PDF:FLAG", timeout=20)["alarm.severity"] == 1


def test_what_is_withheld_is_an_invalid_number_and_a_new_trend_a_new_pv(
    sink: PvaSink, epics: Context
) -> None:
    sink.result(result(0, ("domain size", math.nan, math.nan)))
    assert epics.get("T:PDF:TREND:DOMAIN_SIZE", timeout=20)["alarm.severity"] == 3

    sink.result(result(1, ("domain size", 20.0, 1.0), ("peak 2.49 position", 2.49, 0.01)))
    assert epics.get("T:PDF:TREND:DOMAIN_SIZE", timeout=20)["alarm.severity"] == 0
    assert epics.get("T:PDF:TREND:PEAK_2_49_POSITION", timeout=20)["value"] == 2.49


def test_a_monitor_sees_every_window_and_nobody_can_write(sink: PvaSink, epics: Context) -> None:
    seen: queue.Queue[object] = queue.Queue()
    watch = epics.monitor("T:PDF:WINDOW", lambda value: seen.put(value["value"]))
    seen.get(timeout=20)
    for number in (5, 6):
        sink.result(result(number))
        assert seen.get(timeout=20) == number
    watch.close()

    with pytest.raises(Exception, match=r"(?i)put not supported|not implemented|error"):
        epics.put("T:PDF:WINDOW", 99, timeout=20)
    assert epics.get("T:PDF:WINDOW", timeout=20)["value"] == 6
