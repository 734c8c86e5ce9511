"""4.2 million pixels thirty times a second for a while: every shot accounted for, on two cores.

``python -m pytest tests/long/sacla_load.py -s`` on a quiet machine: each experiment ends within
three minutes, or fails. The sender is a process of its own on the same two cores, and its clock
starts when the daemon has compiled what it needs; SHOTS in the environment changes how long it
takes.
"""

import os
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import pytest

from livepdf.cli.shots_files import write_shot_settings
from livepdf.daemon.assemble import prepare
from livepdf.daemon.service import Service
from livepdf.model.laser import LaserReport
from livepdf.model.serial import SerialReport
from livepdf.simulate.port import Port
from livepdf.simulate.sender import send_series
from livepdf.simulate.shots import Experiment
from livepdf.simulate.stream2 import (
    end_message,
    image_content,
    packed_image_message,
    start_message,
)
from livepdf.simulate.xfel import XfelRun, xfel_run
from livepdf.sources.open_source import make_source
from livepdf.wire.client import Client

SHOTS = int(os.environ.get("SHOTS", "900"))
RATE = 30.0
_DRAWN = 8


def made(experiment: Experiment) -> XfelRun:
    return xfel_run(experiment, shots=SHOTS, size="full", seed=3, rate=RATE, hit_rate=0.3)


def send(experiment: Experiment, endpoint: str) -> None:
    """Draw a few shots, then send them again and again, each with records of its own."""
    run = made(experiment)
    contents = [image_content(run.image(n)) for n in range(_DRAWN)]
    more = {"saturation_value": run.electronics.full}
    with Port(endpoint, patience=60.0) as port:
        print(f"bound {port.endpoint}", flush=True)  # noqa: T201  # what who started us waits for
        sys.stdin.readline()
        series = run._series(datetime.now(UTC))
        sent = send_series(
            port,
            start=start_message(series, more=more),
            images=(
                packed_image_message(
                    series, index=n, content=contents[n % _DRAWN], user_data=run.record(n)
                )
                for n in range(SHOTS)
            ),
            end=end_message(series),
            rate=RATE,
            stop=threading.Event(),
            sent=lambda _: None,
            drop=True,
        )
    words = f"dropped {sent.dropped}, the last {sent.late:.3f} s late, {sent.seconds:.1f} s"
    print(f"sent {sent.images}, {words}", flush=True)  # noqa: T201


@dataclass(frozen=True, kw_only=True)
class Look:
    """How far the daemon was at a time."""

    seconds: float
    received: int
    used: int
    lag: float
    queue: float
    """MB"""


@pytest.mark.timeout(170)
@pytest.mark.parametrize("experiment", ["pump-probe", "serial"])
def test_every_shot_is_accounted_for(experiment: Experiment, tmp_path: Path) -> None:
    profile, recipe = write_shot_settings(made(experiment), tmp_path, endpoint="tcp://127.0.0.1:9")
    command = [sys.executable, "-m", "tests.long.sacla_load", experiment]
    environment = {**os.environ, "SHOTS": str(SHOTS)}
    pipe = subprocess.PIPE
    sender = subprocess.Popen(command, stdin=pipe, stdout=pipe, text=True, env=environment)
    try:
        assert sender.stdout is not None
        address = sender.stdout.readline().split()[1]
        profile.write_text(profile.read_text().replace("tcp://127.0.0.1:9", address))
        report, looks = served(experiment, profile, recipe, sender)
        said = sender.communicate(timeout=10)[0].strip()
    finally:
        sender.kill()
        sender.wait()
    used = sum(n for _, n in report.counts.classes)
    rejected = sum(n for _, n in report.counts.rejected)
    told(experiment, report, looks, said)
    assert "dropped 0," in said
    assert used + rejected == SHOTS == report.counts.received
    assert looks[-1].seconds < SHOTS / RATE + 10
    # Once it runs, no more waits than at the beginning.
    assert looks[-1].lag < 5.0


def served(
    experiment: Experiment, profile: Path, recipe: Path, sender: subprocess.Popen[str]
) -> tuple[LaserReport | SerialReport, list[Look]]:
    """Run a daemon until the run is over and reported; return its report and how it went."""
    prepared = prepare(profile, recipe)
    service = Service(
        prepared,
        make_source(prepared.settings.profile.source),
        output=profile.parent / "out",
        requests="tcp://127.0.0.1:0",
        results="tcp://127.0.0.1:0",
    )
    service.start()
    client = Client(service.address)
    try:
        follow(client, lambda: warm(client), limit=60.0)
        assert sender.stdin is not None
        sender.stdin.write("go\n")
        sender.stdin.flush()
        looks: list[Look] = []
        began = time.monotonic()
        follow(client, lambda: watched(client, looks, began), limit=SHOTS / RATE + 40)
        follow(client, lambda: counted(client) == SHOTS, limit=20.0)
    finally:
        service.finish()
        client.close()
    report = client.mirror.laser if experiment == "pump-probe" else client.mirror.serial
    assert report is not None
    return report, looks


def follow(client: Client, until: Callable[[], bool], *, limit: float) -> None:
    end = time.monotonic() + limit
    while not until():
        assert time.monotonic() < end, client.mirror.status
        client.poll(0.1)


def warm(client: Client) -> bool:
    status = client.mirror.status
    return status is not None and status.state == "waiting" and not status.preparing


def watched(client: Client, looks: list[Look], began: float) -> bool:
    """Note how far the daemon is, twice a second at most; tell whether the run is over."""
    now, status = time.monotonic() - began, client.mirror.status
    over = any(event.kind == "run end" for event in client.mirror.events)
    if status is not None and (over or not looks or now - looks[-1].seconds > 0.5):
        looks.append(
            Look(
                seconds=now,
                received=status.counters.received,
                used=status.counters.used,
                lag=status.lag,
                queue=status.queue_bytes / 1e6,
            )
        )
    return over


def told(
    experiment: Experiment, report: LaserReport | SerialReport, looks: list[Look], said: str
) -> None:
    """Print the figures that this is run for."""
    print(f"\n{experiment}, 4.2 Mpx at {RATE:g} Hz: {said}")  # noqa: T201
    print("    s   received   used   used/s   lag (s)   queue (MB)")  # noqa: T201
    every = max(len(looks) // 8, 1)
    rows = [*looks[::every], looks[-1]]
    for before, row in zip([rows[0], *rows], rows, strict=False):
        rate = (row.used - before.used) / max(row.seconds - before.seconds, 0.5)
        print(  # noqa: T201
            f"{row.seconds:5.1f} {row.received:10d} {row.used:6d} {rate:8.1f} {row.lag:9.2f} "
            f"{row.queue:12.0f}"
        )
    most = max(one.queue for one in looks)
    lag = max((one.lag for one in looks if one.lag == one.lag), default=float("nan"))
    print(f"lag at most {lag:.2f} s, queue at most {most:.0f} MB")  # noqa: T201
    print(f"classes {dict(report.counts.classes)}")  # noqa: T201
    print(f"rejected {dict(report.counts.rejected)}")  # noqa: T201
    for part in getattr(report, "fractions", ()):
        print(part.words)  # noqa: T201


def counted(client: Client) -> int:
    report = client.mirror.laser or client.mirror.serial
    return 0 if report is None else report.counts.received


if __name__ == "__main__":
    send(sys.argv[1], sys.argv[2] if len(sys.argv) > 2 else "tcp://127.0.0.1:0")  # type: ignore[arg-type]
