"""Words to systemd: one datagram each to the socket that it names; nothing where it names none."""

import os
import socket
import time


class Notifier:
    """Speaks the protocol of sd_notify."""

    def __init__(self, address: str | None = None, watchdog_usec: str | None = None) -> None:
        """Make it; both default to what systemd set in the environment."""
        named = os.environ.get("NOTIFY_SOCKET", "") if address is None else address
        self._address = "\0" + named[1:] if named.startswith("@") else named
        usec = os.environ.get("WATCHDOG_USEC", "") if watchdog_usec is None else watchdog_usec
        mine = os.environ.get("WATCHDOG_PID", "") in ("", str(os.getpid()))
        self.watchdog: float | None = int(usec) / 1e6 if usec.isdigit() and mine else None
        """s within which systemd wants to hear that all is well; None where it does not."""

    def ready(self, status: str) -> None:
        """Say that everything is up."""
        self._send("READY=1", f"STATUS={status}")

    def status(self, text: str) -> None:
        """Say in one line how it is doing."""
        self._send(f"STATUS={text}")

    def alive(self) -> None:
        """Say that all goes on, so that nobody restarts us."""
        self._send("WATCHDOG=1")

    def reloading(self) -> None:
        """Say that settings are being read again; `ready` follows."""
        self._send("RELOADING=1", f"MONOTONIC_USEC={time.monotonic_ns() // 1000}")

    def stopping(self) -> None:
        """Say that it ends."""
        self._send("STOPPING=1")

    def starting(self, seconds: float) -> None:
        """Ask for more time to start."""
        self._send(f"EXTEND_TIMEOUT_USEC={int(seconds * 1e6)}")

    def _send(self, *lines: str) -> None:
        if not self._address:
            return
        text = "\n".join(line.replace("\n", " ") for line in lines)
        try:
            with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM | socket.SOCK_CLOEXEC) as out:
                out.setblocking(False)
                out.sendto(text.encode(), self._address)
        except OSError:
            # Whoever supervises is gone or busy: that must not hold up the frames.
            return
