"""`livepdf retune`, `undo`, `pin` and `capture`: change the reduction of a running daemon."""

import json
import tomllib
from typing import TYPE_CHECKING, Any

import click

from livepdf.errors import SourceError

if TYPE_CHECKING:
    from livepdf.wire.client import Client
    from livepdf.wire.retune import Look
    from livepdf.wire.tuning import Again, Applied, Captured

_TICK = 0.2
_CAPTURED = ("background", "blanks", "precursor", "reference", "dark")
_AGAIN = click.option(
    "--again",
    default="none",
    show_default=True,
    metavar="none|whole|NUMBER",
    help="Stored windows to reduce again: none, the whole run, or so many of the last.",
)
_WAIT = click.option("--wait", is_flag=True, help="Stay until stored windows are reduced again.")


@click.command()
@click.argument("endpoint")
@click.argument("changes", nargs=-1, metavar="[KEY=VALUE]...")
@_AGAIN
@_WAIT
@click.option("--preview", is_flag=True, help="Only look: what would the newest window be like?")
@click.option("--window", "number", type=int, default=-1, help="Window to look at; -1: newest.")
@click.option("--freeze-scale", is_flag=True, help="Take the scale of that window for all.")
@click.option("--undo", is_flag=True, help="Go back to the recipe before.")
@click.option("--cancel", is_flag=True, help="Stop reducing stored windows again.")
def retune(
    endpoint: str,
    changes: tuple[str, ...],
    again: str,
    wait: bool,
    preview: bool,
    number: int,
    freeze_scale: bool,
    undo: bool,
    cancel: bool,
) -> None:
    """Change the recipe of the daemon at ENDPOINT while it runs.

    Without anything more, the keys that may be changed are listed with what holds and what they
    mean. Values are written as in a recipe; a bare word is a text, nothing after = takes the key
    away. Each change is a new revision from now on; windows that are stored can follow in the
    background, the newest first. Every revision has a file of its own, nothing is overwritten.

    \b
    livepdf retune tcp://127.0.0.1:5600
    livepdf retune tcp://127.0.0.1:5600 reduction.qmax=22 reduction.rpoly=0.9 --preview
    livepdf retune tcp://127.0.0.1:5600 reduction.qmax=22 --again whole --wait
    livepdf retune tcp://127.0.0.1:5600 --freeze-scale --window 40 --again 500
    livepdf retune tcp://127.0.0.1:5600 --undo --again whole
    """  # noqa: D301  # click wants the character \b, not its spelling
    from livepdf.wire.client import Client

    wanted = dict(_change(word) for word in changes)
    scope, last = _scope(again)
    if sum((bool(wanted), freeze_scale, undo, cancel)) > 1:
        raise click.UsageError("one of changes, --freeze-scale, --undo and --cancel at a time")
    if preview and (freeze_scale or undo or cancel):
        raise click.UsageError("--preview looks at changes written as KEY=VALUE alone")
    client = Client(endpoint)
    try:
        applied = None
        if cancel:
            client.retune.cancel()
        elif undo:
            applied = client.retune.undo(again=scope, last=last)
        elif freeze_scale:
            applied = client.retune.freeze_scale(number, again=scope, last=last)
        elif preview:
            _show(client.retune.preview(wanted, number=number, sigma=True))
        elif wanted:
            applied = client.retune.apply(wanted, again=scope, last=last)
        else:
            _list(client)
        if applied is not None:
            _tell(applied)
            if wait and applied.again:
                _watch(client, applied.revision)
    finally:
        client.close()


@click.command()
@click.argument("endpoint")
@click.argument("window", type=int, required=False)
@click.option("--file", help="A .gr, .iq or .chi that the daemon can read, instead of a window.")
@click.option("--off", is_flag=True, help="Compare no longer.")
def pin(endpoint: str, window: int | None, file: str | None, off: bool) -> None:
    """Compare every window with WINDOW (the newest when left out): ΔG(r), with σ.

    \b
    livepdf pin tcp://127.0.0.1:5600 12
    livepdf pin tcp://127.0.0.1:5600 --file bulk.gr
    livepdf pin tcp://127.0.0.1:5600 --off
    """  # noqa: D301  # click wants the character \b, not its spelling
    from livepdf.wire.client import Client

    client = Client(endpoint)
    try:
        if off:
            client.retune.unpin()
        elif file is not None:
            client.retune.pin_file(file)
        else:
            client.retune.pin(-1 if window is None else window)
        pinned = client.retune.recipe().pinned
    finally:
        client.close()
    click.echo(f"differences are taken from {pinned}" if pinned else "no differences are taken")


