import time
from collections.abc import Callable

import h5py
import numpy as np
import pytest

from livepdf.clients.watch import one_line
from livepdf.clients.words import costs_line
from livepdf.errors import ConfigError
from livepdf.model.sums import intensity
from livepdf.wire.client import Client
from livepdf.wire.messages import (
    Done,
    MarkRequest,
    PauseRequest,
    ResetRequest,
    ShutdownRequest,
)
from tests.daemon import beamline
from tests.daemon.conftest import Bench

Start = Callable[..., Bench]


def follow(client: Client, until: Callable[[], bool], timeout: float = 60.0) -> None:
    deadline = time.monotonic() + timeout
    while not until():
        assert time.monotonic() < deadline, client.mirror
        client.poll(0.1)


def ended(client: Client) -> bool:
    return any(event.kind == "run end" for event in client.mirror.events)


def test_every_window_is_the_direct_integration_of_its_frames(bench: Start) -> None:
    daemon = bench()
    client = daemon.client()
    client.connect()
    assert daemon.pipeline is not None
    integrator = daemon.pipeline.integrator

    frames = [beamline.frame(n) for n in range(10)]
    daemon.source.put(beamline.start(), *frames, beamline.end())
    follow(client, lambda: ended(client))

    windows = client.mirror.windows
    assert windows is not None
    assert [(s.first, s.last, s.frames) for s in windows.spans if s] == [
        (0, 3, 4),
        (4, 7, 4),
        (8, 9, 2),
    ]
    for number, members in enumerate([range(4), range(4, 8), range(8, 10)]):
        total = integrator.integrate(beamline.counts(members[0]))
        for member in members[1:]:
            total = total + integrator.integrate(beamline.counts(member))
        direct, sigma = intensity(total)
        whole = client.window(number)
        np.testing.assert_array_equal(whole.curve("iq").y, direct.astype(np.float32))
        np.testing.assert_array_equal(whole.curve("iq").sigma, sigma.astype(np.float32))
        np.testing.assert_array_equal(windows.iq[number], direct.astype(np.float32))
        assert dict(whole.environment) == {"temperature": 300.0 + np.mean(members)}


def test_books_add_up_with_broken_frames_between_good_ones(bench: Start) -> None:
    daemon = bench()
    client = daemon.client()
    client.connect()
    wrong_size = beamline.frame(2, image=beamline.pack(np.ones((4, 5), np.uint16)))

    daemon.source.put(beamline.start(), beamline.frame(0), beamline.truncated(1), wrong_size)
    daemon.source.put(beamline.refused(), beamline.frame(3), beamline.frame(4, series="0"))
    daemon.source.put(beamline.frame(5), beamline.end())
    follow(client, lambda: ended(client))
    seen = []
    for _ in range(3):
        follow(client, lambda: client.poll(0.2) or True)
        assert client.mirror.status is not None
        seen.append(client.mirror.status.counters)
    daemon.finish()

    assert all(counters.add_up() for counters in seen)
    counters = daemon.service.status().counters
    assert counters.add_up()
    assert counters.received == 7
    assert counters.used == 3
    assert counters.refused == {
        "truncated": 1,
        "wrong shape": 1,
        "malformed": 1,
        "stale series": 1,
    }
    with h5py.File(daemon.service.files[0]) as file:
        assert file["entry/counters/used"][()] == 3
        assert file["entry/windows/frames"][:].tolist() == [2, 1]


def test_a_late_viewer_has_the_history_that_the_file_has(bench: Start) -> None:
    daemon = bench(window="frames = 1")
    early = daemon.client()
    early.connect()
    daemon.source.put(beamline.start(), *(beamline.frame(n) for n in range(40)))
    follow(early, lambda: early.mirror.windows is not None and len(early.mirror.windows) == 40)

    late = daemon.client()
    late.connect()
    daemon.source.put(*(beamline.frame(n) for n in range(40, 50)), beamline.end())
    follow(late, lambda: ended(late) and len(late.mirror.windows or ()) == 50)
    daemon.finish()

    windows = late.mirror.windows
    assert windows is not None
    assert windows.missing() is None
    with h5py.File(daemon.service.files[0]) as file:
        np.testing.assert_array_equal(file["entry/pdf/G"][:], windows.gr)
        np.testing.assert_array_equal(file["entry/azint1d/data/I"][:], windows.iq)
        trend = file["entry/trends/Ni_Ni_position/value"][:]
    shown = [t.value if t else np.nan for t in windows.trend("Ni-Ni position")]
    np.testing.assert_array_equal(trend, shown)


