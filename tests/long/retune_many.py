"""Thousands of stored windows reduced again while a detector goes on: how long, and how late.

python -m pytest tests/long/retune_many.py -s
"""

import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from livepdf.daemon.assemble import prepare
from livepdf.daemon.service import Service
from livepdf.wire.client import Client
from tests.daemon import beamline

WINDOWS = 2000
SHAPE = [1200, 1000]
RATE = 25.0
"""Windows per s that come meanwhile."""
FULL = """
[sample]
composition = "HfO2"
[reduction]
qmin = 0.8
qmax = 18.0
rmax = 30.0
rstep = 0.01
[window]
frames = 1
"""


@pytest.fixture
def service(tmp_path: Path) -> Iterator[tuple[Service, beamline.ScriptedSource]]:
    profile, recipe = beamline.write_settings(tmp_path)
    text = profile.read_text().replace("bins = 200", "bins = 2000")
    profile.write_text(text + "\n")
    recipe.write_text(FULL)
    poni = tmp_path / "geometry.poni"
    fine = poni.read_text().replace("1e-3", "1e-4").replace(str(list(beamline.SHAPE)), str(SHAPE))
    poni.write_text(fine)
    source = beamline.ScriptedSource()
    made = Service(
        prepare(profile, recipe),
        source,
        output=tmp_path / "out",
        requests="tcp://127.0.0.1:0",
        results="tcp://127.0.0.1:0",
    )
    made.start()
    yield made, source
    made.finish()


def counts(n: int) -> NDArray[np.uint16]:
    coarse = beamline.counts(n).astype(np.float64)
    return np.random.default_rng(n).poisson(np.kron(coarse, np.ones((10, 10)))).astype(np.uint16)


def wait(client: Client, until: Callable[[], bool]) -> None:
    deadline = time.monotonic() + 300
    while not until():
        assert time.monotonic() < deadline, client.mirror.status
        client.poll(0.02)


def test_live_windows_are_not_late_while_old_ones_are_reduced_again(
    service: tuple[Service, beamline.ScriptedSource],
) -> None:
    daemon, source = service
    client = Client(daemon.address)
    client.connect()
    images = [beamline.pack(counts(n)) for n in range(8)]
    source.put(beamline.start())
    for start in range(0, WINDOWS, 100):
        source.put(*(beamline.frame(n, image=images[n % 8]) for n in range(start, start + 100)))
        wait(client, lambda n=start + 100: client.mirror.status.windows >= n)  # type: ignore[misc,union-attr]
    stop, sent = threading.Event(), [WINDOWS]

    def send() -> None:
        while not stop.wait(1 / RATE):
            source.put(beamline.frame(sent[0], image=images[sent[0] % 8]))
            sent[0] += 1

    sender = threading.Thread(target=send, daemon=True)
    sender.start()
    quiet = lags(client, lambda started: time.monotonic() - started > 3.0)
    asked = time.monotonic()
    client.retune.apply({"reduction.qmax": 17.0, "reduction.rpoly": 1.0}, again="whole")
    applied = time.monotonic() - asked
    parts: dict[str, float] = {}
    previews: list[float] = []

    def done(_: float) -> bool:
        redo = client.mirror.status.redo  # type: ignore[union-attr]
        if redo is None:
            return False
        parts[redo.part] = time.monotonic() - asked
        if len(previews) < 8:
            before = time.monotonic()
            client.retune.preview({"reduction.qmax": 16.0 - 0.1 * len(previews)})
            previews.append(time.monotonic() - before)
        return redo.state == "done"

    busy = lags(client, done)
    stop.set()
    sender.join()
    client.close()

    print(  # noqa: T201
        f"\n{WINDOWS} windows: applied in {applied:.2f} s, curves after {parts['curves']:.2f} s, "
        f"trends after {parts['trends']:.2f} s; lag p99 {np.percentile(quiet, 99) * 1e3:.0f} ms "
        f"before, {np.percentile(busy, 99) * 1e3:.0f} ms meanwhile; "
        f"previews meanwhile {np.median(previews) * 1e3:.0f} ms, at most {max(previews) * 1e3:.0f}"
    )
    assert np.percentile(busy, 99) < 0.5


def lags(client: Client, until: Callable[[float], bool]) -> list[float]:
    """Return s from receipt to publication of every window that comes meanwhile."""
    found: list[float] = []
    started, newest = time.monotonic(), -1
    while not until(started):
        client.poll(0.02)
        status, latest = client.mirror.status, client.mirror.latest
        if latest is not None and status is not None and latest.span.number != newest:
            newest = latest.span.number
            if np.isfinite(status.lag):
                found.append(status.lag)
    return found
