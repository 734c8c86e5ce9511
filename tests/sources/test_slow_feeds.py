"""Feeds of slow values: real files, real sockets, a real PVA server."""

import json
import math
import random
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import h5py
import numpy as np
import pytest
import zmq
from pydantic import TypeAdapter

from livepdf.config.slow import Slow
from livepdf.errors import FrameError
from livepdf.model.frame import Frame, PackedImage
from livepdf.model.status import FeedStatus
from livepdf.sources.slow_feeds import SlowFeeds, make_slow
from livepdf.sources.slow_json import parse_slow
from livepdf.sources.slow_reading import Reading, SlowSource
from livepdf.sources.slow_table import TableText, stamp_of
from tests.sources.conftest import wait_for

T0 = 1_700_000_000.0
VALUE = [{"name": "temperature", "of": "T", "add": 273.15}]
IMAGE = PackedImage(blob=bytes(4), algorithm="raw", shape=(2, 2), dtype=np.dtype("u1"))


def settings(**table: Any) -> Any:
    return TypeAdapter(Slow).validate_python({"value": VALUE, **table})


def frame(index: int, time: float, **changes: Any) -> Frame:
    fields = {"series": "a", "index": index, "image": IMAGE, "received": time, "time": time}
    return Frame(**{**fields, **changes})


def values(readings: list[Reading]) -> list[float]:
    return [round(reading.value, 6) for reading in readings]


@contextmanager
def opened(table: Any, clock: Callable[[], float] = lambda: T0) -> Iterator[SlowSource]:
    source = make_slow(table, clock=clock)
    source.open()
    try:
        yield source
    finally:
        source.close()


FORMS = {
    "csv": "time,T,P\n2023-11-14T22:13:20+00:00,20.0,5\n2023-11-14T22:13:21+00:00,21.0,5\n",
    "semicolons": "# logged by hand\n# time; T; P\n2023-11-14T22:13:20Z; 20; 5\n"
    "2023-11-14T22:13:21Z; 21; 5\n",
    "blanks": "# furnace\n# time T\n2023-11-14T22:13:20Z 20\n\n2023-11-14T22:13:21Z 21\n",
    "quoted": '"time","T"\r\n"2023-11-14T22:13:20Z","20"\r\n"2023-11-14T22:13:21Z","21"\r\n',
}


@pytest.mark.parametrize("form", FORMS)
def test_tables_of_several_forms_are_read(form: str, tmp_path: Path) -> None:
    (tmp_path / "log.csv").write_text(FORMS[form])
    with opened(settings(kind="table", path=tmp_path / "log.csv")) as feed:
        readings = feed.poll(0)
        assert feed.state() == "connected"
    assert values(readings) == [293.15, 294.15]
    assert [reading.time for reading in readings] == [T0, T0 + 1]
    assert not any(reading.live for reading in readings)


def test_a_growing_table_gives_each_row_once_and_only_whole_ones(tmp_path: Path) -> None:
    path = tmp_path / "log.txt"
    table = settings(kind="table", path=tmp_path / "log*", time="t", time_format="unix")
    with opened(table) as feed:
        assert feed.poll(0) == []
        assert feed.state().startswith("waiting")
        path.write_text("t T\n1 20\n")
        assert values(feed.poll(0)) == [293.15]
        with path.open("a") as file:
            file.write("2 21\n3 2")
        (row,) = feed.poll(0)
        assert row.live
        with path.open("a") as file:
            file.write("2\n")
        assert values(feed.poll(0)) == [295.15]
        assert feed.poll(0) == []


def test_a_table_that_was_written_anew_is_read_anew(tmp_path: Path) -> None:
    path = tmp_path / "log.txt"
    with opened(settings(kind="table", path=path, time="t", time_format="unix")) as feed:
        path.write_text("t T\n1 20\n2 21\n")
        feed.poll(0)
        path.write_text("T t\n30 5\n")
        (row,) = feed.poll(0)
        assert (row.time, round(row.value, 2)) == (5.0, 303.15)
        assert not row.live


def test_rows_that_make_no_sense_are_skipped_and_said(tmp_path: Path) -> None:
    path = tmp_path / "log.txt"
    with opened(settings(kind="table", path=path, time="t", time_format="unix")) as feed:
        path.write_text("t T\n1 20\nnonsense\n2 warm\n")
        assert values(feed.poll(0)) == [293.15]
        assert feed.state() == "waiting: no T in '2 warm'"
        path.write_text("a b\n1 2\n")
        feed.poll(0)
        assert "no line of headings with T, t yet" in feed.state()


def test_a_table_may_count_frames(tmp_path: Path) -> None:
    path = tmp_path / "log.csv"
    path.write_text("image,T\n0,20\n1,21\n")
    with opened(settings(kind="table", path=path, frame="image")) as feed:
        assert [reading.frame for reading in feed.poll(0)] == [0, 1]


