"""The command `livepdf`: its subcommands are loaded only when they are used."""

import os
import sys
from importlib import import_module
from typing import Any, NamedTuple

import click

from livepdf.errors import ConfigError, LivepdfError, SourceError

_THREADED = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "NUMBA_NUM_THREADS")
"""Work is shared out by frames. Threads inside one product only wait for one another: a fit of
40 ms then takes 300 ms."""


class _Entry(NamedTuple):
    place: str
    """``module:attribute`` of the command."""
    help: str


_COMMANDS: dict[str, _Entry] = {
    "demo": _Entry("livepdf.cli.demo:demo", "See it work: simulated detector, daemon and window."),
    "run": _Entry("livepdf.cli.run:run", "Follow a detector: frames in, live results out."),
    "record": _Entry("livepdf.cli.record:record", "Write a stream to a file, byte for byte."),
    "replay": _Entry("livepdf.cli.replay:replay", "Play a recorded stream, at any speed."),
    "recording": _Entry(
        "livepdf.cli.recording:recording", "Look into recordings, cut and repair them."
    ),
    "gui": _Entry("livepdf.cli.gui:gui", "Open the window on a daemon, or start both."),
    "watch": _Entry("livepdf.cli.watch:watch", "Follow a daemon in the terminal."),
    "web": _Entry("livepdf.cli.web:web", "Show a daemon in browsers, read-only."),
    "status": _Entry("livepdf.cli.status:status", "Ask a daemon how it is doing."),
    "stop": _Entry("livepdf.cli.status:stop", "Let a daemon finish, save and stop."),
    "next": _Entry("livepdf.cli.next_run:next_run", "End the run here and begin another."),
    "keys": _Entry("livepdf.cli.keys:keys", "Make, list and revoke keys for other machines."),
    "retune": _Entry("livepdf.cli.retune:retune", "Change the recipe of a running daemon."),
    "pin": _Entry("livepdf.cli.retune:pin", "Compare all windows with one: ΔG(r)."),
    "capture": _Entry("livepdf.cli.retune:capture", "Record a background or a reference."),
    "process": _Entry("livepdf.cli.process:process", "Reduce image files that are there already."),
    "analyse": _Entry("livepdf.cli.analyse:analyse", "Analyse a finished run once more."),
    "trends": _Entry("livepdf.cli.trends:trends", "Write the trends of a run as a table."),
    "report": _Entry("livepdf.cli.report:report", "Write a run on one page: HTML or PDF."),
    "integrate": _Entry("livepdf.cli.integrate:integrate", "Turn one image into I(Q) or I(2θ)."),
    "pdf": _Entry("livepdf.cli.pdf:pdf", "Turn one I(Q) into G(r)."),
    "model": _Entry("livepdf.cli.model:model", "Calculate G(r) of a model, as data would show it."),
    "pump-probe": _Entry(
        "livepdf.cli.pump_probe:pump_probe", "Map what a laser changes, from averaged curves."
    ),
    "calibrate-resolution": _Entry(
        "livepdf.cli.calibrate_resolution:calibrate_resolution",
        "Fit qdamp and qbroad to a standard.",
    ),
    "geometry": _Entry(
        "livepdf.cli.geometry:geometry", "Turn a CrystFEL geometry into a calibration."
    ),
    "init": _Entry("livepdf.cli.init:init", "Write a commented profile and recipe."),
    "check": _Entry("livepdf.cli.check:check", "Check a profile and a recipe, everything at once."),
    "doctor": _Entry("livepdf.cli.doctor:doctor", "Check this computer."),
    "simulate": _Entry("livepdf.cli.simulate:simulate", "Send a simulated synthesis on a socket."),
    "simulate-shots": _Entry(
        "livepdf.cli.simulate_shots:simulate_shots", "Send simulated shots of an XFEL on a socket."
    ),
}


class _Commands(click.Group):
    """Names every command without loading any of them."""

    def list_commands(self, ctx: click.Context) -> list[str]:  # noqa: ARG002
        """Return the names in the order in which people need them."""
        return list(_COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:  # noqa: ARG002
        """Load the command of that name."""
        if cmd_name not in _COMMANDS:
            return None
        module, attribute = _COMMANDS[cmd_name].place.split(":")
        command: click.Command = getattr(import_module(module), attribute)
        return command

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:  # noqa: ARG002
        """Write the one-line helps of the table."""
        with formatter.section("Commands"):
            formatter.write_dl([(name, entry.help) for name, entry in _COMMANDS.items()])


@click.command(cls=_Commands)
@click.version_option(package_name="livepdf")
@click.option("-v", "--verbose", count=True, help="Log more; twice for every detail.")
@click.option(
    "--key", type=click.Path(dir_okay=False), help="Key file for a daemon that wants one."
)
@click.option(
    "--log",
    "style",
    type=click.Choice(["auto", "text", "json"]),
    default="auto",
    help="How logs are written; auto: JSON under systemd, else text.",
)
def livepdf(verbose: int, key: str | None, style: str) -> None:
    """Watch chemistry happen: live pair distribution functions.

    Start with `livepdf demo`. At a beamline: `livepdf init`, fill in, `livepdf check`, then
    `livepdf run PROFILE --recipe RECIPE`, and `livepdf gui` or `livepdf watch` to see it.

    Exit codes: 0 done, 1 failed, 2 wrong usage, 3 wrong settings, 4 source not reachable,
    5 done but frames were refused or lost (--strict), 130 interrupted.
    """
    from livepdf.cli.logs import set_up_logs

    set_up_logs(verbose, style)
    if key is not None:
        # Whatever connects finds it there, windows in other processes too.
        os.environ["LIVEPDF_KEY"] = os.path.abspath(key)  # noqa: PTH100  pathlib loads slowly


def main(arguments: list[str] | None = None) -> None:
    """Run the command line and exit with its code."""
    for library in _THREADED:
        os.environ.setdefault(library, "1")
    sys.exit(_exit_code(arguments))


def _exit_code(arguments: list[str] | None) -> int:
    try:
        outcome: Any = livepdf.main(args=arguments, prog_name="livepdf", standalone_mode=False)
    except click.ClickException as error:
        error.show()
        return error.exit_code
    except (click.Abort, KeyboardInterrupt):
        click.echo("interrupted", err=True)
        return 130
    except BrokenPipeError:
        return 1
    except LivepdfError as error:
        return _report(error)
    return outcome if isinstance(outcome, int) else 0


def _report(error: LivepdfError) -> int:
    if isinstance(error, ConfigError):
        count = len(error.complaints)
        click.echo(f"{count} {'thing is' if count == 1 else 'things are'} wrong:", err=True)
        for complaint in error.complaints:
            click.echo(f"  {complaint}", err=True)
        return 3
    click.echo(f"livepdf: {error}", err=True)
    return 4 if isinstance(error, SourceError) else 1


if __name__ == "__main__":
    main()
