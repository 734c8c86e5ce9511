"""How much of the pipeline's rate do clients take that do not read, come in crowds, flood or fuzz?

``python -m tests.long.load_from_clients`` sends small frames at a rate that two cores carry with
room to spare. Each kind of client comes and goes in turns; the frames used per second with it are
compared with those without, before, between and after, and in the end until 100 000 spoilt requests
are read. Exit code 1 where the rate changes by more than 5 %, a frame is lost or refused, results
are late, or not all of those are read.
"""

import argparse
import random
import sys
import tempfile
import time
from collections.abc import Callable
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

import zmq

from livepdf.model.status import Status
from livepdf.wire.client import Client
from livepdf.wire.codec import encode
from livepdf.wire.messages import HistoryRequest, SnapshotRequest
from tests.long.small_frames import Process, daemon, detector, started

ALLOWED = 0.05
SECONDS, SETTLE, TURNS = 4.0, 1.0, 3
RATE = 400.0
"""Hz of small frames: less than half of what two cores carry beside the detector."""
LATE = 2.0
"""s that a result may be behind while there are clients."""
FUZZED = 100_000
LONGEST = 900.0
"""s to wait until the daemon, which gives clients a twentieth of a core, has read them all."""


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
    """Send requests with a wrong byte or more as fast as they are taken; end when all are read."""
    socket, chance = _dealer(address), random.Random(5)
    good = bytes(encode(HistoryRequest(run="series-1_0001", limit=1))[0])
    _say_ready()
    for number in range(FUZZED):
        spoilt = bytearray(good)
        for _ in range(1 + number % 4):
            spoilt[chance.randrange(len(spoilt))] = chance.randrange(256)
        parts = [bytes(spoilt), chance.randbytes(chance.randrange(200))][: 1 + number % 2]
        socket.send_multipart([b"fuzz", *parts])
        while socket.poll(0):
            socket.recv_multipart()
    answered = b""
    while answered != b"last":  # they are read in order; one that comes too fast has no answer
        socket.send_multipart([b"last", *encode(SnapshotRequest())])
        while answered != b"last" and socket.poll(1500):
            answered = socket.recv_multipart()[0]


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
    lag: float = 0.0
    """s, the worst that was seen."""

    def __add__(self, other: "Stretch") -> "Stretch":
        return Stretch(
            self.frames + other.frames,
            self.seconds + other.seconds,
            self.cpu + other.cpu,
            max(self.lag, other.lag),
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
        first, cpu = self.status(), self._service.vitals().cpu
        lag, now = 0.0, first
        while now.time - first.time < seconds:
            now = self.status()
            lag = max(lag, now.lag)
        return Stretch(
            now.counters.used - first.counters.used,
            now.time - first.time,
            self._service.vitals().cpu - cpu,
            lag,
        )

    def settle(self) -> None:
        """Wait until nothing is compiled and what came in meanwhile is worked off."""
        deadline = time.monotonic() + 300.0
        while (now := self.status()).preparing or now.counters.waiting > RATE or not now.windows:
            if time.monotonic() > deadline:
                raise RuntimeError(f"the rate is too high for this machine: {now.counters}")

    @property
    def memory(self) -> float:
        """MiB that the daemon holds."""
        return self._service.vitals().memory

    def status(self) -> Status:
        """Wait for the next word of the daemon."""
        before = self._client.mirror.status
        deadline = time.monotonic() + 60.0
        while (status := self._client.mirror.status) is before or status is None:
            if time.monotonic() > deadline:
                raise RuntimeError("the daemon says nothing")
            self._client.poll(0.1)
        return status


def measure(kind: str, address: str, meter: Meter) -> tuple[Stretch, Stretch]:
    """Watch without and with clients of a kind, in turns."""
    without, there = Stretch(), Stretch()
    for turn in range(2 * TURNS + 1):
        if turn % 2:
            with started(["-m", "tests.long.load_from_clients", "--kind", kind, address]) as crowd:
                crowd.line("ready")
                meter.run(SETTLE)
                there += meter.run(SECONDS)
                if kind == "fuzz" and turn == 2 * TURNS - 1:
                    there += until_all_are_read(meter, crowd)
        else:
            meter.run(SETTLE)
            without += meter.run(SECONDS)
    return without, there


def until_all_are_read(meter: Meter, crowd: Process) -> Stretch:
    """Watch until all spoilt requests were read by the daemon.

    Raises
    ------
    RuntimeError
        When that takes too long, or the one who sends them failed.
    """
    more, deadline = Stretch(), time.monotonic() + LONGEST
    while (code := crowd.popen.poll()) is None:
        if time.monotonic() > deadline:
            raise RuntimeError(f"{FUZZED} requests are not read within {LONGEST:g} s")
        more += meter.run(SECONDS)
    if code:
        raise RuntimeError(f"who sends spoilt requests ended with {code}")
    return more


def compare(kind: str, address: str, meter: Meter) -> bool:
    """Measure one kind, print a row; return whether what is promised was held."""
    before = meter.status()
    without, there = measure(kind, address, meter)
    after = meter.status()
    counted = {
        reason: count - before.turned_away.get(reason, 0)
        for reason, count in after.turned_away.items()
        if count > before.turned_away.get(reason, 0)
    }
    counters = after.counters
    gone = counters.lost + sum(counters.refused.values())
    change = there.rate / without.rate - 1
    held = abs(change) < ALLOWED and not gone and there.lag < LATE and counters.add_up()
    print(  # noqa: T201
        f"{'held    ' if held else 'NOT HELD'}  {kind:6} {without.rate:6.1f} → {there.rate:6.1f} "
        f"Hz ({change:+.1%}), lag at most {without.lag:.2f} → {there.lag:.2f} s, "
        f"{without.cost:.2f} → {there.cost:.2f} ms of CPU a frame, {meter.memory:.0f} MiB, "
        f"lost or refused {gone}, turned away: {counted}",
        flush=True,
    )
    return held


def main() -> int:
    """Measure, or be the clients."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--kind", choices=KINDS, help="Be clients of that kind.")
    parser.add_argument("--only", choices=KINDS, nargs="+", default=list(KINDS))
    parser.add_argument("--rate", type=float, default=RATE, help="Hz")
    parser.add_argument("address", nargs="?")
    chosen = parser.parse_args()
    if chosen.kind:
        KINDS[chosen.kind](chosen.address)
        return 0
    with (
        tempfile.TemporaryDirectory(prefix="livepdf-load-") as name,
        detector(series=1, frames=10**9, rate=chosen.rate) as (_, port),
        daemon(Path(name), port=port, window="frames = 100") as service,
        closing(Client(service.line("ready"))) as client,
    ):
        client.connect(60.0)
        meter = Meter(client, service)
        meter.settle()
        beyond = sum(not compare(kind, client.endpoint, meter) for kind in chosen.only)
        return 1 if beyond else 0


if __name__ == "__main__":
    sys.exit(main())
