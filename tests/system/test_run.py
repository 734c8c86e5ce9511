import json
import signal
import threading
import time
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path

import h5py
import numpy as np
import pytest

from livepdf.wire.client import Client
from livepdf.wire.messages import MarkRequest, NextRunRequest
from tests.daemon import beamline
from tests.system.daemon import Daemon, Detector

pytestmark = pytest.mark.system

EIGER_PONI = """poni_version: 2.1
Detector: Detector
Detector_config: {"pixel1": 7.5e-05, "pixel2": 7.5e-05, "max_shape": [1065, 1030], "orientation": 3}
Distance: 0.03
Poni1: 0.04
Poni2: 0.0386
Rot1: 0.0
Rot2: 0.0
Rot3: 0.0
Wavelength: 2e-11
"""


@pytest.fixture
def detector() -> Iterator[Detector]:
    with Detector() as made:
        yield made


class Hook(HTTPServer):
    """An address that remembers what is posted to it."""

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Posted)
        self.heard: list[dict[str, object]] = []


class Posted(BaseHTTPRequestHandler):
    server: Hook

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"]))
        self.server.heard.append(json.loads(body))
        self.send_response(204)
        self.end_headers()

    def log_message(self, *_: object) -> None:
        pass


@pytest.fixture
def hook() -> Iterator[Hook]:
    with Hook() as server:
        thread = threading.Thread(target=server.serve_forever, args=(0.05,))
        thread.start()
        yield server
        server.shutdown()
        thread.join()


def follow(client: Client, until: Callable[[], bool], timeout: float = 120.0) -> None:
    deadline = time.monotonic() + timeout
    while not until():
        assert time.monotonic() < deadline, client.mirror
        client.poll(0.1)


def windows(client: Client) -> int:
    return 0 if client.mirror.windows is None else len(client.mirror.windows)


def test_a_recorded_stream_gives_all_its_frames_and_a_run_that_ended(
    tmp_path: Path, detector: Detector, data_path: Callable[[str], Path]
) -> None:
    recording = data_path("protocols/dectris_v2_eiger1_si1m_all_10frames.cborseq")
    profile, recipe = beamline.write_settings(tmp_path, port=detector.port)
    (tmp_path / "geometry.poni").write_text(EIGER_PONI)
    detector.replay(recording)

    with Daemon(profile, recipe, "--out", str(tmp_path), "--runs", "1", "--json") as daemon:
        daemon.address()
        assert daemon.wait() == 0, daemon.errors
        summary = json.loads(daemon.rest())

    assert summary["counters"] == {
        "received": 10,
        "used": 10,
        "left_out": 0,
        "refused": {},
        "waiting": 0,
        "lost": 0,
    }
    with h5py.File(summary["files"][0]) as file:
        assert file["entry/windows/frames"][:].tolist() == [4, 4, 2]
        assert file["entry/events/text"][-1].startswith(b"end: 10 frames used")
        assert file["entry/complete"][()] == 1


def test_a_killed_daemon_leaves_all_windows_that_were_flushed(
    tmp_path: Path, detector: Detector
) -> None:
    profile, recipe = beamline.write_settings(tmp_path, port=detector.port, window="frames = 1")
    detector.start(1, beamline.SHAPE)
    for index in range(12):
        detector.image(1, index, beamline.counts(index))
    with Daemon(profile, recipe, "--out", str(tmp_path)) as daemon:
        client = Client(daemon.address())
        follow(client, lambda: windows(client) == 12)
        follow(client, lambda: client.mirror.status is not None)
        follow(client, lambda: client.mirror.status.output != "")  # type: ignore[union-attr]
        path = Path(client.mirror.status.output)  # type: ignore[union-attr]
        _wait_for_rows(path, 12)
        daemon.process.send_signal(signal.SIGKILL)
        daemon.wait()
        client.close()

    with h5py.File(path, swmr=True) as file:
        shown = np.array(file["entry/pdf/G"])
        default = file[file.attrs["default"]].attrs["default"]
        signal_name = file["entry"][default].attrs["signal"]
        assert file["entry/complete"][()] == 0
        assert (default, signal_name) == ("pdf", "G")
    assert shown.shape[0] == 12
    assert np.isfinite(shown).all()

    # the next daemon makes that file one that opens anyhow; another series is another run
    detector.start(2, beamline.SHAPE)
    detector.image(2, 0, beamline.counts(0))
    detector.end(2)
    with Daemon(profile, recipe, "--out", str(tmp_path), "--runs", "2", "--json") as daemon:
        assert daemon.wait(240.0) == 0, daemon.errors
        files = json.loads(daemon.rest().splitlines()[-1])["files"]
    assert str(tmp_path / "series-2_0001.nxs") in files
    with h5py.File(path) as file:
        np.testing.assert_array_equal(file["entry/pdf/G"][: len(shown)], shown)


def _wait_for_rows(path: Path, rows: int) -> None:
    """Read as any other program does while the daemon writes."""
    deadline = time.monotonic() + 20.0
    with h5py.File(path, swmr=True) as file:
        dataset = file["entry/pdf/G"]
        while dataset.shape[0] < rows:
            assert time.monotonic() < deadline
            dataset.refresh()