@click.command()
@click.argument("endpoint")
@click.argument("what", type=click.Choice(_CAPTURED))
@click.argument("action", type=click.Choice(["start", "stop", "windows"]))
@click.option("--first", type=click.IntRange(min=0), default=0, help="First of the windows.")
@click.option("--count", type=click.IntRange(min=1), default=1, help="How many windows.")
@click.option("--mark", default="", help="Begin after the newest mark of this text instead.")
@click.option("--use", is_flag=True, help="Use it at once, by a new revision.")
@_AGAIN
def capture(
    endpoint: str,
    what: "Captured",
    action: str,
    first: int,
    count: int,
    mark: str,
    use: bool,
    again: str,
) -> None:
    """Record a reference from frames that come, or from windows, and use it at once.

    background: to be subtracted. blanks: cell and solvent while they are heated as in the run;
    they are gathered by temperature, and what changes with it is fitted to every pattern.
    precursor: the solution before it reacts, 20 frames or more. reference: for differences ΔG.
    dark: the detector with the beam blocked.

    It is saved beside the results: a dark as images of its mean and its σ, the others as Q, I and
    σ, in the units of the windows. A dark that is used holds from the next run on.

    \b
    livepdf capture tcp://127.0.0.1:5600 background start
    livepdf capture tcp://127.0.0.1:5600 background stop --use --again whole
    livepdf capture tcp://127.0.0.1:5600 background windows --mark "empty cell" --count 20
    livepdf capture tcp://127.0.0.1:5600 blanks start      (then heat, then stop --use)
    livepdf capture tcp://127.0.0.1:5600 precursor windows --first 0 --count 20 --use --again whole
    livepdf capture tcp://127.0.0.1:5600 reference windows --first 0 --count 10 --use
    """  # noqa: D301  # click wants the character \b, not its spelling
    from livepdf.wire.client import Client

    scope, last = _scope(again)
    client = Client(endpoint)
    try:
        if action == "start":
            client.retune.capture(what)
            click.echo(f"frames are added up as {what} until `livepdf capture … {what} stop`")
            return
        if action == "stop":
            saved = client.retune.end_capture(use=use, again=scope, last=last)
        elif what == "dark":
            raise click.UsageError("a dark is an image: windows have none, so start and stop it")
        else:
            saved = client.retune.capture_windows(
                what, first=first, count=count, mark=mark, use=use, again=scope, last=last
            )
    finally:
        client.close()
    heat = ", ".join(f"{value:.0f}" for value in saved.temperatures)
    found = f" at {heat} K, the first" if heat else ""
    click.echo(
        f"{saved.frames} frames saved{found} as {saved.file}; revision {saved.revision} is in use"
    )


def _change(word: str) -> tuple[str, Any]:
    key, equals, text = word.partition("=")
    if not equals or not key.strip():
        raise click.BadParameter(f"{word!r}: wanted KEY=VALUE, e.g. reduction.qmax=22")
    if not text.strip():
        return key.strip(), None
    try:
        return key.strip(), tomllib.loads(f"v = {text}")["v"]
    except tomllib.TOMLDecodeError:
        return key.strip(), text.strip()


def _scope(again: str) -> "tuple[Again, int]":
    if again == "none":
        return "none", 0
    if again == "whole":
        return "whole", 0
    if again.isascii() and again.isdigit():
        return "last", int(again)
    raise click.BadParameter(f"{again!r}: wanted none, whole or a number", param_hint="--again")


def _tell(applied: "Applied") -> None:
    click.echo(f"revision {applied.revision}: {applied.changed}")
    if applied.again:
        click.echo(f"{applied.again} stored windows follow")
    if applied.advice:
        click.echo(f"! {applied.advice}")


def _list(client: "Client") -> None:
    recipe = client.retune.recipe()
    click.echo(f"revision {recipe.revision}")
    for key in recipe.keys:
        value = "" if key.value is None else json.dumps(key.value)
        choices = f" One of: {', '.join(key.choices)}." if key.choices else ""
        click.echo(f"  {key.key} = {value}\n      {key.help}{choices}")
    if recipe.pinned:
        click.echo(f"differences are taken from {recipe.pinned}")


def _show(look: "Look") -> None:
    about = look.about
    span = about.span
    click.echo(f"window {span.number}, frames {span.first} to {span.last}")
    click.echo(f"would change: {about.changed or 'nothing'}")
    gr = look.curve("gr")
    click.echo(f"G(r) on {gr.x.size} points of r, {gr.x[0]:g} to {gr.x[-1]:g} Å")
    for trend in about.trends:
        value = trend.reason or f"{trend.value:.4g} ± {trend.sigma:.2g} {trend.unit}".rstrip()
        click.echo(f"  {trend.name}: {value}")
    if about.advice:
        click.echo(f"! {about.advice}")


def _watch(client: "Client", revision: int) -> None:
    """Say how far stored windows are until they are done."""
    client.connect()
    told = ""
    while True:
        client.poll(_TICK)
        redo = None if client.mirror.status is None else client.mirror.status.redo
        if redo is None or redo.revision < revision:
            continue
        words = f"{redo.part}: {redo.done} of {redo.total}"
        if words != told:
            told = words
            click.echo(words)
        if redo.state == "failed":
            raise SourceError("stored windows could not be reduced again: see the daemon's log")
        if redo.state != "running":
            click.echo(redo.state)
            return