def test_who_comes_after_the_end_of_a_run_has_its_last_window_whole(bench: Start) -> None:
    daemon = bench()
    first = daemon.client()
    first.connect()
    daemon.source.put(beamline.start(), *(beamline.frame(n) for n in range(8)), beamline.end())
    follow(first, lambda: ended(first))

    late = daemon.client()
    late.connect()

    assert late.mirror.latest is not None
    assert late.mirror.latest.span.number == 1
    assert np.isfinite(late.mirror.latest.curve("iq").sigma).any()
    assert "Ni-Ni position: " in one_line(late.mirror, now=time.time())
    follow(late, lambda: bool(late.mirror.status and late.mirror.status.costs))
    assert late.mirror.status is not None
    assert next(name for name, _ in late.mirror.status.costs) == "peaks of G(r)"
    assert "of CPU a window: peaks of G(r) " in costs_line(late.mirror.status)


def test_three_viewers_come_and_go_and_nothing_is_lost(bench: Start) -> None:
    daemon = bench(window="frames = 1")
    stays = daemon.client()
    stays.connect()
    daemon.source.put(beamline.start())
    for step in range(6):
        passing = [Client(daemon.service.address) for _ in range(2)]
        for client in passing:
            client.connect()
        daemon.source.put(*(beamline.frame(n) for n in range(5 * step, 5 * step + 5)))
        follow(stays, lambda n=5 * step + 5: len(stays.mirror.windows or ()) == n)  # type: ignore[misc]
        for client in passing:
            client.close()
    daemon.finish()

    counters = daemon.service.status().counters
    assert (counters.received, counters.used, counters.lost) == (30, 30, 0)


def test_a_pause_refuses_frames_under_its_own_reason_and_ends_the_window(bench: Start) -> None:
    daemon = bench()
    client = daemon.client()
    client.connect()
    daemon.source.put(beamline.start(), *(beamline.frame(n) for n in range(2)))
    follow(client, lambda: client.mirror.status.counters.used == 2)  # type: ignore[union-attr]

    assert isinstance(client.ask(PauseRequest(paused=True))[0], Done)
    follow(client, lambda: len(client.mirror.windows or ()) == 1)
    daemon.source.put(beamline.frame(2))
    follow(client, lambda: client.mirror.status.counters.received == 3)  # type: ignore[union-attr]
    client.ask(PauseRequest(paused=False))
    follow(client, lambda: client.mirror.status.state == "running")  # type: ignore[union-attr]
    daemon.source.put(beamline.frame(3), beamline.end())
    follow(client, lambda: ended(client))
    daemon.finish()

    counters = daemon.service.status().counters
    assert counters.refused == {"paused": 1}
    assert counters.used == 3
    assert counters.add_up()


def test_a_reset_starts_the_sum_of_the_run_anew_and_keeps_the_windows(bench: Start) -> None:
    daemon = bench()
    client = daemon.client()
    client.connect()
    daemon.source.put(beamline.start(), *(beamline.frame(n) for n in range(4)))
    follow(client, lambda: client.mirror.status.counters.used == 4)  # type: ignore[union-attr]

    client.ask(ResetRequest())
    daemon.source.put(*(beamline.frame(n) for n in range(4, 6)), beamline.end())
    follow(client, lambda: ended(client))

    assert client.mirror.whole is not None
    assert (client.mirror.whole.span.first, client.mirror.whole.span.frames) == (4, 2)
    assert client.mirror.windows is not None
    assert len(client.mirror.windows) == 2


def test_a_mark_reaches_viewers_and_the_file(bench: Start) -> None:
    daemon = bench()
    client = daemon.client()
    client.connect()
    daemon.source.put(beamline.start(), beamline.frame(0))
    follow(client, lambda: client.mirror.status.counters.used == 1)  # type: ignore[union-attr]

    client.ask(MarkRequest(text="heater on"))
    follow(client, lambda: any(e.text == "heater on" for e in client.mirror.events))
    daemon.finish()

    with h5py.File(daemon.service.files[0]) as file:
        assert b"heater on" in file["entry/events/text"][:].tolist()


def test_a_shutdown_request_saves_the_incomplete_window(bench: Start) -> None:
    daemon = bench()
    client = daemon.client()
    client.connect()
    daemon.source.put(beamline.start(), *(beamline.frame(n) for n in range(3)))
    follow(client, lambda: client.mirror.status.counters.used == 3)  # type: ignore[union-attr]

    client.ask(ShutdownRequest())
    assert daemon.service.stopping.wait(5.0)
    daemon.finish()
    follow(client, lambda: not client.mirror.connected)

    assert daemon.source.closed
    with h5py.File(daemon.service.files[0]) as file:
        assert file["entry/windows/frames"][:].tolist() == [3]
        assert file["entry/complete"][()] == 1


