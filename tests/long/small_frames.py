"""A detector of small frames that sends as fast as it is told, and a daemon for them.

As a program it is the detector: every message is made before the first goes out but for the few
bytes that tell series and image apart. ``python -m
tests.long.small_frames --series 2 --frames 100``.
"""

import argparse
import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import cbor2
import zmq

from livepdf.simulate.stream2 import bitshuffle_lz4
from tests.daemon import beamline

PICTURES = 16
_NAP, _BEHIND = 0.005, 0.5
"""s"""
_MAGIC = b"\xd9\xd9\xf7"
_CHANNEL = "threshold_1"
_TICK = os.sysconf("SC_CLK_TCK")
_PAGE = os.sysconf("SC_PAGESIZE")


def total_of(frames: int) -> float:
    """Return the counts of all pixels of the first frames of a series."""
    totals = [float(beamline.counts(n).sum()) for n in range(PICTURES)]
    whole, rest = divmod(frames, PICTURES)
    return whole * sum(totals) + sum(totals[:rest])


class Messages:
    """The messages of all series."""

    def __init__(self) -> None:
        self._contents = [_content(n) for n in range(PICTURES)]

    def start(self, series: int, frames: int) -> bytes:
        rows, columns = beamline.SHAPE
        return _MAGIC + cbor2.dumps(
            {
                "type": "start",
                **_identity(series),
                "image_dtype": "uint16",
                "image_size_x": columns,
                "image_size_y": rows,
                "number_of_images": frames,
                "channels": [_CHANNEL],
            }
        )

    def image(self, series: int, index: int) -> bytes:
        head = cbor2.dumps({"type": "image", **_identity(series), "image_id": index})
        # A map of so few entries counts them in its first byte: one more follows.
        return b"".join((_MAGIC, bytes([head[0] + 1]), head[1:], self._contents[index % PICTURES]))

    def end(self, series: int) -> bytes:
        return _MAGIC + cbor2.dumps({"type": "end", **_identity(series)})


def _identity(series: int) -> dict[str, object]:
    return {"series_id": series, "series_unique_id": f"soak-{series:06d}"}


def _content(number: int) -> bytes:
    image = beamline.counts(number)
    packed = cbor2.CBORTag(56500, ["bslz4", image.itemsize, bitshuffle_lz4(image)])
    array = cbor2.CBORTag(40, [list(image.shape), cbor2.CBORTag(69, packed)])
    return cbor2.dumps("data") + cbor2.dumps({_CHANNEL: array})


def send(*, series: int, frames: int, rate: float) -> dict[str, float]:
    """Send all series to whoever pulls, or those begun when told to end; return what went out."""
    told: list[int] = []
    signal.signal(signal.SIGTERM, lambda number, _: told.append(number))
    messages = Messages()
    context: zmq.Context[zmq.Socket[bytes]] = zmq.Context()
    socket = context.socket(zmq.PUSH)
    port = socket.bind_to_random_port("tcp://127.0.0.1")
    print(f"bound tcp://127.0.0.1:{port}", flush=True)  # noqa: T201
    socket.send(messages.start(1, frames))
    began = due = time.monotonic()
    waited, number = 0.0, 0
    while number < series and not told:
        number += 1
        if number > 1:
            socket.send(messages.start(number, frames))
        for index in range(frames):
            ahead = due - time.monotonic()
            if ahead > _NAP:
                time.sleep(ahead)
            elif ahead < -_BEHIND:
                # What could not be sent in time is not sent in a burst later.
                waited, due = waited - ahead, due - ahead
            due += 1 / rate
            socket.send(messages.image(number, index))
        socket.send(messages.end(number))
    took = time.monotonic() - began
    socket.close()
    context.term()
    return {"series": number, "sent": number * frames, "seconds": took, "waited": waited}


@contextmanager
def detector(*, series: int, frames: int, rate: float) -> "Iterator[tuple[Process, int]]":
    """Start the detector; yield its process and port."""
    words = ["-m", "tests.long.small_frames", "--series", str(series)]
    with started([*words, "--frames", str(frames), "--rate", str(rate)]) as process:
        yield process, int(process.line("bound").rpartition(":")[2])


@contextmanager
def daemon(folder: Path, *, more: str = "", **settings: object) -> "Iterator[Process]":
    """Start a daemon for small frames; ``more`` are lines for its profile."""
    profile, recipe = beamline.write_settings(folder, **settings)  # type: ignore[arg-type]
    text = profile.read_text().replace("flush = 0.2", "flush = 1.0")
    # Somebody may let the detector stand still for a while, for want of a core.
    text = text.replace("[detector]", "idle_timeout = 900.0\n[detector]")
    profile.write_text(text + more)
    words = ["-m", "livepdf.cli.main", "run", str(profile), "--recipe", str(recipe)]
    words += ["--out", str(folder / "out"), "--json"]
    with started(words) as process:
        yield process


@dataclass(frozen=True, slots=True)
class Vitals:
    """What /proc tells of a process at one moment."""

    memory: float
    """MiB that it holds."""
    files: int
    threads: int
    cpu: float
    """s that it has used."""


@dataclass(frozen=True, slots=True)
class Process:
    """A program of ours that says a line when it is ready, and JSON when it is done."""

    popen: "subprocess.Popen[str]"

    def line(self, word: str) -> str:
        """Return what it says after a word, at the beginning of a line."""
        assert self.popen.stdout is not None
        for line in self.popen.stdout:
            if line.startswith(f"{word} "):
                return line.split()[1]
        raise RuntimeError(f"no {word!r} line: exit code {self.popen.wait()}")

    def last(self, timeout: float) -> dict[str, object]:
        """Wait for its end; return what it says then."""
        said, _ = self.popen.communicate(timeout=timeout)
        found: dict[str, object] = json.loads(said.strip().splitlines()[-1])
        return found

    def vitals(self) -> Vitals:
        """Look at it; raises OSError when it is gone."""
        folder = Path(f"/proc/{self.popen.pid}")
        fields = (folder / "stat").read_text().rsplit(") ", 1)[1].split()
        return Vitals(
            memory=int((folder / "statm").read_text().split()[1]) * _PAGE / 2**20,
            files=len(list((folder / "fd").iterdir())),
            threads=int(fields[17]),
            cpu=(int(fields[11]) + int(fields[12])) / _TICK,
        )


@contextmanager
def started(words: list[str]) -> "Iterator[Process]":
    """Run a module of ours in another process; kill it on the way out."""
    popen = subprocess.Popen([sys.executable, *words], stdout=subprocess.PIPE, text=True)
    try:
        yield Process(popen)
    finally:
        if popen.poll() is None:
            popen.kill()
        popen.communicate()


def main() -> None:
    """Be the detector."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--series", type=int, required=True)
    parser.add_argument("--frames", type=int, required=True, help="Of each series.")
    parser.add_argument("--rate", type=float, default=1e9, help="Hz")
    print(json.dumps(send(**vars(parser.parse_args()))), flush=True)  # noqa: T201


if __name__ == "__main__":
    main()
