"""Daemons that need not import everything again: forked from a process that has done so.

What runs in them is `livepdf run` as typed, with its threads, sockets and files; it is a process
like any other, and `kill -9` meets it like any other. Only the imports of its first seconds are
behind it.
"""

import json
import os
import signal
import socket
import subprocess
import sys

_LARGEST = 1 << 16


class Nursery:
    """Gives birth to one daemon after the other; leave it, and the last one is killed."""

    def __init__(self) -> None:
        self._socket, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        # One thread each: a process with more must not fork.
        alone = {**os.environ, "OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1"}
        with theirs:
            self._process = subprocess.Popen(
                [sys.executable, "-m", "tests.system.nursery", str(theirs.fileno())],
                pass_fds=[theirs.fileno()],
                env=alone,
            )

    def __enter__(self) -> "Nursery":
        return self

    def __exit__(self, *_: object) -> None:
        self._socket.close()
        self._process.wait()

    def run(self, arguments: list[str]) -> "Child":
        """Run a command of livepdf."""
        ours_out, theirs_out = os.pipe()
        ours_error, theirs_error = os.pipe()
        socket.send_fds(self._socket, [json.dumps(arguments).encode()], [theirs_out, theirs_error])
        os.close(theirs_out)
        os.close(theirs_error)
        pid = int(self._socket.recv(_LARGEST))
        return Child(self._socket, pid, out=ours_out, error=ours_error)


class Child:
    """As much of `subprocess.Popen` as a test needs."""

    def __init__(self, nursery: socket.socket, pid: int, *, out: int, error: int) -> None:
        self.pid = pid
        self.stdout = open(out)  # noqa: SIM115
        self.stderr = open(error)  # noqa: SIM115
        self.returncode: int | None = None
        self._nursery = nursery

    def poll(self) -> int | None:
        """Return how it ended, None while it runs."""
        if self.returncode is None:
            self._hear(0.0)
        return self.returncode

    def wait(self, timeout: float | None = None) -> int:
        """Wait for its end."""
        if self.returncode is None:
            self._hear(timeout)
        if self.returncode is None:
            raise subprocess.TimeoutExpired(f"process {self.pid}", timeout or 0.0)
        return self.returncode

    def send_signal(self, number: int) -> None:
        """Send a signal; nothing where it is over."""
        if self.poll() is None:
            os.kill(self.pid, number)

    def kill(self) -> None:
        """Kill it."""
        self.send_signal(signal.SIGKILL)

    def terminate(self) -> None:
        """Let it stop in order."""
        self.send_signal(signal.SIGTERM)

    def _hear(self, timeout: float | None) -> None:
        self._nursery.settimeout(timeout)
        try:
            self.returncode = int(self._nursery.recv(_LARGEST))
        except (BlockingIOError, TimeoutError):
            return
        finally:
            self._nursery.settimeout(None)


def _import_all() -> None:
    """Load what `livepdf run` loads, by its own names: whatever is missing here is only slow."""
    import xraylib  # noqa: F401


def _bear(arguments: list[str], out: int, error: int) -> int:
    """Fork a process that runs the command, and return its number."""
    pid = os.fork()
    if pid:
        return pid
    from livepdf.cli.main import main

    nothing = os.open(os.devnull, os.O_RDONLY)
    for ours, theirs in ((nothing, 0), (out, 1), (error, 2)):
        os.dup2(ours, theirs)
    os.closerange(3, 256)
    try:
        main(arguments)
    except SystemExit as over:
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(over.code if isinstance(over.code, int) else 1)
    finally:
        os._exit(1)


def serve(mother: socket.socket) -> None:
    """Bear what is asked for and tell how each ended, until nobody asks any more."""
    _import_all()
    while True:
        asked, streams, _, _ = socket.recv_fds(mother, _LARGEST, 2)
        if not asked:
            return
        pid = _bear(json.loads(asked), *streams)
        for stream in streams:
            os.close(stream)
        mother.send(str(pid).encode())
        _, status = os.waitpid(pid, 0)
        mother.send(str(os.waitstatus_to_exitcode(status)).encode())


if __name__ == "__main__":
    serve(socket.socket(fileno=int(sys.argv[1])))
