"""Run a daemon from the terminal: from its start to a clean stop and its last words."""

import json
import os
import signal
import sys
import threading
import time
from collections.abc import Callable
from types import FrameType
from typing import TYPE_CHECKING

import click

from livepdf.errors import LivepdfError

if TYPE_CHECKING:
    from livepdf.daemon.service import Service

_PLAIN_INTERVAL = 5.0
_LIVE_INTERVAL = 0.25
STRICT_EXIT = 5


def serve(
    service: "Service", *, as_json: bool, strict: bool, more: Callable[[], str] = lambda: ""
) -> int:
    """Start the daemon, show how it is doing until it is to stop, and return the exit code.

    Parameters
    ----------
    more : callable
        What stands before the status line, e.g. how far a replay has come.

    Raises
    ------
    LivepdfError
        What kept it from starting, or ended it.
    """
    from livepdf.daemon.memory import keep_what_is_loaded
    from livepdf.sinks.nexus import must_not_tidy_up

    told_to_stop = _stop_on_signals(service)
    show = _display(service, more)
    try:
        service.start(_Preparing(service.address))
    except LivepdfError:
        service.abandon()
        raise
    keep_what_is_loaded()
    # A short run may be over by now: where its results are is told all the same
    if not told_to_stop.is_set():
        click.echo(f"ready {service.address}")
        sys.stdout.flush()
    show()
    service.finish()
    code = _conclude(service, as_json=as_json, strict=strict)
    if must_not_tidy_up():
        sys.stdout.flush()
        os._exit(code)
    return code


class _Preparing:
    """Says on standard error what keeps the daemon from being ready, once each."""

    def __init__(self, address: str) -> None:
        self._address = address
        self._said = ""

    def __call__(self, text: str) -> None:
        if text and not self._said:
            where = f"frames are counted and queued; viewers may come to {self._address}"
            click.echo(f"preparing, once after an install or update: {where}", err=True)
        if text and text != self._said:
            click.echo(f"preparing: {text}", err=True)
            self._said = text


def _stop_on_signals(service: "Service") -> threading.Event:
    """Return what is set by the first signal that ends it."""
    told = threading.Event()

    def stop(number: int, _: FrameType | None) -> None:
        if service.stopping.is_set():
            # Somebody does not want to wait: what was flushed is on disk.
            os._exit(128 + number)
        click.echo("finishing what has come in; once more to stop at once", err=True)
        told.set()
        service.stopping.set()

    signal.signal(signal.SIGINT, stop)
    signal.signal(signal.SIGTERM, stop)
    # Of a terminal it means that nobody is there any more, of a supervisor: read again.
    at_terminal = sys.stdin is not None and sys.stdin.isatty()
    signal.signal(signal.SIGHUP, stop if at_terminal else lambda *_: service.reload())
    return told


def _display(service: "Service", more: Callable[[], str]) -> Callable[[], None]:
    """Return what shows the status until the daemon is to stop; all it needs is loaded."""
    from rich.console import Console

    from livepdf.clients.words import status_line

    console = Console(stderr=True)

    def show() -> None:
        if console.is_terminal:
            with console.status("starting") as line:
                while not service.stopping.wait(_LIVE_INTERVAL):
                    line.update(more() + status_line(service.status(), now=time.time()))
            return
        while not service.stopping.wait(_PLAIN_INTERVAL):
            click.echo(more() + status_line(service.status(), now=time.time()), err=True)

    return show


def _conclude(service: "Service", *, as_json: bool, strict: bool) -> int:
    from livepdf.clients.words import status_line

    status = service.status()
    counters = status.counters
    files = [str(path) for path in service.files]
    if as_json:
        books = {
            "received": counters.received,
            "used": counters.used,
            "left_out": counters.left_out,
            "refused": dict(counters.refused),
            "waiting": counters.waiting,
            "lost": counters.lost,
        }
        click.echo(json.dumps({"counters": books, "files": files}))
    else:
        click.echo(status_line(status, now=time.time()), err=True)
        for file in files:
            click.echo(f"results in {file}", err=True)
    if service.failure is not None:
        if isinstance(service.failure, LivepdfError):
            raise service.failure
        click.echo(f"livepdf: stopped by a defect: {service.failure!r}", err=True)
        return 1
    imperfect = counters.refused or counters.lost or counters.waiting
    return STRICT_EXIT if strict and imperfect else 0
