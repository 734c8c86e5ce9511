"""Months of small runs in less than an hour: does the daemon stay as it was when it had warmed up?

``python -m tests.long.soak`` sends 2 million frames in 500 series to a real daemon and prints a
line every half minute, then a table; ``--frames 100000 --series 25`` is a small one. The exit code
is 1 where something grew, was lost or was late.
"""

import argparse
import signal
import statistics
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path

import h5py
import numpy as np

from livepdf.model.status import Status
from livepdf.wire.client import Client
from livepdf.wire.messages import ShutdownRequest
from tests.long.small_frames import Process, Vitals, daemon, detector, total_of

WINDOW = 100
"""Frames."""
GROWTH = 1.05
LAG = 10.0
"""s that the newest result may be behind, on a machine that others use too."""
PLANTED = b"results of last year"
"""What lies where the third run would go if names were not looked at."""
_LOOK, _SAY = 5.0, 30.0
MANY, FEW = 1000, 200
"""Frames that wait, at which the detector is held and let go: the rate is the daemon's own."""


@dataclass(frozen=True, slots=True)
class Look:
    """The daemon at one moment."""

    at: float
    """s since the beginning."""
    vitals: Vitals
    status: Status


def follow(
    client: Client, service: Process, sender: Process, *, frames: int, minutes: float
) -> list[Look]:
    """Look at the daemon now and then; stop it when it has worked off what was sent."""
    looks: list[Look] = []
    began = said = time.monotonic()
    held = asked = False
    while service.popen.poll() is None:
        client.poll(0.2)
        now, status = time.monotonic(), client.mirror.status
        if status is None:
            continue
        waiting = status.counters.waiting
        if held != (waiting > (FEW if held else MANY)):
            held = not held
            sender.popen.send_signal(signal.SIGSTOP if held else signal.SIGCONT)
        if sender.popen.poll() is None and now - began > 60.0 * minutes:
            sender.popen.send_signal(signal.SIGTERM)
        if (
            sender.popen.poll() is not None
            and not waiting
            and not asked
            and status.state == "waiting"
        ):
            client.ask(ShutdownRequest(), 60.0)
            asked = True
        if now - began < _LOOK * (len(looks) + 1):
            continue
        try:
            looks.append(Look(now - began, service.vitals(), status))
        except OSError:
            break
        if now - said > _SAY:
            said = now
            print(line(looks[-1], frames), flush=True)  # noqa: T201
    return looks


@contextmanager
def held(sender: Process) -> Iterator[None]:
    """Let the detector stand still until it is told to go on: the daemon may have to compile."""
    sender.popen.send_signal(signal.SIGSTOP)
    yield


def line(look: Look, frames: int) -> str:
    """Return how it goes."""
    counters, vitals = look.status.counters, look.vitals
    return (
        f"{look.at:6.0f} s  {100 * counters.used / frames:5.1f} %  {counters.used:8d} frames  "
        f"{look.status.run:20}  {look.status.rate:5.0f} Hz  lag {look.status.lag:5.2f} s  "
        f"{counters.waiting:6d} wait  {vitals.memory:6.1f} MiB  {vitals.files:3d} files  "
        f"{vitals.threads:3d} threads  {vitals.cpu / look.at:.2f} cores"
    )


@dataclass(frozen=True, slots=True)
class Row:
    """One law, and whether it held."""

    law: str
    found: str
    held: bool


