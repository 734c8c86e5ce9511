"""`livepdf status` and `livepdf stop`: one question to a daemon."""

import json
import math
import time
from collections.abc import Sequence
from typing import TYPE_CHECKING

import click

from livepdf.model.curve import Trend
from livepdf.model.status import Disk, Status

if TYPE_CHECKING:
    from livepdf.wire.client import Client
    from livepdf.wire.messages import Snapshot

_TOLD_EVERY = 5.0
"""s between two words about how far it is."""
_TIMEOUT = click.option("--timeout", default=5.0, show_default=True, help="s to wait for a reply.")


@click.command()
@click.argument("endpoint")
@click.option("--json", "json_out", is_flag=True, help="Print it as JSON.")
@_TIMEOUT
def status(endpoint: str, json_out: bool, timeout: float) -> None:
    """Print how the daemon at ENDPOINT is doing; exit code 4 when nobody answers."""
    from livepdf.clients.words import costs_line, disk_line, feed_line, lamp_line, status_line

    now = _ask(endpoint, timeout).status
    if json_out:
        click.echo(json.dumps(as_json(now, ())))
        return
    click.echo(status_line(now, now=time.time()))
    if now.disk is not None:
        click.echo(f"  {disk_line(now.disk)}")
    if now.costs:
        click.echo(f"  {costs_line(now)}")
    for feed in now.feeds:
        click.echo(f"  {feed_line(feed)}")
    for lamp in now.quality:
        if lamp.raised or lamp.frames:
            click.echo(f"  {lamp_line(lamp)}")
    for problem in now.problems:
        click.echo(f"! {problem}")


@click.command()
@click.argument("endpoint")
@click.option("--wait", "waits", is_flag=True, help="Come back when everything is saved.")
@_TIMEOUT
def stop(endpoint: str, waits: bool, timeout: float) -> None:
    """Let the daemon at ENDPOINT work off what has come in, save and stop.

    With --wait it takes as long as that takes; exit code 4 when the daemon falls silent instead.
    """
    from livepdf.wire.client import Client
    from livepdf.wire.messages import ShutdownRequest

    client = Client(endpoint)
    try:
        if waits:
            client.connect(timeout)
        client.ask(ShutdownRequest(), timeout)
        if waits:
            _wait_for_end(client)
            return
    finally:
        client.close()
    click.echo("it stops once everything is saved")


def _wait_for_end(client: "Client") -> None:
    """Follow until the daemon says good-bye; SourceError when it never does."""
    from livepdf.clients.words import status_line
    from livepdf.errors import SourceError

    told = time.monotonic()
    while client.mirror.connected:
        client.poll(0.2)
        if client.mirror.status is not None and time.monotonic() - told > _TOLD_EVERY:
            told = time.monotonic()
            click.echo(status_line(client.mirror.status, now=time.time()), err=True)
    last = client.mirror.status
    if last is None or last.state != "stopped":
        raise SourceError(f"it never said that everything is saved: {client.mirror.connection}")
    click.echo(status_line(last, now=time.time()))


def as_json(status: Status | None, trends: Sequence[Trend]) -> dict[str, object]:
    """Return status and trends in what JSON has: no NaN, no tuples."""
    if status is None:
        return {"status": None, "trends": {}}
    counters = status.counters
    return {
        "status": {
            "state": status.state,
            "time": status.time,
            "run": status.run,
            "source": status.source,
            "source_state": status.source_state,
            "received": counters.received,
            "used": counters.used,
            "left_out": counters.left_out,
            "refused": dict(counters.refused),
            "waiting": counters.waiting,
            "lost": counters.lost,
            "rate": _number(status.rate),
            "lag": _number(status.lag),
            "newest": _number(status.newest),
            "windows": status.windows,
            "owed": status.owed,
            "analysis_seconds": dict(status.costs),
            "clients": status.clients,
            "turned_away": dict(status.turned_away),
            "revision": status.revision,
            "quality": {
                lamp.name: {
                    "value": _number(lamp.value),
                    "limit": _number(lamp.limit),
                    "raised": lamp.raised,
                    "frames": lamp.frames,
                }
                for lamp in status.quality
            },
            "output": status.output,
            "disk": None if status.disk is None else _disk(status.disk),
            "problems": list(status.problems),
            "feeds": [
                {
                    "name": feed.name,
                    "state": feed.state,
                    "clock_offset": _number(feed.clock_offset),
                    "clock_uncertainty": _number(feed.clock_uncertainty),
                    "clock_used": _number(feed.clock_used),
                    "age": _number(feed.age),
                    "newest": {name: _number(value) for name, value in feed.newest},
                    "joined": feed.joined,
                    "missing": dict(feed.missing),
                }
                for feed in status.feeds
            ],
        },
        "trends": {
            trend.name: {
                "value": _number(trend.value),
                "sigma": _number(trend.sigma),
                "unit": trend.unit,
                "reason": trend.reason,
            }
            for trend in trends
        },
    }


def _ask(endpoint: str, timeout: float) -> "Snapshot":
    from livepdf.errors import SourceError
    from livepdf.wire.client import Client
    from livepdf.wire.messages import Snapshot, SnapshotRequest

    client = Client(endpoint)
    try:
        reply, _ = client.ask(SnapshotRequest(), timeout)
    finally:
        client.close()
    if not isinstance(reply, Snapshot):
        raise SourceError(f"{endpoint} answers, but not as livepdf does")
    return reply


def _disk(disk: Disk) -> dict[str, object]:
    """Return the room on the disk; an hour count is null where it does not fill."""
    lasts = _number(disk.lasts)
    return {
        "folder": disk.folder,
        "free_bytes": disk.free,
        "pace_bytes_per_s": _number(disk.pace),
        "hours_left": None if lasts is None else lasts / 3600.0,
        "short": disk.short,
    }


def _number(value: float) -> float | None:
    return value if math.isfinite(value) else None
