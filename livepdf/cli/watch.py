"""`livepdf watch`: follow a daemon in the terminal."""

import json
import time
from typing import TYPE_CHECKING

import click

from livepdf.cli.status import as_json as facts

if TYPE_CHECKING:
    from rich.console import Console

    from livepdf.wire.client import Client

_REDRAW = 0.25
_PLAIN_INTERVAL = 2.0


@click.command()
@click.argument("endpoint")
@click.option("--once", is_flag=True, help="Print the present state once and leave.")
@click.option("--json", "json_lines", is_flag=True, help="Print one line of JSON at each change.")
@click.option(
    "--timeout", default=5.0, show_default=True, help="s to wait for the daemon with --once."
)
def watch(endpoint: str, once: bool, json_lines: bool, timeout: float) -> None:
    """Follow the daemon at ENDPOINT, the address that `livepdf run` prints.

    Any number may watch; nobody slows the daemon. A restarted daemon is found again. Without a
    terminal, one plain line is printed every few seconds.

    \b
    livepdf watch tcp://127.0.0.1:5600
    livepdf watch tcp://127.0.0.1:5600 --once --json
    """  # noqa: D301  (\b is click's own mark)
    from rich.console import Console

    from livepdf.wire.client import Client

    client = Client(endpoint)
    console = Console()
    try:
        if once:
            client.connect(timeout)
            _print(client, json_lines)
        elif json_lines or not console.is_terminal:
            _follow_plain(client, json_lines)
        else:
            _follow_live(client, console)
    finally:
        client.close()


def _follow_live(client: "Client", console: "Console") -> None:
    from rich.live import Live

    from livepdf.clients.watch import picture

    with Live(console=console, screen=True, auto_refresh=False) as live:
        while True:
            live.update(picture(client.mirror, now=time.time()), refresh=True)
            until = time.monotonic() + _REDRAW
            while time.monotonic() < until:
                client.poll(_REDRAW)


def _follow_plain(client: "Client", json_lines: bool) -> None:
    while True:
        until = time.monotonic() + _PLAIN_INTERVAL
        while time.monotonic() < until:
            client.poll(0.2)
        _print(client, json_lines)


def _print(client: "Client", json_lines: bool) -> None:
    from livepdf.clients.watch import one_line

    mirror = client.mirror
    if not json_lines:
        click.echo(one_line(mirror, now=time.time()))
        return
    trends = mirror.latest.trends if mirror.latest is not None else ()
    line = {"connection": mirror.connection, **facts(mirror.status, trends)}
    click.echo(json.dumps(line))