def judged(looks: list[Look], *, warm: float) -> list[Row]:
    """Compare the end with the time after the warm-up; ``warm`` is its share of the looks at least.

    It lasts until all loops are compiled: a compiler keeps the memory that it took.
    """
    compiling = [number for number, look in enumerate(looks[:-1]) if look.status.preparing]
    first = max([int(len(looks) * warm), *(number + 1 for number in compiling)])
    first = min(first, len(looks) - 1)
    part = max(1, len(looks) // 10)
    early, late = looks[first : first + part], looks[-part:]

    def median(some: list[Look], name: str) -> float:
        return statistics.median(float(getattr(look.vitals, name)) for look in some)

    rows = []
    for name, unit in (("memory", "MiB"), ("files", ""), ("threads", "")):
        before, after = median(early, name), median(late, name)
        most = max(float(getattr(look.vitals, name)) for look in looks[first:])
        allowed = before * GROWTH if name == "memory" else before + 1
        found = f"{before:.1f} → {after:.1f} {unit} ({after / before - 1:+.1%}), at most {most:.1f}"
        rows.append(Row(f"{name} flat", found, after <= allowed))
    lags = np.array([look.status.lag for look in looks[first:] if np.isfinite(look.status.lag)])
    median_lag, p99, worst = np.median(lags), np.quantile(lags, 0.99), lags.max()
    found = f"median {median_lag:.2f} s, p99 {p99:.2f} s, worst {worst:.2f} s"
    rows.append(Row("lag bounded", found, float(p99) <= LAG))
    waiting = max(look.status.counters.waiting for look in looks)
    added = all(look.status.counters.add_up() for look in looks)
    rows.append(Row("received = used + refused + waiting, always", f"{waiting} waited", added))
    return rows


def files_right(out: Path, *, series: int, frames: int) -> Row:
    """Read every file as any program does: all frames of its series are in it, once."""
    wrong = []
    total = total_of(frames)
    paths = sorted(out.glob("*.nxs"))
    for path in paths:
        if path.read_bytes()[: len(PLANTED)] == PLANTED:
            continue
        with h5py.File(path) as file:
            entry = file["entry"]
            used = int(entry["windows/frames"][:].sum())
            signal = float(entry["sums/signal"][:].sum())
            settled = int(entry["counters/used"][()])
            if not (used == settled == frames and signal == total):
                wrong.append(f"{path.name}: {used} frames, {signal / total:.6f} of the counts")
    found = f"{len(paths) - 1} files of {frames} frames, all counts of all pixels once"
    return Row(
        "every result file", "; ".join(wrong[:3]) or found, not wrong and len(paths) == series + 1
    )


def soak(*, frames: int, series: int, rate: float, warm: float, minutes: float) -> list[Row]:
    """Run it; return what held and what did not."""
    each = frames // series
    with tempfile.TemporaryDirectory(prefix="livepdf-soak-") as name:
        folder = Path(name)
        planted = folder / "out" / "series-3_0001.nxs"
        planted.parent.mkdir()
        planted.write_bytes(PLANTED)
        with (
            detector(series=series, frames=each, rate=rate) as (sender, port),
            held(sender),
            daemon(folder, port=port, window=f"frames = {WINDOW}") as service,
            closing(Client(service.line("ready"))) as client,
        ):
            client.connect(120.0)
            sender.popen.send_signal(signal.SIGCONT)
            looks = follow(client, service, sender, frames=series * each, minutes=minutes)
            books = service.last(60.0)["counters"]
            sent = sender.last(60.0)
        assert isinstance(books, dict)
        assert isinstance(sent["series"], int)
        print(f"detector: {sent}\ndaemon: {books}", flush=True)  # noqa: T201
        all_used = books["used"] == books["received"] == sent["sent"] and not books["lost"]
        kept = planted.read_bytes() == PLANTED
        return [
            *judged(looks, warm=warm),
            Row("sent = received = used", f"{sent['sent']}, {books['used']}", all_used),
            files_right(folder / "out", series=sent["series"], frames=each),
            Row("what lay there already", "kept" if kept else "overwritten", kept),
        ]


def main() -> int:
    """Run it and print the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--frames", type=int, default=2_000_000)
    parser.add_argument("--series", type=int, default=500)
    parser.add_argument("--rate", type=float, default=2000.0, help="Hz, at most.")
    parser.add_argument("--minutes", type=float, default=1e6, help="Then no other series begins.")
    parser.add_argument("--warm", type=float, default=0.1, help="Share that is the warm-up.")
    rows = soak(**vars(parser.parse_args()))
    for row in rows:
        print(f"{'held    ' if row.held else 'NOT HELD'}  {row.law:45}  {row.found}")  # noqa: T201
    return 0 if all(row.held for row in rows) else 1


if __name__ == "__main__":
    sys.exit(main())
