"""4.2 million pixels thirty times a second for a while: every shot accounted for, on two cores.

``python -m pytest tests/long/sacla_load.py -s`` on a quiet machine. The sender is a process of its
own on the same two cores; SHOTS in the environment changes how long it takes.
"""

import os
import subprocess
import sys
import threading
import time
from datetime import UTC, datetime
from pathlib import Path

import pytest

from livepdf.cli.shots_files import write_shot_settings
from livepdf.daemon.assemble import prepare
from livepdf.daemon.service import Service
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
    series = run._series(datetime.now(UTC))
    more = {"saturation_value": run.electronics.full}
    with Port(endpoint, patience=300.0) as port:
        print(f"bound {port.endpoint}", flush=True)  # noqa: T201  # what who started us waits for
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
    print(f"sent {sent.images} dropped {sent.dropped} late {sent.late:.3f}", flush=True)  # noqa: T201


@pytest.mark.timeout(600)
@pytest.mark.parametrize("experiment", ["pump-probe", "serial"])
def test_every_shot_is_accounted_for(experiment: Experiment, tmp_path: Path) -> None:
    profile, recipe = write_shot_settings(made(experiment), tmp_path, endpoint="tcp://127.0.0.1:9")
    command = [sys.executable, "-m", "tests.long.sacla_load", experiment]
    environment = {**os.environ, "SHOTS": str(SHOTS)}
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True, env=environment) as sender:
        assert sender.stdout is not None
        address = sender.stdout.readline().split()[1]
        profile.write_text(profile.read_text().replace("tcp://127.0.0.1:9", address))
        prepared = prepare(profile, recipe)
        service = Service(
            prepared,
            make_source(prepared.settings.profile.source),
            output=tmp_path / "out",
            requests="tcp://127.0.0.1:0",
            results="tcp://127.0.0.1:0",
        )
        service.start()
        client = Client(service.address)
        lags = []
        began = time.monotonic()
        while time.monotonic() - began < 500:
            client.poll(0.2)
            status = client.mirror.status
            if status is not None and status.counters.received > 30:
                lags.append(status.lag)
            if any(event.kind == "run end" for event in client.mirror.events):
                break
        took = time.monotonic() - began
        until = time.monotonic() + 20
        while time.monotonic() < until and counted(client) < SHOTS:
            client.poll(0.2)
        said = sender.stdout.readline().strip()
        service.finish()
        client.close()
    report = client.mirror.laser if experiment == "pump-probe" else client.mirror.serial
    assert report is not None
    used = sum(n for _, n in report.counts.classes)
    rejected = sum(n for _, n in report.counts.rejected)
    worst = max((lag for lag in lags if lag == lag), default=float("nan"))
    parts = [part.words for part in getattr(report, "fractions", ())]
    words = f"{said}; {used} used, {rejected} rejected of {SHOTS} in {took:.1f} s"
    print(f"{experiment}: {words}, lag at most {worst:.2f} s; {parts}")  # noqa: T201
    assert "dropped 0" in said
    assert used + rejected == SHOTS == report.counts.received
    assert took < SHOTS / RATE + 20


def counted(client: Client) -> int:
    report = client.mirror.laser or client.mirror.serial
    return 0 if report is None else report.counts.received


if __name__ == "__main__":
    send(sys.argv[1], sys.argv[2] if len(sys.argv) > 2 else "tcp://127.0.0.1:0")  # type: ignore[arg-type]
