"""`livepdf gui`: open the window on a daemon, or start both for a desktop."""

from pathlib import Path

import click

from livepdf.cli.child import Child
from livepdf.cli.window_there import window_missing
from livepdf.errors import LivepdfError

_START = 600.0
"""s that a daemon may take to start: the first start on a machine compiles the kernels."""
_STOP = 60.0
"""s that a daemon may take to work off what is queued and close its file."""


@click.command()
@click.argument("target", metavar="ENDPOINT|PROFILE")
@click.option(
    "--recipe",
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    help="With a PROFILE: sample and experiment settings of the daemon to start.",
)
@click.option(
    "--out",
    type=click.Path(file_okay=False, path_type=Path),
    help="With a PROFILE: where the daemon writes its results.",
)
@click.option("--keep-daemon", is_flag=True, help="Let the started daemon go on after the window.")
@click.option(
    "--theme",
    type=click.Choice(["light", "dark", "contrast"]),
    help="Colours; those of the last time if left out.",
)
@click.option("--fresh", is_flag=True, help="Take nothing over from the last time.")
@click.option(
    "--screenshot",
    type=click.Path(dir_okay=False, path_type=Path),
    help="Write a picture of the window at its end.",
)
@click.option("--duration", type=click.FloatRange(min=0), help="Close the window after so many s.")
def gui(
    target: str,
    recipe: Path | None,
    out: Path | None,
    keep_daemon: bool,
    theme: str | None,
    fresh: bool,
    screenshot: Path | None,
    duration: float | None,
) -> int:
    """Watch a run: curves, maps and trends with their uncertainties.

    With an ENDPOINT such as tcp://127.0.0.1:5555 the window attaches to a daemon that runs
    already; closing it changes nothing there. With a PROFILE and a --recipe the daemon is
    started as well, as a process of its own, and asked to stop when the window is closed.
    """
    if lacking := window_missing():
        raise LivepdfError(lacking)
    window = [*_options(theme=theme, screenshot=screenshot, duration=duration)]
    window += ["--fresh"] if fresh else []
    if "://" in target:
        if recipe is not None or out is not None or keep_daemon:
            raise click.UsageError("--recipe, --out and --keep-daemon belong to a PROFILE")
        return _show(target, window)
    if not Path(target).is_file():
        raise click.UsageError(f"{target}: no such profile, and no address such as tcp://HOST:PORT")
    if recipe is None:
        raise click.UsageError(f"{target} is a profile: --recipe is needed too")
    return _both(Path(target), recipe, out=out, window=window, keep=keep_daemon)


def _options(*, theme: str | None, screenshot: Path | None, duration: float | None) -> list[str]:
    options = [] if theme is None else ["--theme", theme]
    if screenshot is not None:
        options += ["--screenshot", str(screenshot)]
    if duration is not None:
        options += ["--duration", str(duration)]
    return options


def _show(endpoint: str, options: list[str]) -> int:
    """Run the window to its end; return its exit code."""
    with Child("the window", ["-m", "livepdf_gui", endpoint, *options]) as window:
        code = window.wait(float("inf"))
    return 0 if code is None else code


def _both(profile: Path, recipe: Path, *, out: Path | None, window: list[str], keep: bool) -> int:
    """Start the daemon, then the window; stop the daemon unless it is to be kept."""
    arguments = ["-m", "livepdf.cli.main", "run", str(profile), "--recipe", str(recipe)]
    if out is not None:
        arguments += ["--out", str(out)]
    with Child("the daemon", arguments) as daemon:
        try:
            endpoint = daemon.address("ready", _START)
        except LivepdfError:
            # the daemon itself has said what is wrong; its exit code says whose turn it is
            if (code := daemon.wait(1.0)) is not None and code > 0:
                return code
            raise
        code = _show(endpoint, window)
        if keep:
            click.echo(f"the daemon goes on at {endpoint}", err=True)
            daemon.wait(float("inf"))
        elif not daemon.ended():
            _stop(daemon, endpoint)
    return code


def _stop(daemon: Child, endpoint: str) -> None:
    """Ask the daemon to finish its work; what does not answer is stopped from outside."""
    from livepdf.wire.client import Client
    from livepdf.wire.messages import ShutdownRequest

    click.echo("the daemon finishes what has come in, saves and stops …", err=True)
    client = Client(endpoint)
    try:
        client.ask(ShutdownRequest())
        daemon.wait(_STOP)
    except LivepdfError as error:
        click.echo(f"the daemon does not answer ({error}): it is stopped", err=True)
    finally:
        client.close()