def test_marks_reach_others_a_command_divides_the_series_and_a_signal_leaves_complete_files(
    tmp_path: Path, detector: Detector, hook: Hook
) -> None:
    profile, recipe = beamline.write_settings(tmp_path, port=detector.port)
    told = tmp_path / "told.json"
    with profile.open("a") as file:
        file.write(
            f"""
[[publish]]
kind = "webhook"
on = ["mark"]
url = "http://127.0.0.1:{hook.server_port}/marks"
[[publish]]
kind = "command"
on = ["mark"]
command = ["tee", "{told}"]
"""
        )
    detector.start(1, beamline.SHAPE)
    for index in range(6):
        detector.image(1, index, beamline.counts(index))
    with Daemon(profile, recipe, "--out", str(tmp_path), "--json") as daemon:
        client = Client(daemon.address())
        follow(client, lambda: client.mirror.status is not None)
        follow(client, lambda: client.mirror.status.counters.used == 6)  # type: ignore[union-attr]
        client.ask(MarkRequest(text="heater on"), 60.0)
        follow(client, lambda: bool(hook.heard) and told.exists() and told.read_text()[-1:] == "}")
        client.ask(NextRunRequest(name="annealed"), 60.0)
        for index in range(6, 9):
            detector.image(1, index, beamline.counts(index))
        follow(client, lambda: client.mirror.status.counters.used == 9)  # type: ignore[union-attr]
        daemon.process.send_signal(signal.SIGTERM)
        assert daemon.wait() == 0, daemon.errors
        follow(client, lambda: not client.mirror.connected)
        client.close()
        files = json.loads(daemon.rest())["files"]

    facts = {"happening": "mark", "text": "heater on", "run": "series-1_0001"}
    for heard in (hook.heard, [json.loads(told.read_text())]):
        assert [{key: said[key] for key in facts} for said in heard] == [facts]
    assert [Path(name).stem for name in files] == ["series-1_0001", "annealed_0001"]
    for name, windows in zip(files, ([4, 2], [2, 1]), strict=True):
        with h5py.File(name) as file:
            assert file["entry/complete"][()] == 1
            assert file["entry/windows/frames"][:].tolist() == windows
            assert file["entry/counters/used"][()] == sum(windows)
            assert file["entry/counters/received"][()] == sum(windows)


def test_strict_says_by_its_exit_code_that_frames_were_refused(
    tmp_path: Path, detector: Detector
) -> None:
    profile, recipe = beamline.write_settings(tmp_path, port=detector.port)
    detector.start(1, beamline.SHAPE)
    detector.image(1, 0, beamline.counts(0))
    detector.junk(b"not a message")
    detector.image(1, 1, beamline.counts(1))
    detector.end(1)
    more = ("--out", str(tmp_path), "--runs", "1", "--json", "--strict")
    with Daemon(profile, recipe, *more) as daemon:
        daemon.address()
        assert daemon.wait() == 5, daemon.errors
        counters = json.loads(daemon.rest())["counters"]

    assert counters["received"] == 3
    assert counters["used"] == 2
    assert sum(counters["refused"].values()) == 1


def test_wrong_settings_are_all_named_and_nothing_starts(tmp_path: Path) -> None:
    profile, recipe = beamline.write_settings(tmp_path)
    (tmp_path / "geometry.poni").unlink()
    profile.write_text(profile.read_text() + "\n[limit]\nworkers = 1\n")
    recipe.write_text(recipe.read_text().replace('"Ni"', '"Xx2"', 1))

    with Daemon(profile, recipe, "--out", str(tmp_path / "out")) as daemon:
        assert daemon.wait() == 3
        assert daemon.rest() == ""
    said = "".join(daemon.errors)

    assert "limit: found an unknown key" in said
    assert "sample.composition: found" in said
    assert "Traceback" not in said
    assert not (tmp_path / "out").exists()


def test_a_viewer_finds_the_daemon_that_was_started_again(
    tmp_path: Path, detector: Detector
) -> None:
    profile, recipe = beamline.write_settings(tmp_path, port=detector.port)
    with Daemon(profile, recipe, "--out", str(tmp_path)) as first:
        address = first.address()
        client = Client(address)
        client.connect()
        first.process.kill()
        first.wait()
    follow(client, lambda: not client.mirror.connected)

    detector.start(1, beamline.SHAPE)
    for index in range(4):
        detector.image(1, index, beamline.counts(index))
    again = ("--out", str(tmp_path), "--requests", address)
    with Daemon(profile, recipe, *again) as second:
        second.address()
        follow(client, lambda: client.mirror.connected and windows(client) == 1)
        client.close()


def test_a_disk_that_refuses_does_not_stop_the_run(tmp_path: Path, detector: Detector) -> None:
    profile, recipe = beamline.write_settings(tmp_path, port=detector.port, window="frames = 1")
    with Daemon(
        profile, recipe, "--out", str(tmp_path), "--json", limit_bytes=600 * 1024
    ) as daemon:
        client = Client(daemon.address())
        client.connect()
        detector.start(1, beamline.SHAPE)
        for index in range(400):
            detector.image(1, index, beamline.counts(index))
        follow(client, lambda: windows(client) == 400)
        follow(client, lambda: any("not saved" in p for p in client.mirror.status.problems))  # type: ignore[union-attr]
        daemon.process.send_signal(signal.SIGTERM)
        assert daemon.wait() in (0, 1), daemon.errors
        client.close()
        files = json.loads(daemon.rest())["files"]

    assert len(files) > 1
    saved = []
    for path in files:
        with h5py.File(path, swmr=True) as file:
            saved += file["entry/windows/number"][:].tolist()
    assert saved[0] == 0
    assert len(saved) > 50
