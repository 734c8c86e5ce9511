"""Start another livepdf process and read its first line, which says where it listens."""

import queue
import subprocess
import sys
import threading
from collections.abc import Mapping, Sequence
from typing import IO

from livepdf.errors import LivepdfError

_STOP_WAIT = 15.0
"""s that a child may take to drain and close."""


class Child:
    """One child process; as a context it is stopped, at last killed, on the way out."""

    def __init__(
        self,
        name: str,
        arguments: Sequence[str],
        *,
        log: IO[bytes] | None = None,
        environment: Mapping[str, str] | None = None,
    ) -> None:
        self.name = name
        self._process = subprocess.Popen(
            [sys.executable, *arguments],
            stdout=subprocess.PIPE,
            stderr=log,
            stdin=subprocess.DEVNULL,
            env=None if environment is None else dict(environment),
            text=True,
        )
        self._lines: queue.Queue[str | None] = queue.Queue()
        threading.Thread(target=self._read, name=f"{name} output", daemon=True).start()

    def __enter__(self) -> "Child":
        return self

    def __exit__(self, *exception: object) -> None:
        self.stop()

    def address(self, word: str, timeout: float) -> str:
        """Return the address on the line ``WORD ADDRESS``.

        Raises
        ------
        LivepdfError
            When the process ends or stays silent instead.
        """
        while True:
            try:
                line = self._lines.get(timeout=timeout)
            except queue.Empty:
                raise LivepdfError(f"{self.name}: no '{word}' line in {timeout:g} s") from None
            if line is None:
                code = self._process.wait()
                raise LivepdfError(f"{self.name} ended with exit code {code} before it was ready")
            if line.startswith(f"{word} "):
                return line.split()[1]

    def ended(self) -> bool:
        """Whether the process is over."""
        return self._process.poll() is not None

    def wait(self, timeout: float) -> int | None:
        """Return the exit code, None where it is still running after ``timeout`` s."""
        try:
            return self._process.wait(None if timeout == float("inf") else timeout)
        except subprocess.TimeoutExpired:
            return None

    def stop(self) -> None:
        """Ask to stop; kill what does not listen."""
        if not self.ended():
            self._process.terminate()
            if self.wait(_STOP_WAIT) is None:
                self._process.kill()
                self._process.wait()
        if self._process.stdout is not None:
            self._process.stdout.close()

    def _read(self) -> None:
        assert self._process.stdout is not None
        try:
            for line in self._process.stdout:
                self._lines.put(line.rstrip("\n"))
        except ValueError:
            return  # closed by stop()
        finally:
            self._lines.put(None)
