"""How much of the pipeline's rate do clients take that do not read, come in crowds, flood or fuzz?

``python -m tests.long.load_from_clients`` gives the daemon one core and more frames than it can
work off, and everybody else the other core. Each kind of client comes and goes twice; the frames
used per second with it are compared with those without, before and after. Exit code 1 beyond 5 %.
On a machine that others use too, ``--busy`` judges by the daemon's CPU time for each frame instead.
"""

import argparse
import os
import random
import sys
import tempfile
import time
from collections.abc import Callable
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

import zmq

from livepdf.wire.client import Client
from livepdf.wire.codec import encode
from livepdf.wire.messages import HistoryRequest, SnapshotRequest
from tests.long.small_frames import Process, daemon, detector, started

ALLOWED = 0.05
SECONDS, SETTLE, TURNS = 7.0, 2.0, 2
RATE = 1500.0
"""Hz: more than one core works off, and the same with and without clients."""
FUZZED = 100_000


def deaf(address: str) -> None:
    """Subscribe and ask for all windows again and again, and read nothing."""
    with closing(Client(address)) as client:
        snapshot = client.connect(60.0)
    context: zmq.Context[zmq.Socket[bytes]] = zmq.Context()
    results, requests = context.socket(zmq.SUB), context.socket(zmq.DEALER)
    for socket, where in ((results, snapshot.results), (requests, address)):
        socket.setsockopt(zmq.RCVHWM, 1)
        socket.setsockopt(zmq.LINGER, 0)
        socket.connect(where)
    results.setsockopt(zmq.SUBSCRIBE, b"")
    _say_ready()
    ask = encode(HistoryRequest(run=snapshot.status.run))
    while True:
        requests.send_multipart([b"deaf", *ask], flags=zmq.NOBLOCK)
        time.sleep(0.02)


def fifty(address: str) -> None:
    """Be fifty viewers that read all."""
    clients = [Client(address) for _ in range(50)]
    for client in clients:
        client.connect(60.0)
    _say_ready()
    while True:
        for client in clients:
            client.poll(0.0)
        time.sleep(0.05)


def flood(address: str) -> None:
    """Ask as fast as the line takes it; read whatever comes."""
    socket = _dealer(address)
    parts = [b"flood", *encode(SnapshotRequest())]
    _say_ready()
    while True:
        for _ in range(100):
            if socket.poll(0, zmq.POLLOUT):
                socket.send_multipart(parts)
        while socket.poll(0):
            socket.recv_multipart()


def fuzz(address: str) -> None:
    """Send 100 000 requests of which a byte or more is wrong, or most of them."""
    socket, chance = _dealer(address), random.Random(5)
    good = bytes(encode(HistoryRequest(run="series-1_0001"))[0])
    _say_ready()
    for number in range(FUZZED):
        spoilt = bytearray(good)
        for _ in range(1 + number % 4):
            spoilt[chance.randrange(len(spoilt))] = chance.randrange(256)
        parts = [bytes(spoilt), chance.randbytes(chance.randrange(200))][: 1 + number % 2]
        socket.send_multipart([b"fuzz", *parts])
        while socket.poll(0):
            socket.recv_multipart()
    while True:
        time.sleep(1.0)


def _dealer(address: str) -> "zmq.Socket[bytes]":
    context: zmq.Context[zmq.Socket[bytes]] = zmq.Context.instance()
    socket = context.socket(zmq.DEALER)
    socket.setsockopt(zmq.LINGER, 0)
    socket.connect(address)
    return socket


def _say_ready() -> None:
    print("ready now", flush=True)  # noqa: T201


KINDS: dict[str, Callable[[str], None]] = {
    "deaf": deaf,
    "fifty": fifty,
    "flood": flood,
    "fuzz": fuzz,
}


@dataclass
class Stretch:
    """What the daemon did in some time."""

    frames: int = 0
    seconds: float = 0.0
    cpu: float = 0.0

    def __add__(self, other: "Stretch") -> "Stretch":
        return Stretch(
            self.frames + other.frames, self.seconds + other.seconds, self.cpu + other.cpu
        )

    @property
    def rate(self) -> float:
        """Frames per s."""
        return self.frames / self.seconds

    @property
    def cost(self) -> float:
        """Ms of CPU time for each frame."""
        return 1e3 * self.cpu / self.frames


