"""A HiDRA sender of DESY that does not exist: it takes orders and sends image files in chunks."""

import json
import re
import sys
import threading
import time
from collections.abc import Iterator
from dataclasses import asdict
from pathlib import PurePosixPath
from typing import Any

import click
import zmq

from livepdf.cli.signals import stopped_by_signal
from livepdf.simulate.faults import Message, Pause, Step, Tally, faulty
from livepdf.simulate.hidra import alive, file_messages
from tools.detectors.image_files import FORMATS, file_bytes
from tools.detectors.options import fault_options, faults_of, image_options, socket_options
from tools.detectors.pictures import Pictures, pictures

_ORDER_PARTS = 4
_SLICE = 100
"""ms"""


@click.command("hidra")
@socket_options("tcp://127.0.0.1:50000")
@image_options
@click.option("--format", type=click.Choice(FORMATS), default="tif", show_default=True)
@click.option("--scan", default="scan_00001", show_default=True, help="Folder of the files.")
@click.option("--chunk", type=int, default=10 << 20, show_default=True, help="Bytes of a chunk.")
@fault_options
def main(
    endpoint: str,
    wait: float,
    format: str,  # noqa: A002
    scan: str,
    chunk: int,
    **given: Any,
) -> None:
    """Send image files over the network as HiDRA does (orders on port 50000).

    It waits for the order START_STREAM, connects to the reader that the order names, and sends
    each file in chunks, with an ALIVE_TEST now and then, until STOP_STREAM. HiDRA knows no
    header and no end; a lost image is a gap in the numbers of the files.

    \b
    python3 -m tools.detectors hidra --format cbf --chunk 100000 --corruption 0.05
    """  # noqa: D301 click wants the real control character
    faults, rate = faults_of(given), given["rate"]
    seen = pictures(given, seed=faults.seed)
    with stopped_by_signal() as stop:
        sender = _Sender(endpoint, wait=wait, stop=stop)
        try:
            print(f"bound {sender.endpoint}", flush=True)
            tally = Tally()
            steps = faulty(_files(seen, format=format, scan=scan), faults, tally)
            sent = sender.send(steps, rate=rate, chunk=chunk) if sender.await_order() else 0
            sender.await_farewell()
        finally:
            sender.close()
    if sender.refused:
        sys.exit(f"hidra: {sender.refused}")
    print(json.dumps({"sent": sent, **asdict(tally)}), flush=True)


class _Sender:
    """The socket for orders, and the one to the reader that an order named."""

    def __init__(self, endpoint: str, *, wait: float, stop: threading.Event) -> None:
        self._context: zmq.Context[zmq.Socket[bytes]] = zmq.Context()
        self._orders = self._context.socket(zmq.REP)
        self._orders.bind(endpoint)
        self.endpoint = self._orders.getsockopt_string(zmq.LAST_ENDPOINT)
        self._data: zmq.Socket[bytes] | None = None
        self._wanted = re.compile("")
        self._wait, self._stop = wait, stop
        self.refused = ""

    def await_order(self) -> bool:
        """Wait for somebody who wants files."""
        return self._answer_until(lambda: self._data is not None, "nobody asked for files")

    def await_farewell(self) -> None:
        """Answer the order to stop, which a well-behaved reader gives at the end."""
        if self._data is not None:
            self._answer_until(lambda: self._data is None, "")

    def send(self, steps: Iterator[Step], *, rate: float, chunk: int) -> int:
        """Send the files that match at their rate."""
        began, files = time.monotonic(), 0
        for step in steps:
            if isinstance(step, Pause):
                began += step.seconds
                self._stop.wait(step.seconds)
            elif isinstance(step, Message):
                if self._stop.wait(max(0.0, began + files / rate - time.monotonic())):
                    break
                self._answer()
                files += 1
                self._send_file(step, chunk=chunk)
        return files

    def close(self) -> None:
        if self._data is not None:
            self._data.close(linger=2000)
        self._orders.close(linger=100)
        self._context.term()

    def _send_file(self, step: Message, *, chunk: int) -> None:
        name, content = step.parts if len(step.parts) > 1 else (b"garbage.bin", step.parts[0])
        path = PurePosixPath(name.decode(errors="replace"))
        if self._data is None or not self._wanted.match(str(path)):
            return
        self._data.send_multipart(alive())
        for parts in file_messages(path, content, chunk_size=chunk, modified=time.time()):
            self._data.send_multipart(parts)

    def _answer_until(self, done: Any, complaint: str) -> bool:
        deadline = time.monotonic() + self._wait
        while not done():
            if self._stop.is_set():
                return False
            if time.monotonic() > deadline:
                self.refused = complaint and f"{complaint} within {self._wait:g} s"
                return False
            self._answer(_SLICE)
        return True

    def _answer(self, wait: int = 0) -> None:
        """Take one order, if there is one."""
        if not self._orders.poll(wait):
            return
        parts = self._orders.recv_multipart()
        self._orders.send_multipart([self._outcome(parts)])

    def _outcome(self, parts: list[bytes]) -> bytes:
        if len(parts) != _ORDER_PARTS or parts[0].split(b".")[0] != b"4":
            return b"VERSION_CONFLICT"
        signal, targets = parts[2], json.loads(parts[3])
        if signal == b"START_STREAM":
            host, _, pattern = targets[0]
            self._wanted = re.compile(pattern)
            self._data = self._context.socket(zmq.PUSH)
            self._data.connect(f"tcp://{host}")
            return signal
        if signal in (b"STOP_STREAM", b"FORCE_STOP_STREAM"):
            if self._data is not None:
                self._data.close(linger=2000)
            self._data = None
            return signal
        return b"NO_VALID_SIGNAL"


def _files(seen: Pictures, *, format: str, scan: str) -> Iterator[Message]:  # noqa: A002
    for index, image in enumerate(seen.images):
        name = f"current/raw/{scan}/{scan}_{index + 1:05d}.{format}".encode()
        content = file_bytes(image, seen.series, format=format)
        yield Message(role="image", parts=[name, content])


if __name__ == "__main__":
    main()
