"""The DECTRIS simulator of Diamond Light Source, driven over its REST interface like a detector.

It is a peer that misbehaves: its socket is also connected to itself, so some messages are lost on
the way; it sometimes joins an image to the header before it; and each series ends twice. All the
same, what arrives must be right.
"""

import json
import os
import socket
import subprocess
import sys
import urllib.request
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any
from urllib.error import URLError

import numpy as np
import pytest

from livepdf.model.frame import FrameRefused, RunEnd, RunStart, SourceItem
from livepdf.sources.open_source import make_source
from livepdf.sources.source import Source
from tests.sources.conftest import kinds, wait_for
from tests.sources.streams import frames, pixels, settings

API = "api/1.8.0"
MOST_SERIES = 30
"""As many as may lose their header on the way; about every second one does."""
NODATA = {"legacy": 1_253_074, "cbor": 1_253_075}
"""Pixels of the simulator's two images that are the largest number of their type."""


def free_ports(count: int) -> list[int]:
    sockets = [socket.create_server(("127.0.0.1", 0)) for _ in range(count)]
    ports = [one.getsockname()[1] for one in sockets]
    for one in sockets:
        one.close()
    return ports


class Detector:
    """A running simulator."""

    def __init__(self, folder: Path, older_cbor2: Path) -> None:
        rest, legacy, cbor = free_ports(3)
        self.endpoints = {
            "legacy": f"tcp://127.0.0.1:{legacy}",
            "cbor": f"tcp://127.0.0.1:{cbor}",
        }
        self._rest = f"http://127.0.0.1:{rest}"
        file = folder / "eiger.yaml"
        file.write_text(
            "- type: tickit_devices.eiger.Eiger\n  inputs: {}\n  name: eiger\n"
            f"  host: 127.0.0.1\n  port: {rest}\n"
            f"  stream_legacy_port: {legacy}\n  stream_cbor_port: {cbor}\n"
        )
        self.process = subprocess.Popen(
            [sys.executable, "-m", "tickit", "all", str(file)],
            env={**os.environ, "PYTHONPATH": str(older_cbor2)},
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )

    def running(self) -> bool:
        assert self.process.poll() is None, "the simulator ended by itself"
        try:
            with urllib.request.urlopen(f"{self._rest}/detector/{API}/config/nimages", timeout=5):
                return True
        except URLError:
            return False

    def put(self, path: str, value: object = None) -> None:
        body = b"" if value is None else json.dumps({"value": value}).encode()
        request = urllib.request.Request(
            f"{self._rest}/{path}",
            data=body,
            method="PUT",
            headers={"Content-Type": "application/json"},
        )
        with urllib.request.urlopen(request, timeout=20):
            pass

    def expose(self, images: int) -> None:
        """Arm, trigger and disarm."""
        self.put(f"detector/{API}/config/nimages", images)
        for command in ("arm", "trigger", "disarm"):
            self.put(f"detector/{API}/command/{command}")


@pytest.fixture
def detector(tmp_path: Path, older_cbor2: str) -> Iterator[Detector]:
    detector = Detector(tmp_path, Path(older_cbor2))
    yield detector
    detector.process.terminate()
    detector.process.wait(timeout=20)


@pytest.fixture
def open_source() -> Iterator[Callable[[Any], Source]]:
    """Return a function that makes and opens a source; it is closed at the end."""
    opened: list[Source] = []

    def make(given: Any) -> Source:
        opened.append(make_source(given))
        opened[-1].open()
        return opened[-1]

    yield make
    for source in opened:
        source.close()


@pytest.mark.parametrize(
    ("form", "kind"), [("legacy", "dectris-stream-v1"), ("cbor", "dectris-stream-v2")]
)
@pytest.mark.timeout(120)
def test_what_the_simulator_sends_is_read_and_what_it_loses_is_counted(
    form: str, kind: str, detector: Detector, open_source: Callable[[Any], Source]
) -> None:
    source = open_source(settings(kind, endpoint=detector.endpoints[form], gap_timeout=0.3))
    wait_for(lambda: source.poll(0.1), lambda _: detector.running())
    detector.put(f"detector/{API}/command/initialize")
    for key, value in (("mode", "enabled"), ("format", form), ("header_detail", "all")):
        detector.put(f"stream/{API}/config/{key}", value)
    for key, value in (("ntrigger", 1), ("trigger_mode", "ints"), ("frame_time", 0.05)):
        detector.put(f"detector/{API}/config/{key}", value)
    detector.put(f"detector/{API}/config/count_time", 0.05)

    items: list[SourceItem] = []
    for _ in range(MOST_SERIES):
        detector.expose(4)
        items += wait_for(lambda: source.poll(0.1), lambda got: "RunEnd" in kinds(got), 60)
        starts = [item for item in items if isinstance(item, RunStart)]
        headed = [start for start in starts if "header" not in start.metadata]
        if len(starts) > 1 and headed:
            break

    assert headed
    assert {start.expected for start in headed} == {4}
    assert not [item for item in items if isinstance(item, FrameRefused)]
    ends = [item.reason for item in items if isinstance(item, RunEnd)]
    assert ends == ["end"] * len(starts)
    assert 4 <= len(frames(items)) <= 4 * len(starts)
    for frame in frames(items):
        image = pixels(frame)
        assert (image.shape, image.dtype) == ((4362, 4148), np.uint16)
        assert np.count_nonzero(image == 65535) == NODATA[form]
