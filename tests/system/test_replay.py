"""A recorded run, played once more, gives the same numbers."""

import json
import os
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import h5py
import numpy as np
import pytest
import zmq

from tests.daemon.beamline import SHAPE, counts, write_settings
from tests.system.daemon import Daemon, Detector

LIVEPDF = [sys.executable, "-m", "livepdf.cli.main"]
NOT_OF_THE_FRAMES = ("events", "process", "azint1d/reduction")
"""What says when somebody worked on the frames, and with which files; the rest must repeat."""

FEED = """
[[slow]]
kind = "json"
endpoint = "tcp://127.0.0.1:{port}"
frame = "image"
wait = 1.5
value = [{{ name = "monitor", of = "I0" }}, {{ name = "heater", of = "T" }}]
"""


def livepdf(*arguments: object) -> subprocess.CompletedProcess[str]:
    command = [*LIVEPDF, *map(str, arguments)]
    environment = {**os.environ, "COLUMNS": "200"}
    return subprocess.run(
        command, capture_output=True, text=True, timeout=240, check=False, env=environment
    )


def numbers(path: Path) -> dict[str, np.ndarray]:
    """Every dataset of numbers that comes from the frames."""
    found: dict[str, np.ndarray] = {}

    def take(name: str, item: h5py.Dataset | h5py.Group) -> None:
        inside = name.removeprefix("entry/")
        plain = isinstance(item, h5py.Dataset) and item.dtype.kind in "fiu"
        if plain and not inside.startswith(NOT_OF_THE_FRAMES):
            found[name] = item[()]

    with h5py.File(path) as file:
        file.visititems(take)
    return found


@pytest.mark.system
def test_windows_by_time_are_the_same_also_where_only_the_time_of_receipt_is_known(
    tmp_path: Path,
) -> None:
    with Detector() as detector:
        profile, recipe = write_settings(tmp_path, port=detector.port, window="seconds = 0.2")
        text = profile.read_text().replace("[output]", "[output]\nrecord = true")
        profile.write_text(text)
        with Daemon(profile, recipe, "--out", str(tmp_path / "live"), "--runs", "1") as daemon:
            daemon.address()
            detector.start(1, SHAPE)
            for index in range(40):
                if index != 17:
                    detector.image(1, index, counts(index))
                threading.Event().wait(0.03)
            detector.junk(b"no message")
            detector.end(1)
            assert daemon.wait() == 0, daemon.errors
    (recording,) = (tmp_path / "live").glob("*.mcap")

    again = livepdf(
        "replay", recording, "--speed", "max", "--out", tmp_path / "again", "--json", "--strict"
    )

    assert again.returncode == 5, again.stderr
    counters = json.loads(again.stdout.splitlines()[-1])["counters"]
    assert (counters["used"], counters["lost"]) == (39, 1)
    assert counters["refused"] == {"malformed": 1}
    assert_same_numbers(tmp_path, windows=6)


@pytest.mark.system
def test_slow_values_and_i0_of_a_feed_are_those_of_the_live_run(tmp_path: Path) -> None:
    with Detector() as detector, published() as (feed, port):
        profile, recipe = write_settings(
            tmp_path,
            port=detector.port,
            detector=FEED.format(port=port),
            more="[normalization]\nmonitor = true\n",
        )
        profile.write_text(profile.read_text().replace("[output]", "[output]\nrecord = true"))
        with Daemon(profile, recipe, "--out", str(tmp_path / "live"), "--runs", "1") as daemon:
            daemon.address()
            assert feed.poll(20_000)
            assert feed.recv() == b"\x01"  # the daemon has subscribed
            detector.start(1, SHAPE)
            for index in range(24):
                detector.image(1, index, counts(index))
            detector.end(1)
            for index in set(range(24)) - {9}:
                temperature = 300.0 + index / 7 if index != 13 else None
                feed.send_json({"image": index, "I0": 1000.1 / (index + 1), "T": temperature})
            assert daemon.wait() == 0, daemon.errors
    (recording,) = (tmp_path / "live").glob("*.mcap")

    arguments = ("--speed", "max", "--out", tmp_path / "again", "--json")
    again = livepdf("replay", recording, *arguments)

    assert again.returncode == 0, again.stderr
    counters = json.loads(again.stdout.splitlines()[-1])["counters"]
    assert counters["used"] == 23
    assert counters["refused"] == {"no monitor": 1}
    assert_same_numbers(tmp_path, windows=6)
    (replayed,) = (tmp_path / "again").glob("*.nxs")
    with h5py.File(replayed) as file:
        names = list(file["entry/windows/environment_names"][:])
        heater = file["entry/windows/environment"][:, names.index(b"heater")]
    assert np.isfinite(heater).all()


@contextmanager
def published() -> "Iterator[tuple[zmq.Socket[bytes], int]]":
    """Publish over ZeroMQ on a free port, and hear who subscribes."""
    with zmq.Context() as context, context.socket(zmq.XPUB) as socket:
        socket.setsockopt(zmq.LINGER, 0)
        yield socket, socket.bind_to_random_port("tcp://127.0.0.1")


def assert_same_numbers(folder: Path, *, windows: int) -> None:
    (live,) = (folder / "live").glob("*.nxs")
    (replayed,) = (folder / "again").glob("*.nxs")
    first, second = numbers(live), numbers(replayed)
    assert sorted(first) == sorted(second)
    assert len(first["entry/windows/first"]) >= windows
    different = [n for n in first if not np.array_equal(first[n], second[n], equal_nan=True)]
    assert different == []