def test_times_are_read_as_they_are_described() -> None:
    assert stamp_of("1700000000.5", "unix") == 1700000000.5
    assert stamp_of("14.11.2023 22:13:20 +0000", "%d.%m.%Y %H:%M:%S %z") == T0
    with pytest.raises(ValueError, match="no time"):
        stamp_of("nan", "unix")


def test_hdf5_datasets_are_followed_while_they_are_written(tmp_path: Path) -> None:
    path = tmp_path / "log.h5"
    table = settings(
        kind="hdf5", path=path, time="log/time", value=[{"name": "heater", "of": "log/power"}]
    )
    with h5py.File(path, "w", libver="latest") as file, opened(table) as feed:
        times = file.create_dataset("log/time", (0,), "f8", maxshape=(None,), chunks=(4,))
        power = file.create_dataset("log/power", (0,), "f4", maxshape=(None,), chunks=(4,))
        file.swmr_mode = True
        for end in (3, 8):
            for data in (power, times):
                data.resize((end,))
            power[:end] = np.arange(end)
            # Room was made for the last row, but it is not written.
            times[: end - 1] = T0 + np.arange(end - 1)
            file.flush()
            got = feed.poll(0)
            assert values(got) == list(range(0 if end == 3 else 2, end - 1))
        assert feed.state() == "connected"


def test_rows_of_hdf5_without_times_are_numbered_as_the_frames(tmp_path: Path) -> None:
    path = tmp_path / "scan.h5"
    with h5py.File(path, "w") as file:
        file["I0"] = [5.0, 6.0]
    table = settings(kind="hdf5", path=path, value=[{"name": "monitor", "of": "I0"}])
    with opened(table) as feed:
        assert [(r.frame, r.value) for r in feed.poll(0)] == [(0, 5.0), (1, 6.0)]


@contextmanager
def publisher() -> Iterator[tuple["zmq.Socket[bytes]", str]]:
    context: zmq.Context[zmq.Socket[bytes]] = zmq.Context()
    socket = context.socket(zmq.XPUB)
    socket.bind("tcp://127.0.0.1:0")
    try:
        yield socket, socket.getsockopt_string(zmq.LAST_ENDPOINT)
    finally:
        socket.close(linger=0)
        context.term()


def test_json_over_zeromq_is_received_and_what_is_none_is_counted() -> None:
    table = {"kind": "json", "value": [{"name": "temperature", "of": "furnace.T"}]}
    with publisher() as (socket, endpoint), opened(settings(endpoint=endpoint, **table)) as feed:
        assert socket.poll(10_000)
        socket.recv()  # the subscription has come
        socket.send(b"nonsense")
        socket.send(json.dumps({"time": T0, "furnace": {"T": 500.0}}).encode())
        readings: list[Any] = []
        wait_for(lambda: readings.extend(feed.poll(0.2)) or [], lambda _: readings)
    assert [(r.time, r.value, r.live) for r in readings] == [(T0, 500.0, True)]


def test_damaged_json_never_raises_anything_but_a_refusal() -> None:
    rng = random.Random(4)
    good = json.dumps({"time": T0, "T": 500.0}).encode()
    table = settings(kind="json", endpoint="tcp://127.0.0.1:1")
    reasons = set()
    for _ in range(2000):
        payload = bytearray(good)
        for _ in range(3):
            payload[rng.randrange(len(payload))] = rng.randrange(256)
        try:
            readings = parse_slow(bytes(payload), table, received=T0)
        except FrameError as error:
            reasons.add(error.reason)
            continue
        assert all(math.isfinite(reading.value) for reading in readings)
    assert reasons == {"malformed"}


def test_damaged_tables_never_raise() -> None:
    rng = random.Random(5)
    text = TableText(settings(kind="table", path="x", time="t", time_format="unix"))
    good = "t T\n1 20\n2 21\n"
    for _ in range(2000):
        damaged = list(good)
        damaged[rng.randrange(len(damaged))] = chr(rng.randrange(256))
        text.take("".join(damaged), received=T0, live=True)


def test_pvs_are_followed_and_one_that_disappears_gives_nothing() -> None:
    pytest.importorskip("p4p")
    from p4p.nt import NTScalar

    from tests.sources.pva_servers import P4pServer

    with P4pServer("furnace:T") as server:
        server.pv.open(NTScalar("d").wrap(20.0, timestamp=T0))
        table = settings(
            kind="pva",
            addresses=[server.address],
            broadcast=False,
            value=[{"name": "temperature", "of": "furnace:T", "add": 273.15}],
        )
        with opened(table) as feed:
            got: list[Any] = []
            wait_for(lambda: got.extend(feed.poll(0.2)) or [], lambda _: got)
            assert (got[0].value, got[0].time, got[0].live) == (293.15, T0, False)
            assert feed.state() == "connected"
            server.server.stop()
            wait_for(lambda: feed.poll(0.1) and [], lambda _: feed.state().startswith("lost"))
            assert feed.poll(0) == []


