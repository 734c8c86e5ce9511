"""From another network, nothing is read and nothing is changed without the right key."""

import json
import os
import socket
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from pathlib import Path

import pytest

from livepdf.daemon.keyring import make_client, revoke
from livepdf.errors import SourceError
from livepdf.wire.client import Client
from livepdf.wire.keys import read_client_key
from livepdf.wire.messages import MarkRequest
from tests.daemon import beamline
from tests.system.daemon import Daemon, Detector
from tests.system.test_run import follow

pytestmark = pytest.mark.system


class Network:
    """An address that is not loopback, and a way to run something on its other side."""

    def __init__(self) -> None:
        self._name = f"lp{os.getpid() % 100_000}"
        number = os.getpid() % 60_000
        self._net = f"10.{193 + number // 15_000}.{number // 60 % 250}"
        host = 4 * (number % 60) + 1
        self.address, self._peer = f"{self._net}.{host}", f"{self._net}.{host + 1}"
        self._other: subprocess.Popen[str] | None = None
        """Holds the other namespace; were it let go, this side's address would go with it."""
        self.apart = self._make()
        """Whether there really are two network namespaces."""

    def run(self, words: list[str]) -> "subprocess.Popen[str]":
        """Start a program on the other side."""
        return subprocess.Popen([*self._inside(), *words], stdout=subprocess.PIPE, text=True)

    def close(self) -> None:
        _ip("link", "del", f"{self._name}a")
        if self._other is not None:
            self._other.communicate()

    def _make(self) -> bool:
        ours, theirs = f"{self._name}a", f"{self._name}b"
        if _ip("link", "add", ours, "type", "veth", "peer", theirs) and self._hold():
            assert self._other is not None
            steps = (
                ["addr", "add", f"{self.address}/30", "dev", ours],
                ["link", "set", ours, "up"],
                ["link", "set", theirs, "netns", str(self._other.pid)],
            )
            inside = (
                ["addr", "add", f"{self._peer}/30", "dev", theirs],
                ["link", "set", theirs, "up"],
            )
            if all(_ip(*step) for step in steps) and all(
                _ip(*step, before=self._inside()) for step in inside
            ):
                return True
        self.close()
        self._other = None
        self.address = _own_address()
        return False

    def _hold(self) -> bool:
        """Start a process in a namespace of its own; it ends when its input does."""
        try:
            self._other = subprocess.Popen(
                ["unshare", "--net", "sh", "-c", "echo apart; exec cat"],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                text=True,
            )
        except OSError:
            return False
        assert self._other.stdout is not None
        return self._other.stdout.readline() == "apart\n"

    def _inside(self) -> list[str]:
        if self._other is None:
            return []
        return ["nsenter", "--target", str(self._other.pid), "--net"]


def _ip(*words: str, before: Sequence[str] = ()) -> bool:
    try:
        return subprocess.run([*before, "ip", *words], capture_output=True).returncode == 0
    except OSError:
        return False


