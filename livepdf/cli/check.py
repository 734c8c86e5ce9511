"""`livepdf check`: everything that is wrong with a profile and a recipe, before the beam is on."""

import json
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar, cast

import click

from livepdf.errors import Complaint, ConfigError

if TYPE_CHECKING:
    from livepdf.daemon.agenda import Planned

Made = TypeVar("Made")

_FILE = click.Path(dir_okay=False, path_type=Path)


@click.command()
@click.argument("profile", type=_FILE)
@click.option("--recipe", type=_FILE, help="Check this recipe too, and both together.")
@click.option("--json", "as_json", is_flag=True, help="Print the outcome as JSON.")
def check(profile: Path, recipe: Path | None, as_json: bool) -> int:
    """Check PROFILE, every file that it names, and its addresses, without starting anything.

    All complaints come at once: file, key, what was found, what is wanted (exit 3). A ready
    profile still to be filled in passes, with a list of what only the beamline knows. With a
    recipe it also says what will be followed, from what and for how much computing, and what is
    missing for the rest.
    """
    from livepdf.cli.agenda_words import agenda_lines, agenda_plain

    blanks, complaints = check_files(profile, recipe)
    plan = () if complaints or recipe is None else _agenda(profile, recipe)
    if as_json:
        report = {
            "complaints": [str(complaint) for complaint in complaints],
            "fill in": blanks,
            "analyses": agenda_plain(plan),
        }
        click.echo(json.dumps(report, ensure_ascii=False))
        return 3 if complaints else 0
    if complaints:
        raise ConfigError(complaints)
    checked = f"{profile}" if recipe is None else f"{profile} with {recipe}"
    click.echo(f"{checked}: {'nothing wrong so far' if blanks else 'good'}")
    for key in blanks:
        click.echo(f"  still to fill in: {key}")
    for line in agenda_lines(plan):
        click.echo(line)
    return 0


def check_files(
    profile: Path, recipe: Path | None, *, requests: str | None = None
) -> tuple[list[str], list[Complaint]]:
    """Return the keys still to fill in, and every complaint.

    ``requests`` is the address for clients where it is not the profile's.
    """
    from livepdf.config.load import fill_ins, load_profile
    from livepdf.daemon.assemble import check_profile, prepare
    from livepdf.daemon.sockets import bind

    blanks, complaints = list[str](), list[Complaint]()
    loaded = _collect(complaints, lambda: load_profile(profile, template=True))
    if loaded is not None:
        blanks = fill_ins(loaded)
        wire = loaded.wire
        sockets = _collect(
            complaints,
            lambda: bind(
                requests=requests or wire.requests,
                results=wire.results,
                file=str(profile),
                wire=wire,
            ),
        )
        if sockets is not None:
            sockets.close("only checked")
    if loaded is None or blanks:
        if recipe is not None:
            _collect(complaints, lambda: _check_recipe(recipe))
    elif recipe is None:
        _collect(complaints, lambda: check_profile(profile))
    else:
        _collect(complaints, lambda: prepare(profile, recipe))
    return blanks, _once(complaints)


def _agenda(profile: Path, recipe: Path) -> "tuple[Planned, ...]":
    from livepdf.config.load import load_profile, load_recipe
    from livepdf.daemon.agenda import planned

    return planned(load_recipe(recipe), load_profile(profile, template=True))


def _check_recipe(file: Path) -> None:
    """Read a recipe and every file that it names, without any instrument."""
    from livepdf.config.load import load_recipe
    from livepdf.daemon.samples import read_sample

    _, complaints = read_sample(load_recipe(file), file)
    if complaints:
        raise ConfigError(complaints)


def _collect(complaints: list[Complaint], make: Callable[[], Made]) -> Made | None:
    try:
        return make()
    except ConfigError as error:
        complaints += error.complaints
        return cast("Made | None", error.rest)


def _once(complaints: Sequence[Complaint]) -> list[Complaint]:
    return list(dict.fromkeys(complaints))
