"""Ask the reading process for images, and kill it when it hangs."""

import os
import socket
import subprocess
import sys
import threading
import time
from dataclasses import dataclass
from multiprocessing.connection import wait
from pathlib import Path

from livepdf.errors import FrameError
from livepdf.sources.batch import Batch
from livepdf.sources.batch_message import from_message
from livepdf.sources.framing import receive, send

START_LIMIT = 60.0
"""s for the process to load its libraries."""
SILENCE = 2.0
"""s that it may fall silent in the middle of an answer, which it sends only when it is complete."""
BATCH_BYTES = 64 << 20
KEPT = f"glibc.malloc.mmap_threshold={32 << 20}:glibc.malloc.trim_threshold={3 * BATCH_BYTES}"
"""The process keeps the memory of a batch for the next: to get it anew from the system, zeroed
page by page, takes longer than reading into it. Without glibc it means nothing."""
PACKAGE = Path(__file__).parents[2]


@dataclass(slots=True, kw_only=True, eq=False)
class _Child:
    process: subprocess.Popen[bytes]
    connection: socket.socket
    life: int
    """Held open as long as we live; the child ends when it closes."""
    ready: bool = False


class FileReader:
    """One reading process, started when needed, one request at a time."""

    def __init__(self) -> None:
        self._child: _Child | None = None
        self._asked = 0.0

    @property
    def connection(self) -> socket.socket | None:
        """What becomes readable when an answer comes."""
        return self._child.connection if self._child is not None else None

    def start(self) -> None:
        """Start the process, so that the first request need not wait for its libraries."""
        if self._child is None:
            self._child = _start()

    def ask(
        self, path: Path, *, first: int = 0, sidecar: bool = False, dataset: str | None = None
    ) -> None:
        """Ask for the images of a file from number ``first`` on; the answer is fetched later."""
        self.start()
        request = {
            "path": str(path),
            "first": first,
            "most_bytes": BATCH_BYTES,
            "sidecar": sidecar,
            "dataset": dataset,
        }
        self._asked = time.monotonic()
        try:
            send(self._living().connection, request, [])
        except OSError as error:
            self.kill()
            raise FrameError("reader died", str(error)) from error

    def answer(self, timeout: float, *, limit: float) -> Batch | None:
        """Return the answer, None when there is none within ``timeout`` s.

        Raises FrameError: why the file was refused; ``reader hung`` when it took more than
        ``limit`` s and was killed, ``reader died`` when it ended by itself.
        """
        child = self._living()
        try:
            if not wait([child.connection], max(timeout, 0.0)):
                self._kill_hanging(child, limit)
                return None
            if not child.ready:
                receive(child.connection)
                child.ready = True
                self._asked = time.monotonic()
                return None
            child.connection.settimeout(min(limit, SILENCE))
            return _batch(child.connection)
        except TimeoutError as error:
            self.kill()
            raise FrameError("reader hung", "it stopped in the middle of an answer") from error
        except (EOFError, OSError) as error:
            self.kill()
            raise FrameError("reader died", str(error) or "it ended by itself") from error

    def interrupt(self) -> None:
        """Let the request end that another thread waits for: the process is killed."""
        child = self._child
        if child is not None:
            child.process.kill()

    def kill(self) -> None:
        """End the process at once; the next request starts another."""
        if self._child is None:
            return
        self._child.process.kill()
        # One that hangs inside the kernel, on a lost mount, dies only when that lets it go.
        threading.Thread(target=self._child.process.wait, daemon=True).start()
        self._child.connection.close()
        os.close(self._child.life)
        self._child = None

    def _kill_hanging(self, child: _Child, limit: float) -> None:
        if time.monotonic() - self._asked > (limit if child.ready else START_LIMIT):
            self.kill()
            raise FrameError("reader hung", f"killed after {limit:g} s")

    def _living(self) -> _Child:
        if self._child is None:
            raise FrameError("reader died", "nothing was asked")
        return self._child


def _start() -> _Child:
    ours, theirs = socket.socketpair()
    life_read, life_write = os.pipe()
    paths = [str(PACKAGE), *filter(None, [os.environ.get("PYTHONPATH")])]
    process = subprocess.Popen(
        [sys.executable, "-m", "livepdf.sources.child", str(theirs.fileno()), str(life_read)],
        pass_fds=(theirs.fileno(), life_read),
        stdin=subprocess.DEVNULL,
        env={"GLIBC_TUNABLES": KEPT, **os.environ, "PYTHONPATH": os.pathsep.join(paths)},
        start_new_session=True,  # Ctrl-C is for us alone: we stop it in order
    )
    theirs.close()
    os.close(life_read)
    return _Child(process=process, connection=ours, life=life_write)


def _batch(connection: socket.socket) -> Batch:
    header, blobs = receive(connection)
    if "refused" in header:
        raise FrameError(header["refused"], header["detail"])
    return from_message(header, blobs)
