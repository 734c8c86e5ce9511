"""Other protocols through the whole daemon, and its stream passed on to a file writer."""

import json
import socket
from collections.abc import Callable, Iterator
from pathlib import Path

import cbor2
import h5py
import pytest
import zmq

from tests.daemon import beamline
from tests.system.daemon import Daemon, Detector
from tests.system.test_run import EIGER_PONI

pytestmark = pytest.mark.system

Find = Callable[[str], Path]


@pytest.fixture
def detector() -> Iterator[Detector]:
    with Detector() as made:
        yield made


def settings(folder: Path, detector: Detector, *lines: str) -> tuple[Path, Path]:
    """Write a profile whose table of the source has these lines."""
    profile, recipe = beamline.write_settings(folder, port=detector.port)
    (folder / "geometry.poni").write_text(EIGER_PONI)
    before, _, rest = profile.read_text().partition("[source]")
    rest = rest[rest.index("\n[") :]
    endpoint = f'endpoint = "tcp://127.0.0.1:{detector.port}"'
    profile.write_text("\n".join([before + "[source]", endpoint, *lines, rest]))
    return profile, recipe


@pytest.mark.parametrize(
    ("kind", "recording", "frames", "reason"),
    [
        ("dectris-stream-v1", "dectris_v1_eiger1_si1m_all_9frames", 9, b"idle"),
        ("stins", "stins_balder_eiger1m_uint32_bslz4", 41, b"end"),
    ],
)
def test_a_recorded_stream_of_another_protocol_becomes_a_run(
    kind: str,
    recording: str,
    frames: int,
    reason: bytes,
    tmp_path: Path,
    detector: Detector,
    data_path: Find,
) -> None:
    profile, recipe = settings(tmp_path, detector, f'kind = "{kind}"', "idle_timeout = 2.0")
    detector.replay(data_path(f"protocols/{recording}.cborseq"))

    with Daemon(profile, recipe, "--out", str(tmp_path), "--runs", "1", "--json") as daemon:
        daemon.address()
        assert daemon.wait() == 0, daemon.errors
        summary = json.loads(daemon.rest())

    counters = summary["counters"]
    assert (counters["used"], counters["lost"], counters["refused"]) == (frames, 0, {})
    with h5py.File(summary["files"][0]) as file:
        assert file["entry/events/text"][-1].startswith(reason)


def test_a_file_writer_behind_the_daemon_gets_the_stream_of_the_detector(
    tmp_path: Path, detector: Detector, data_path: Find
) -> None:
    recording = data_path("protocols/dectris_v2_eiger1_si1m_all_10frames.cborseq")
    with socket.create_server(("127.0.0.1", 0)) as free:
        address = f"tcp://127.0.0.1:{free.getsockname()[1]}"
    profile, recipe = settings(
        tmp_path, detector, 'kind = "dectris-stream-v2"', f'republish = "{address}"'
    )
    wanted = []
    with recording.open("rb") as file:
        while file.peek(1):
            wanted.append(cbor2.load(file))

    with (
        zmq.Context() as context,
        context.socket(zmq.PULL) as writer,
        Daemon(profile, recipe, "--out", str(tmp_path), "--runs", "1", "--json") as daemon,
    ):
        joined = writer.get_monitor_socket(zmq.Event.HANDSHAKE_SUCCEEDED)
        writer.setsockopt(zmq.RCVTIMEO, 20_000)
        writer.connect(address)
        daemon.address()
        assert joined.poll(20_000)
        detector.replay(recording)
        got = [writer.recv_multipart() for _ in wanted]
        writer.disable_monitor()
        joined.close()
        assert daemon.wait() == 0, daemon.errors
        summary = json.loads(daemon.rest())

    assert got == wanted
    assert summary["counters"]["used"] == 10