class Meter:
    """Counts the frames that the daemon uses in stretches of time, by its own clock."""

    def __init__(self, client: Client, service: Process) -> None:
        self._client = client
        self._service = service

    def run(self, seconds: float) -> Stretch:
        """Watch for some time."""
        used, began = self._status()
        cpu, now = self._service.vitals().cpu, (used, began)
        while now[1] - began < seconds:
            now = self._status()
        return Stretch(now[0] - used, now[1] - began, self._service.vitals().cpu - cpu)

    def turned_away(self) -> dict[str, int]:
        """Return what was refused so far."""
        status = self._client.mirror.status
        return {} if status is None else dict(status.turned_away)

    def _status(self) -> tuple[int, float]:
        """Wait for the next word of the daemon."""
        before = self._client.mirror.status
        deadline = time.monotonic() + 60.0
        while (status := self._client.mirror.status) is before or status is None:
            if time.monotonic() > deadline:
                raise RuntimeError("the daemon says nothing")
            self._client.poll(0.1)
        if not status.counters.waiting:
            raise RuntimeError("nothing waits: the detector is too slow for this to be a measure")
        return status.counters.used, status.time


def measure(kind: str, address: str, meter: Meter) -> tuple[Stretch, Stretch]:
    """Watch without and with clients of a kind, in turns."""
    without, there = Stretch(), Stretch()
    for turn in range(2 * TURNS + 1):
        if turn % 2:
            with started(["-m", "tests.long.load_from_clients", "--kind", kind, address]) as crowd:
                crowd.line("ready")
                meter.run(SETTLE)
                there += meter.run(SECONDS)
        else:
            meter.run(SETTLE)
            without += meter.run(SECONDS)
    return without, there


def compare(kinds: list[str], *, service: Process, address: str, busy: bool) -> int:
    """Measure all kinds; return how many take more than is allowed."""
    beyond = 0
    with closing(Client(address)) as client:
        client.connect(60.0)
        meter = Meter(client, service)
        for kind in kinds:
            before = meter.turned_away()
            without, there = measure(kind, address, meter)
            counted = {
                reason: count - before.get(reason, 0)
                for reason, count in meter.turned_away().items()
                if count > before.get(reason, 0)
            }
            taken = 1 - there.rate / without.rate
            dearer = there.cost / without.cost - 1
            bad = (dearer if busy else taken) > ALLOWED
            beyond += bad
            print(  # noqa: T201
                f"{'NOT HELD' if bad else 'held    '}  {kind:6} {without.rate:5.0f} → "
                f"{there.rate:5.0f} Hz ({-taken:+.1%}), {without.cost:.3f} → {there.cost:.3f} ms "
                f"of CPU a frame ({dearer:+.1%}), {service.vitals().memory:.0f} MiB, "
                f"turned away: {counted}",
                flush=True,
            )
    return beyond


def main() -> int:
    """Measure, or be the clients."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--kind", choices=KINDS, help="Be clients of that kind.")
    parser.add_argument("--only", choices=KINDS, nargs="+", default=list(KINDS))
    parser.add_argument("--busy", action="store_true", help="Judge by CPU time.")
    parser.add_argument("address", nargs="?")
    chosen = parser.parse_args()
    if chosen.kind:
        KINDS[chosen.kind](chosen.address)
        return 0
    cores = sorted(os.sched_getaffinity(0))
    with (
        tempfile.TemporaryDirectory(prefix="livepdf-load-") as name,
        detector(series=1, frames=10**9, rate=RATE) as (sender, port),
        daemon(Path(name), port=port, window="frames = 100") as service,
    ):
        address = service.line("ready")
        os.sched_setaffinity(0, cores[1:] or cores)
        os.sched_setaffinity(sender.popen.pid, cores[1:] or cores)
        for thread in Path(f"/proc/{service.popen.pid}/task").iterdir():
            os.sched_setaffinity(int(thread.name), cores[:1])
        time.sleep(SETTLE)
        beyond = compare(chosen.only, service=service, address=address, busy=chosen.busy)
        return 1 if beyond else 0


if __name__ == "__main__":
    sys.exit(main())
