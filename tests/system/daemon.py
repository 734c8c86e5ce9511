"""A daemon as its own process, and a detector that pushes to it."""

import io
import queue
import subprocess
import sys
import threading
from pathlib import Path
from types import TracebackType

import cbor2
import numpy as np
import zmq
from numpy.typing import NDArray

from tests.system.nursery import Child, Nursery

MAGIC = b"\xd9\xd9\xf7"


class Daemon:
    """`livepdf run …` in another process; killed on the way out."""

    def __init__(
        self,
        profile: Path,
        recipe: Path,
        *more: str,
        limit_bytes: int = 0,
        nursery: Nursery | None = None,
    ) -> None:
        arguments = ["run", str(profile), "--recipe", str(recipe), *more]
        command = [sys.executable, "-m", "livepdf.cli.main", *arguments]
        if limit_bytes:
            command = ["bash", "-c", f'ulimit -f {limit_bytes // 1024}; exec "$@"', "-", *command]
        self.process: subprocess.Popen[str] | Child = (
            subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
            if nursery is None
            else nursery.run(arguments)
        )
        self.errors: list[str] = []
        self._reader = threading.Thread(target=self._read_errors, daemon=True)
        self._reader.start()

    def __enter__(self) -> "Daemon":
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if self.process.poll() is None:
            self.process.kill()
        self.process.wait()
        self._reader.join()
        for stream in (self.process.stdout, self.process.stderr):
            if stream is not None:
                stream.close()

    def address(self) -> str:
        assert self.process.stdout is not None
        line = self.process.stdout.readline()
        assert line.startswith("ready "), (line, self.errors)
        return line.split()[1]

    def wait(self, timeout: float = 60.0) -> int:
        code = self.process.wait(timeout)
        self._reader.join()
        return code

    def rest(self) -> str:
        assert self.process.stdout is not None
        return self.process.stdout.read()

    def _read_errors(self) -> None:
        assert self.process.stderr is not None
        self.errors.extend(self.process.stderr)


class Detector:
    """A bound PUSH socket that speaks DECTRIS Stream V2; a thread sends once somebody pulls."""

    def __init__(self) -> None:
        self._context: zmq.Context[zmq.Socket[bytes]] = zmq.Context()
        socket = self._context.socket(zmq.PUSH)
        socket.setsockopt(zmq.LINGER, 0)
        self.port = socket.bind_to_random_port("tcp://127.0.0.1")
        self._messages: queue.Queue[list[bytes] | None] = queue.Queue()
        self._left = threading.Event()
        self._thread = threading.Thread(target=self._push, args=(socket,), daemon=True)
        self._thread.start()

    def __enter__(self) -> "Detector":
        return self

    def __exit__(self, *_: object) -> None:
        self._left.set()
        self._messages.put(None)
        self._thread.join()
        self._context.term()

    def replay(self, recording: Path) -> None:
        data = recording.read_bytes()
        file = io.BytesIO(data)
        while file.tell() < len(data):
            self._messages.put(cbor2.load(file))

    def start(self, series: int, shape: tuple[int, int]) -> None:
        self._send(
            {
                "type": "start",
                "series_id": series,
                "series_unique_id": f"unique-{series}",
                "image_dtype": "uint16",
                "image_size_x": shape[1],
                "image_size_y": shape[0],
                "channels": ["threshold_1"],
            }
        )

    def image(self, series: int, index: int, counts: NDArray[np.uint16]) -> None:
        array = cbor2.CBORTag(40, [list(counts.shape), cbor2.CBORTag(69, counts.tobytes())])
        self._send(
            {
                "type": "image",
                "series_id": series,
                "series_unique_id": f"unique-{series}",
                "image_id": index,
                "data": {"threshold_1": array},
            }
        )

    def end(self, series: int) -> None:
        self._send({"type": "end", "series_id": series, "series_unique_id": f"unique-{series}"})

    def push(self, parts: list[bytes]) -> None:
        self._messages.put(parts)

    def junk(self, message: bytes) -> None:
        self._messages.put([message])

    def _send(self, message: dict[str, object]) -> None:
        self._messages.put([MAGIC + cbor2.dumps(message)])

    def _push(self, socket: "zmq.Socket[bytes]") -> None:
        while (message := self._messages.get()) is not None:
            while not self._left.is_set():
                if socket.poll(50, zmq.POLLOUT):
                    socket.send_multipart(message)
                    break
        socket.close()