def _own_address() -> str:
    """Return an address of this machine that is not loopback; nothing is sent for that."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        try:
            probe.connect(("192.0.2.1", 9))
            address: str = probe.getsockname()[0]
        except OSError:
            address = "127.0.0.1"
    if address.startswith("127."):
        why = "neither network namespaces nor an address that is not loopback"
        pytest.fail(why) if os.environ.get("CI") == "true" else pytest.skip(why)
    return address


@pytest.fixture
def network() -> Iterator[Network]:
    made = Network()
    yield made
    made.close()


def marks(client: Client) -> list[str]:
    return [event.text for event in client.mirror.events if event.kind == "mark"]


def refusal(client: Client) -> str:
    """Return why a mark is not taken; nothing when it is."""
    try:
        client.ask(MarkRequest(text="late"), 5.0)
    except SourceError as error:
        return str(error)
    return ""


def test_without_the_right_key_nothing_is_read_and_nothing_is_changed(
    tmp_path: Path, network: Network
) -> None:
    folder = tmp_path / "keys"
    files = {}
    for name, role in (("anna", "controller"), ("bob", "viewer"), ("carl", "controller")):
        files[name] = tmp_path / f"{name}.key"
        files[name].write_text(make_client(folder, name=name, role=role).toml())  # type: ignore[arg-type]
    revoke(folder, "carl")
    with Detector() as detector:
        profile, recipe = beamline.write_settings(
            tmp_path, port=detector.port, requests=f"tcp://{network.address}:0"
        )
        text = profile.read_text()
        more = f'results = "tcp://{network.address}:0"\nkeys = "keys"\n[limits]'
        profile.write_text(text.replace("[limits]", more))
        detector.start(1, beamline.SHAPE)
        for index in range(8):
            detector.image(1, index, beamline.counts(index))
        with Daemon(profile, recipe, "--out", str(tmp_path / "out")) as daemon:
            endpoint = daemon.address()
            own = Client(endpoint, key=read_client_key(files["anna"]))
            snapshot = own.connect(60.0)
            follow(own, lambda: own.mirror.windows is not None and len(own.mirror.windows) == 2)
            strangers = ["none", f"wrong:{files['anna']}", str(files["carl"])]
            words = [*strangers, str(files["bob"]), str(files["anna"])]
            stranger = network.run(
                [sys.executable, "-m", "tests.system.stranger", endpoint, snapshot.results, *words]
            )
            deadline = time.monotonic() + 240.0
            while stranger.poll() is None:
                assert time.monotonic() < deadline
                own.poll(0.1)
            said, _ = stranger.communicate()
            got = json.loads(said)

            for word in strangers:
                assert got[word]["role"] == "", got
                assert got[word]["heard"] == 0, got
                assert "no reply" in got[word]["mark"], got
            viewer = got[str(files["bob"])]
            assert (viewer["role"], viewer["windows"]) == ("viewer", 2)
            assert all("not allowed" in viewer[name] for name in ("mark", "pause", "stop"))
            controller = got[str(files["anna"])]
            assert (controller["role"], controller["mark"]) == ("controller", "Done")

            follow(own, lambda: own.mirror.connected)
            own.connect(60.0)
            follow(own, lambda: len(marks(own)) >= 2)
            assert marks(own) == [f"by {str(files['anna'])[-20:]}", "again"]
            follow(own, lambda: bool(own.mirror.status and own.mirror.status.turned_away))
            turned_away = own.mirror.status.turned_away  # type: ignore[union-attr]
            assert turned_away["unknown key"] >= 2
            assert turned_away["not allowed"] >= 3

            again = Client(endpoint, key=read_client_key(files["anna"]))
            revoke(folder, "anna")
            deadline = time.monotonic() + 60.0
            while not (refused := refusal(own)):
                assert time.monotonic() < deadline
                own.poll(0.1)
            # Whoever has to connect anew meanwhile is not even answered.
            assert "not valid" in refused or "no reply" in refused
            with pytest.raises(SourceError, match="no livepdf answers"):
                again.connect(3.0)
            again.close()
            own.close()


@pytest.mark.parametrize("key", ["requests", "results"])
def test_an_address_that_others_reach_wants_keys(tmp_path: Path, key: str) -> None:
    profile, recipe = beamline.write_settings(tmp_path)
    text = profile.read_text().replace(
        'requests = "tcp://127.0.0.1:0"', f'{key} = "tcp://0.0.0.0:0"'
    )
    profile.write_text(text)

    with Daemon(profile, recipe, "--out", str(tmp_path / "out")) as daemon:
        assert daemon.wait() == 3
    assert f"wire.{key}: found 'tcp://0.0.0.0:0'" in "".join(daemon.errors)


def test_the_command_line_cannot_open_an_address_without_keys_either(tmp_path: Path) -> None:
    profile, recipe = beamline.write_settings(tmp_path)

    with Daemon(profile, recipe, "--requests", "tcp://0.0.0.0:0") as daemon:
        assert daemon.wait() == 3
    assert "wire.requests: found tcp://0.0.0.0:0" in "".join(daemon.errors)


def test_a_key_of_the_daemon_that_others_can_read_is_not_used(tmp_path: Path) -> None:
    profile, recipe = beamline.write_settings(tmp_path)
    make_client(tmp_path / "keys", name="anna", role="viewer")
    (tmp_path / "keys" / "server.toml").chmod(0o644)
    profile.write_text(profile.read_text().replace("[limits]", 'keys = "keys"\n[limits]'))

    with Daemon(profile, recipe, "--out", str(tmp_path / "out")) as daemon:
        assert daemon.wait() == 3
    assert "chmod 600" in "".join(daemon.errors)
