"""`livepdf keys`: who may connect to a daemon from another machine, and what each may do."""

import os
from pathlib import Path
from typing import TYPE_CHECKING

import click

if TYPE_CHECKING:
    from livepdf.wire.messages import Role

_FOLDER = click.option(
    "--keys",
    "folder",
    type=click.Path(file_okay=False, path_type=Path),
    help="Directory of the daemon's keys; ~/.config/livepdf/keys when left out.",
)


@click.group()
def keys() -> None:
    """Make, list and revoke the keys of a daemon.

    A daemon that others than its own machine can reach wants keys: `keys = "DIRECTORY"` under
    [wire] in its profile. Each person gets a file; a viewer sees everything and changes nothing, a
    controller may also retune, mark, capture, pause and stop.

    \b
    livepdf keys make anna --role controller --out anna.key
    livepdf --key anna.key gui tcp://pdf-server:5600
    """  # noqa: D301  (\b is click's own mark)


@keys.command()
@click.argument("name")
@click.option(
    "--role",
    type=click.Choice(["viewer", "controller"]),
    default="viewer",
    show_default=True,
    help="What its owner may do.",
)
@click.option(
    "--out",
    type=click.Path(dir_okay=False, path_type=Path),
    help="File for its owner; NAME.key when left out.",
)
@_FOLDER
def make(name: str, role: "Role", out: Path | None, folder: Path | None) -> None:
    """Make a key for NAME, and the daemon's own key where there is none yet."""
    from livepdf.daemon.keyring import make_client, revoke, write_secret
    from livepdf.errors import FileError

    directory, path = folder or default_folder(), out or Path(f"{name}.key")
    if path.exists():
        raise FileError(f"{path} is there already")
    key = make_client(directory, name=name, role=role)
    try:
        write_secret(path, key.toml())
    except OSError as error:
        revoke(directory, name)
        raise FileError(f"{path}: {error.strerror or error}") from None
    click.echo(f"{path}: for {name}, a {role}; hand it over on a way that others cannot read")
    click.echo(f'the profile of the daemon names the keys: [wire] keys = "{directory}"', err=True)


@keys.command("list")
@_FOLDER
def list_keys(folder: Path | None) -> None:
    """List everybody who may connect."""
    from livepdf.daemon.keyring import list_clients

    known = list_clients(folder or default_folder())
    for key in known:
        click.echo(f"{key.name:24} {key.role:12} {key.made:28} {key.public}")
    if not known:
        click.echo(f"nobody: no keys in {folder or default_folder()}", err=True)


@keys.command()
@click.argument("name")
@_FOLDER
def revoke(name: str, folder: Path | None) -> None:
    """Let NAME in no longer.

    Requests are refused within a second. Who follows the results now goes on doing so until the
    connection ends: start the daemon again where that matters.
    """
    from livepdf.daemon.keyring import revoke as take_away

    take_away(folder or default_folder(), name)
    click.echo(f"the key of {name} opens nothing any more")


def default_folder() -> Path:
    """Return where keys lie when nobody says where."""
    base = os.environ.get("XDG_CONFIG_HOME") or Path.home() / ".config"
    return Path(base) / "livepdf" / "keys"
