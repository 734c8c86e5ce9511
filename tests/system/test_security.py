"""From another network, nothing is read and nothing is changed without the right key."""

import contextlib
import json
import os
import socket
import subprocess
import sys
from collections.abc import Iterator
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
        self.apart = self._make()
        """Whether there really are two network namespaces."""

    def run(self, words: list[str]) -> "subprocess.Popen[str]":
        """Start a program on the other side; it waits for a line before it uses the network."""
        before = ["unshare", "--net"] if self.apart else []
        process = subprocess.Popen(
            [*before, *words], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        )
        if self.apart:
            self._hand_over(process.pid)
        assert process.stdin is not None
        process.stdin.write("go\n")
        process.stdin.flush()
        return process

    def close(self) -> None:
        _ip("link", "del", f"{self._name}a")

    def _make(self) -> bool:
        made = _ip("link", "add", f"{self._name}a", "type", "veth", "peer", f"{self._name}b")
        if made and _ip("addr", "add", f"{self.address}/30", "dev", f"{self._name}a"):
            return _ip("link", "set", f"{self._name}a", "up")
        _ip("link", "del", f"{self._name}a")
        self.address = _own_address()
        return False

    def _hand_over(self, pid: int) -> None:
        # Until unshare has happened, the program is still on this side.
        own = Path("/proc/self/ns/net").readlink()
        while Path(f"/proc/{pid}/ns/net").readlink() == own:
            os.sched_yield()
        assert _ip("link", "set", f"{self._name}b", "netns", str(pid))
        inside = ["nsenter", "--target", str(pid), "--net", "ip"]
        for words in (
            ["addr", "add", f"{self._peer}/30", "dev", f"{self._name}b"],
            ["link", "set", f"{self._name}b", "up"],
        ):
            subprocess.run([*inside, *words], check=True)


def _ip(*words: str) -> bool:
    try:
        return subprocess.run(["ip", *words], capture_output=True).returncode == 0
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
            said, _ = stranger.communicate(timeout=240)
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

            own.connect(60.0)
            marks = [event.text for event in own.mirror.events if event.kind == "mark"]
            assert marks == [f"by {str(files['anna'])[-20:]}", "again"]
            follow(own, lambda: bool(own.mirror.status and own.mirror.status.turned_away))
            turned_away = own.mirror.status.turned_away  # type: ignore[union-attr]
            assert turned_away["unknown key"] >= 2
            assert turned_away["not allowed"] >= 3

            revoke(folder, "anna")
            refused = ""
            while "not valid" not in refused:
                with contextlib.suppress(SourceError):
                    own.ask(MarkRequest(text="late"), 5.0)
                    continue
                try:
                    own.ask(MarkRequest(text="later"), 5.0)
                except SourceError as error:
                    refused = str(error)
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
