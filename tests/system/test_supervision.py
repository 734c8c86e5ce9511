"""The daemon as a service: what it tells its supervisor, its signals, its metrics, its logs."""

import json
import re
import select
import signal
import socket
import time
import urllib.request
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from prometheus_client.parser import text_string_to_metric_families

from livepdf.wire.client import Client
from tests.daemon import beamline
from tests.system.daemon import Daemon, Detector

pytestmark = pytest.mark.system
PATIENCE = 240.0


class Supervisor:
    """The other end of the notify protocol: a datagram socket that remembers."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.heard: list[dict[str, str]] = []
        self._socket = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self._socket.bind(str(path))

    def close(self) -> None:
        self._socket.close()

    def wait_for(self, key: str, value: str = "1", *, times: int = 1) -> None:
        deadline = time.monotonic() + PATIENCE
        while sum(word.get(key) == value for word in self.heard) < times:
            assert time.monotonic() < deadline, self.heard
            if select.select([self._socket], [], [], 1.0)[0]:
                lines = self._socket.recv(4096).decode().split("\n")
                self.heard.append(dict(line.split("=", 1) for line in lines))


@pytest.fixture
def supervisor(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Supervisor]:
    made = Supervisor(tmp_path / "notify")
    monkeypatch.setenv("NOTIFY_SOCKET", str(made.path))
    monkeypatch.setenv("WATCHDOG_USEC", "3000000")
    yield made
    made.close()


@pytest.fixture
def detector() -> Iterator[Detector]:
    with Detector() as made:
        yield made


def follow(client: Client, until: Callable[[], bool]) -> None:
    deadline = time.monotonic() + PATIENCE
    while not until():
        assert time.monotonic() < deadline, client.mirror
        client.poll(0.1)


def read(daemon: Daemon) -> str:
    """Return the metrics from the address that the daemon said on standard error."""
    deadline = time.monotonic() + PATIENCE
    while not (found := re.findall(r"metrics (http://127\.\S+)", "".join(daemon.errors))):
        assert time.monotonic() < deadline, daemon.errors
    with urllib.request.urlopen(found[0], timeout=30) as page:
        text: str = page.read().decode()
    return text


def test_a_supervised_daemon_is_ready_alive_reloads_and_stops(
    tmp_path: Path, detector: Detector, supervisor: Supervisor
) -> None:
    profile, recipe = beamline.write_settings(tmp_path, port=detector.port)
    profile.write_text(profile.read_text() + "[metrics]\nport = 0\n")
    with Daemon(profile, recipe, "--out", str(tmp_path / "out")) as daemon:
        client = Client(daemon.address())
        supervisor.wait_for("READY")
        supervisor.wait_for("WATCHDOG", times=2)
        client.connect()
        detector.start(1, beamline.SHAPE)
        for index in range(6):
            detector.image(1, index, beamline.counts(index))
        follow(
            client, lambda: bool(client.mirror.status and client.mirror.status.counters.used == 6)
        )

        recipe.write_text(recipe.read_text().replace("qmax = 18.0", "qmax = 16.0"))
        daemon.process.send_signal(signal.SIGHUP)
        supervisor.wait_for("RELOADING")
        supervisor.wait_for("READY", times=2)
        assert all("MONOTONIC_USEC" in word for word in supervisor.heard if "RELOADING" in word)
        assert client.retune.recipe().revision == 2
        assert "qmax = 16.0" in client.retune.recipe().text

        recipe.write_text(recipe.read_text() + "\n[reduction2]\n")
        daemon.process.send_signal(signal.SIGHUP)
        supervisor.wait_for("READY", times=3)
        assert client.retune.recipe().revision == 2
        events = client.mirror.events
        follow(client, lambda: any("reduction2: found" in event.text for event in events))

        metrics = {
            (sample.name, *sorted(sample.labels.values())): sample.value
            for family in text_string_to_metric_families(read(daemon))
            for sample in family.samples
        }
        assert metrics["livepdf_frames_total", "intake", "received"] == 6
        assert metrics["livepdf_frames_total", "used", "window"] == 6
        assert metrics["livepdf_stage_seconds_count", "integrate"] == 6
        assert metrics["livepdf_config_revision",] == 2
        assert metrics["livepdf_source_up",] in (0, 1)
        assert any(name[0] == "livepdf_build_info" for name in metrics)

        daemon.process.send_signal(signal.SIGTERM)
        supervisor.wait_for("STOPPING")
        assert daemon.wait() == 0, daemon.errors
        client.close()


def test_under_the_journal_every_line_of_the_log_is_json(
    tmp_path: Path, detector: Detector, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("JOURNAL_STREAM", "8:1")
    profile, recipe = beamline.write_settings(tmp_path, port=detector.port)
    detector.start(1, beamline.SHAPE)
    for _ in range(30):
        detector.junk(b"not a message")
    detector.image(1, 0, beamline.counts(0))
    detector.end(1)
    with Daemon(profile, recipe, "--out", str(tmp_path / "out"), "--runs", "1") as daemon:
        daemon.address()
        assert daemon.wait() == 0, daemon.errors
    logged = [line for line in daemon.errors if line.startswith("<")]

    assert logged
    assert len(logged) <= 15
    for line in logged:
        assert re.match(r"<[2-7]>\{", line)
        assert {"time", "level", "logger", "message"} <= json.loads(line[3:]).keys()