def test_a_second_run_has_its_own_file_and_its_own_history(bench: Start) -> None:
    daemon = bench(runs=2)
    client = daemon.client()
    client.connect()

    daemon.source.put(beamline.start("1"), beamline.frame(0, series="1"), beamline.end("1"))
    daemon.source.put(beamline.start("2"), beamline.frame(0, series="2"))
    daemon.source.put(beamline.frame(1, series="2"), beamline.end("2"))
    assert daemon.service.stopping.wait(10.0)
    daemon.finish()

    assert [path.name for path in daemon.service.files] == ["growth_0001.nxs", "growth_0002.nxs"]
    with h5py.File(daemon.service.files[1]) as file:
        assert file["entry/counters/received"][()] == 2
        assert file["entry/windows/frames"][:].tolist() == [2]


def test_a_dead_frame_gives_an_empty_window_with_the_reason_and_the_run_goes_on(
    bench: Start,
) -> None:
    daemon = bench(window="frames = 1")
    client = daemon.client()
    client.connect()
    dark = beamline.frame(1, image=beamline.pack(np.zeros(beamline.SHAPE, np.uint16)))

    daemon.source.put(beamline.start(), beamline.frame(0), dark, beamline.frame(2), beamline.end())
    follow(client, lambda: ended(client))

    windows = client.mirror.windows
    assert windows is not None
    assert len(windows) == 3
    assert np.isnan(windows.gr[1]).all()
    trend = windows.trend("Ni-Ni position")[1]
    assert trend is not None
    assert trend.reason.startswith("no curves")
    assert any(e.kind == "warning" and "no curves" in e.text for e in client.mirror.events)
    assert np.isfinite(windows.gr[2]).all()


def test_the_size_of_the_images_may_come_with_the_first_frame(bench: Start) -> None:
    daemon = bench(known_shape=False)
    client = daemon.client()
    client.connect()

    daemon.source.put(beamline.start(), *(beamline.frame(n) for n in range(4)), beamline.end())
    follow(client, lambda: ended(client))

    assert client.mirror.windows is not None
    assert np.isfinite(client.mirror.windows.gr).all()


def test_the_mask_of_the_detector_joins_the_others(bench: Start) -> None:
    daemon = bench(window="frames = 1")
    client = daemon.client()
    client.connect()
    mask = np.zeros(beamline.SHAPE, dtype=np.bool_)
    mask[:60] = True

    daemon.source.put(beamline.start(mask=mask), beamline.frame(0), beamline.end())
    follow(client, lambda: ended(client))
    daemon.finish()

    with h5py.File(daemon.service.files[0]) as file:
        used = file["entry/sums/pixels"][0].sum()
    assert used == pytest.approx(60 * 100, abs=1)


def test_the_preview_is_the_newest_frame_in_small(bench: Start) -> None:
    daemon = bench()
    client = daemon.client()
    client.connect()
    daemon.source.put(beamline.start(), beamline.frame(7))
    follow(client, lambda: client.mirror.preview_image is not None)

    assert client.mirror.preview is not None
    assert client.mirror.preview.frame == 7
    np.testing.assert_array_equal(client.mirror.preview_image, beamline.counts(7))


def test_a_viewer_that_comes_when_no_frame_does_still_sees_the_newest(bench: Start) -> None:
    daemon = bench()
    first, late = daemon.client(), daemon.client()
    first.connect()
    daemon.source.put(beamline.start(), beamline.frame(7))
    follow(first, lambda: first.mirror.preview_image is not None)
    late.connect()
    follow(late, lambda: late.mirror.preview_image is not None)

    np.testing.assert_array_equal(late.mirror.preview_image, beamline.counts(7))


def test_an_address_in_use_is_a_complaint_before_anything_starts(bench: Start) -> None:
    from livepdf.daemon.assemble import prepare
    from livepdf.daemon.service import Service

    daemon = bench()
    prepared = prepare(daemon.out.parent / "profile.toml", daemon.out.parent / "recipe.toml")
    source = beamline.ScriptedSource()

    with pytest.raises(ConfigError) as caught:
        Service(
            prepared,
            source,
            output=daemon.out,
            requests=daemon.service.address,
            results=daemon.service.snapshot().results,
        )

    assert [c.key for c in caught.value.complaints] == ["wire.requests", "wire.results"]
    assert all("address in use" in c.found for c in caught.value.complaints)
    assert source.open_calls == 0
