"""A daemon with worker processes that is killed: nothing of it stays."""

import os
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from livepdf.wire.client import Client
from tests.daemon import beamline
from tests.system.daemon import Daemon, Detector

pytestmark = pytest.mark.system


@pytest.fixture
def detector() -> Iterator[Detector]:
    with Detector() as made:
        yield made


def children(pid: int) -> set[int]:
    found = set()
    for stat in Path("/proc").glob("[0-9]*/stat"):
        try:
            fields = stat.read_text().rsplit(") ", 1)[1].split()
        except OSError:
            continue
        if int(fields[1]) == pid and fields[0] != "Z":
            found.add(int(stat.parent.name))
    return found


def rings() -> set[str]:
    """Shared memory here, but for the frame numbers that daemons keep for a restart."""
    return {name for name in os.listdir("/dev/shm") if not name.startswith("livepdf-")}  # noqa: PTH208


def test_a_killed_daemon_leaves_no_process_and_no_shared_memory(
    tmp_path: Path, detector: Detector
) -> None:
    before = rings()
    profile, recipe = beamline.write_settings(
        tmp_path, port=detector.port, limits='workers = 2\nworker_kind = "processes"'
    )
    detector.start(1, beamline.SHAPE)
    for index in range(20):
        detector.image(1, index, beamline.counts(index))
    with Daemon(profile, recipe, "--out", str(tmp_path)) as daemon:
        client = Client(daemon.address())
        deadline = time.monotonic() + 60.0
        while client.mirror.status is None or client.mirror.status.counters.used < 20:
            assert time.monotonic() < deadline, (client.mirror, daemon.errors)
            client.poll(0.1)
        client.close()
        workers = children(daemon.process.pid)
        assert len(workers) >= 2

        daemon.process.kill()
        daemon.process.wait()

        while any(Path(f"/proc/{pid}").exists() for pid in workers):
            assert time.monotonic() < deadline, workers
            threading.Event().wait(0.05)
    assert rings() <= before
