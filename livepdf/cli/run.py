"""`livepdf run`: the daemon, from a checked start to a clean stop."""

import json
import os
import signal
import sys
import time
from pathlib import Path
from types import FrameType
from typing import TYPE_CHECKING

import click

from livepdf.errors import ConfigError, LivepdfError

if TYPE_CHECKING:
    from livepdf.daemon.service import Service

_FILE = click.Path(dir_okay=False, path_type=Path)
_PLAIN_INTERVAL = 5.0
_LIVE_INTERVAL = 0.25
STRICT_EXIT = 5


@click.command()
@click.argument("profile", type=_FILE)
@click.option("--recipe", type=_FILE, required=True, help="Sample and experiment, TOML.")
@click.option(
    "--out",
    type=click.Path(file_okay=False, path_type=Path),
    help="Directory of the results; output.directory of the profile when left out.",
)
@click.option("--requests", help="Address for clients instead of the profile's; port 0 is free.")
@click.option("--runs", type=click.IntRange(min=1), help="Stop after this many runs.")
@click.option("--json", "as_json", is_flag=True, help="Print the final counters as JSON.")
@click.option("--strict", is_flag=True, help="Exit with 5 when frames were refused or lost.")
def run(
    profile: Path,
    recipe: Path,
    out: Path | None,
    requests: str | None,
    runs: int | None,
    as_json: bool,
    strict: bool,
) -> int:
    r"""Follow the detector of PROFILE and publish what its frames say about the sample.

    Both files are checked whole before anything starts. Then one line `ready ADDRESS` is
    printed: give that address to `livepdf gui`, `livepdf watch` or `livepdf status`. Every run
    becomes one NeXus file, readable while it grows. Ctrl-C or SIGTERM finishes what has come in,
    saves and stops; a second one stops at once.

    \b
    livepdf run beamtime/profile.toml --recipe beamtime/recipe.toml
    livepdf run profile.toml --recipe recipe.toml --out /data/pdf --runs 1 --json
    """
    from livepdf.sinks.nexus import must_not_tidy_up

    service = _service(profile, recipe, out=out, requests=requests, runs=runs)
    _stop_on_signals(service)
    try:
        service.start()
    except LivepdfError:
        service.abandon()
        raise
    click.echo(f"ready {service.address}")
    sys.stdout.flush()
    _show(service)
    service.finish()
    code = _conclude(service, as_json=as_json, strict=strict)
    if must_not_tidy_up():
        sys.stdout.flush()
        os._exit(code)
    return code


def _service(
    profile: Path, recipe: Path, *, out: Path | None, requests: str | None, runs: int | None
) -> "Service":
    from livepdf.cli.check import check_files
    from livepdf.daemon.assemble import prepare
    from livepdf.daemon.service import Service
    from livepdf.sources.open_source import make_source

    try:
        prepared = prepare(profile, recipe)
    except ConfigError as error:
        # The addresses may be wrong as well, and everything is to be said at once.
        _, more = check_files(profile, recipe, requests=requests)
        raise ConfigError(list(dict.fromkeys([*error.complaints, *more]))) from None
    settings = prepared.settings.profile
    return Service(
        prepared,
        make_source(settings.source),
        output=(out or settings.output.directory).resolve(),
        requests=requests or settings.wire.requests,
        results=settings.wire.results,
        runs=runs,
    )


def _stop_on_signals(service: "Service") -> None:
    def stop(number: int, _: FrameType | None) -> None:
        if service.stopping.is_set():
            # Somebody does not want to wait: what was flushed is on disk.
            os._exit(128 + number)
        click.echo("finishing what has come in; once more to stop at once", err=True)
        service.stopping.set()

    signal.signal(signal.SIGINT, stop)
    signal.signal(signal.SIGTERM, stop)


def _show(service: "Service") -> None:
    """Show the status until the daemon is to stop."""
    from rich.console import Console

    from livepdf.clients.words import status_line

    console = Console(stderr=True)
    if console.is_terminal:
        with console.status("starting") as line:
            while not service.stopping.wait(_LIVE_INTERVAL):
                line.update(status_line(service.status(), now=time.time()))
        return
    while not service.stopping.wait(_PLAIN_INTERVAL):
        click.echo(status_line(service.status(), now=time.time()), err=True)


def _conclude(service: "Service", *, as_json: bool, strict: bool) -> int:
    from livepdf.clients.words import status_line

    status = service.status()
    counters = status.counters
    files = [str(path) for path in service.files]
    if as_json:
        books = {
            "received": counters.received,
            "used": counters.used,
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
