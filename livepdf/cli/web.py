"""`livepdf web`: a read-only page of a daemon for browsers."""

import secrets
import threading
from ipaddress import ip_address
from typing import TYPE_CHECKING

import click

from livepdf.cli.signals import stopped_by_signal
from livepdf.errors import SourceError

if TYPE_CHECKING:
    import socket


@click.command()
@click.argument("endpoint")
@click.option("--host", default="127.0.0.1", show_default=True, help="Address to listen on.")
@click.option(
    "--port",
    default=0,
    show_default=True,
    help="0 takes a free one.",
    type=click.IntRange(0, 65535),
)
@click.option(
    "--token",
    envvar="LIVEPDF_WEB_TOKEN",
    help="What visitors must know, 16 letters or more; made anew when left out.",
)
def web(endpoint: str, host: str, port: int, token: str | None) -> None:
    """Serve a page that follows the daemon at ENDPOINT: look, but change nothing.

    The address that is printed holds a token; without it nobody sees anything. The page goes over
    plain HTTP: to show it beyond this machine, keep the loopback address and let a web server with
    TLS, or an ssh tunnel, pass it on. Needs livepdf[web].

    \b
    livepdf web tcp://127.0.0.1:5600
    ssh -L 8080:127.0.0.1:8080 acquisition livepdf web tcp://127.0.0.1:5600 --port 8080
    """  # noqa: D301  (\b is click's own mark)
    try:
        import uvicorn

        from livepdf.clients.web.app import Follower, build_app
    except ImportError as error:
        raise click.ClickException(f"{error}; pip install 'livepdf[web]'") from error
    key = secrets.token_urlsafe(18) if token is None else token
    follower = Follower(endpoint)
    try:
        app = build_app(follower.state, token=key)
    except ValueError as error:
        raise click.BadParameter(str(error), param_hint="--token") from error
    listening = _listen(host, port)
    shown, number = listening.getsockname()[:2]
    if not ip_address(shown).is_loopback:
        click.echo("! plain HTTP beyond this machine: anybody on the way can read it", err=True)
    name = f"[{shown}]" if ":" in shown else shown
    click.echo(f"http://{name}:{number}/?token={key}")
    follower.start()
    server = uvicorn.Server(uvicorn.Config(app, log_level="warning", access_log=False))
    serving = threading.Thread(target=server.run, args=([listening],), name="web")
    with stopped_by_signal() as stop:
        serving.start()
        stop.wait()
    server.should_exit = True
    serving.join()
    follower.close()


def _listen(host: str, port: int) -> "socket.socket":
    import socket

    try:
        family = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0][0]
        listening = socket.socket(family, socket.SOCK_STREAM)
        listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listening.bind((host, port))
    except OSError as error:
        raise SourceError(f"cannot listen on {host}:{port}: {error.strerror or error}") from error
    return listening
