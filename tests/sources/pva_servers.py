"""Servers of NTNDArrays that we did not write: pvapy's simulator, and p4p's own server."""

import os
import pty
import signal
import socket
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from pathlib import Path
from typing import Any

from livepdf.simulate.ntndarray import MEMBER, TYPE


def free_udp_port() -> int:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as found:
        found.bind(("127.0.0.1", 0))
        return int(found.getsockname()[1])


@contextmanager
def pvapy_simulator(channel: str, *options: str, port: int | None = None) -> Iterator[str]:
    """Run pvapy's area detector simulator (C++ pvaccess); yields the address to look at."""
    port = port or free_udp_port()
    program = Path(sys.executable).with_name("pvapy-ad-sim-server")
    environment = {
        **os.environ,
        "EPICS_PVAS_BROADCAST_PORT": str(port),
        "EPICS_PVA_BROADCAST_PORT": str(port),
        "EPICS_PVA_SERVER_PORT": "0",
        "EPICS_PVAS_INTF_ADDR_LIST": "127.0.0.1",
        "EPICS_PVA_ADDR_LIST": "127.0.0.1",
        "EPICS_PVA_AUTO_ADDR_LIST": "NO",
        "TERM": "xterm",
    }
    # It draws on a terminal, so it gets one.
    ours, theirs = pty.openpty()
    process = subprocess.Popen(
        [str(program), "-cn", channel, "-rt", "60", "-std", "0.5", *options],
        env=environment,
        stdin=theirs,
        stdout=theirs,
        stderr=theirs,
    )
    os.close(theirs)
    speaks = threading.Event()
    reader = threading.Thread(target=_swallow, args=(ours, speaks), daemon=True)
    reader.start()
    try:
        # A channel that is searched for before it is there is found seconds later only.
        assert speaks.wait(30), "pvapy's simulator does not start"
        yield f"127.0.0.1:{port}"
    finally:
        process.send_signal(signal.SIGKILL)
        process.wait()
        reader.join()
        os.close(ours)


def _swallow(terminal: int, speaks: threading.Event) -> None:
    try:
        while os.read(terminal, 65536):
            speaks.set()
    except OSError:
        return  # the terminal is gone with its program


class P4pServer:
    """One channel served by p4p on loopback; use it as a context."""

    def __init__(self, channel: str, *, port: int | None = None) -> None:
        from p4p.server import Server
        from p4p.server.thread import SharedPV

        self.pv = SharedPV()
        self.type = _type()
        udp = port or free_udp_port()
        conf = {
            "EPICS_PVAS_INTF_ADDR_LIST": "127.0.0.1",
            "EPICS_PVAS_BEACON_ADDR_LIST": "127.0.0.1",
            "EPICS_PVAS_AUTO_BEACON_ADDR_LIST": "NO",
            "EPICS_PVAS_SERVER_PORT": "0",
            "EPICS_PVAS_BROADCAST_PORT": str(udp),
        }
        self.server = Server(providers=[{channel: self.pv}], conf=conf, useenv=False)
        self.address = f"127.0.0.1:{udp}"
        self.port = udp

    def post(self, fields: dict[str, Any]) -> None:
        from p4p import Value

        pixels = fields["value"]
        member = MEMBER[pixels.dtype.str[1:]] + "Value"
        value = Value(self.type, {**fields, "value": (member, pixels)})
        if self.pv.isOpen():
            self.pv.post(value)
        else:
            self.pv.open(value)

    def __enter__(self) -> "P4pServer":
        return self

    def __exit__(self, *_: object) -> None:
        self.server.stop()


@cache
def _type() -> Any:
    # p4p compares types by identity
    from p4p import Type

    return Type(TYPE[2], id=TYPE[1])