def test_an_unchanged_pv_holds_as_long_as_it_is_connected() -> None:
    pytest.importorskip("p4p")
    from p4p.nt import NTScalar

    from tests.sources.pva_servers import P4pServer

    now = [T0]
    with P4pServer("m1") as server:
        server.pv.open(NTScalar("d").wrap(7.0, timestamp=T0 - 9999))
        value = [{"name": "motor", "of": "m1"}]
        table = settings(kind="pva", addresses=[server.address], broadcast=False, value=value)
        with opened(table, clock=lambda: now[0]) as feed:
            got: list[Any] = []
            wait_for(lambda: got.extend(feed.poll(0.2)) or [], lambda _: got)
            now[0] += 30
            (same,) = feed.poll(0)
            assert (same.value, same.received, same.time) == (7.0, T0 + 30, None)


@contextmanager
def feeds(*tables: Any, clock: Callable[[], float]) -> Iterator[SlowFeeds]:
    found = SlowFeeds(tables, clock=clock)
    found.open()
    try:
        yield found
    finally:
        found.close()


def until(found: SlowFeeds, done: Callable[[FeedStatus], bool]) -> FeedStatus:
    wait_for(list, lambda _: done(found.status()[0]))
    return found.status()[0]


def test_frames_get_their_values_and_a_silent_feed_gives_none(tmp_path: Path) -> None:
    path = tmp_path / "log.txt"
    path.write_text("t T\n" + "".join(f"{T0 + n} {20 + n}\n" for n in range(10)))
    now = [T0 + 9]
    table = settings(
        kind="table", path=path, time="t", time_format="unix", join="linear", tolerance=2, poll=0.01
    )
    with feeds(table, clock=lambda: now[0]) as found:
        until(found, lambda status: bool(status.newest))
        beside = found.close_books(frame(0, T0 + 3, exposure=1.0))
        assert beside.frame.environment["temperature"] == pytest.approx(273.15 + 23.5)
        assert beside.settled
        assert found.problems() == ()
        now[0] += 60
        beside = found.close_books(frame(1, T0 + 60))
        assert math.isnan(beside.frame.environment["temperature"])
        assert beside.reasons == (("temperature", "silent for 51 s"),)
        status = found.status()[0]
    assert status.state == "stalled: silent for 60 s"
    assert (status.joined, status.missing) == (1, {"silent": 1})


def test_the_monitor_of_a_feed_is_the_monitor_of_the_frame(tmp_path: Path) -> None:
    path = tmp_path / "log.csv"
    path.write_text("image,I0\n0,5000\n")
    value = [{"name": "monitor", "of": "I0"}]
    table = settings(kind="table", path=path, frame="image", value=value, poll=0.01)
    with feeds(table, clock=lambda: T0) as found:
        until(found, lambda status: bool(status.newest))
        assert found.join(frame(0, T0)).frame.monitor == 5000
        beside = found.join(frame(1, T0))
        assert beside.frame.monitor is None
        assert beside.reasons == (("monitor", "no reading for frame 1"),)
        assert not beside.settled


def test_a_feed_whose_clock_is_wrong_is_put_right_and_the_offset_shown(tmp_path: Path) -> None:
    path = tmp_path / "log.txt"
    path.write_text("t T\n")
    now = [T0]
    table = settings(kind="table", path=path, time="t", time_format="unix", poll=0.005)
    with feeds(table, clock=lambda: now[0]) as found:
        until(found, lambda status: status.state == "connected")
        for n in range(5):
            now[0] = T0 + n
            with path.open("a") as file:
                file.write(f"{now[0] - 3600} {n}\n")
            until(found, lambda status, n=n: dict(status.newest).get("temperature") == 273.15 + n)
        status = found.status()[0]
        assert status.clock_offset == pytest.approx(3600)
        assert status.clock_used == status.clock_offset
        assert found.join(frame(0, T0 + 2)).frame.environment["temperature"] == 275.15


def test_the_clock_of_the_detector_is_put_right_too(tmp_path: Path) -> None:
    path = tmp_path / "log.txt"
    path.write_text("t T\n" + "".join(f"{T0 + n} {n}\n" for n in range(10)))
    table = settings(kind="table", path=path, time="t", time_format="unix", poll=0.01)
    with feeds(table, clock=lambda: T0 + 9) as found:
        until(found, lambda status: bool(status.newest))
        for n in range(5):
            found.see(frame(n, T0 + n - 500, received=T0 + n))
        beside = found.join(frame(5, T0 + 5 - 500, received=T0 + 5))
        assert beside.frame.environment["temperature"] == pytest.approx(278.15)
