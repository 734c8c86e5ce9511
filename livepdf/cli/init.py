"""`livepdf init`: a commented profile and recipe to start from."""

import shutil
from pathlib import Path

import click

from livepdf.errors import FileError
from livepdf.files.profiles import profiles_folder, ready_profiles, ready_recipes


@click.command()
@click.argument("folder", type=click.Path(file_okay=False, path_type=Path), default=".")
@click.option(
    "--from",
    "profile",
    default="generic-directory",
    show_default=True,
    help="Ready profile to start from.",
)
@click.option("--recipe", default="hfo2", show_default=True, help="Ready recipe to start from.")
@click.option("--list", "listing", is_flag=True, help="Name the ready profiles and recipes.")
def init(folder: Path, profile: str, recipe: str, listing: bool) -> None:
    """Write FOLDER/profile.toml and FOLDER/recipe.toml, commented, to fill in.

    The profile describes the instrument and stays; the recipe describes the sample and
    changes with it. Values that only you know say FILL-IN; `livepdf check` lists them.

    \b
    livepdf init --list
    livepdf init --from petra-p02.1 --recipe sno2 beamtime
    livepdf check beamtime/profile.toml --recipe beamtime/recipe.toml
    """  # noqa: D301 click wants the real control character
    profiles, recipes = ready_profiles(), ready_recipes()
    if listing:
        click.echo("profiles: " + ", ".join(profiles))
        click.echo("recipes:  " + ", ".join(recipes))
        return
    _known("--from", profile, profiles)
    _known("--recipe", recipe, recipes)
    folder.mkdir(parents=True, exist_ok=True)
    schemas = {p.name: p for p in profiles_folder().glob("*.schema.json")}
    wanted = {
        "profile.toml": profiles[profile].read_text(encoding="utf-8"),
        "recipe.toml": recipes[recipe]
        .read_text(encoding="utf-8")
        .replace("../recipe.schema.json", "recipe.schema.json"),
        **{name: path.read_text(encoding="utf-8") for name, path in schemas.items()},
    }
    taken = [name for name in ("profile.toml", "recipe.toml") if (folder / name).exists()]
    if taken:
        raise FileError(f"{folder / taken[0]} is there already; choose another folder")
    for name, text in wanted.items():
        (folder / name).write_text(text, encoding="utf-8")
    if profile == "demo":
        for name in ("demo.poni", "demo_mask.h5"):
            shutil.copyfile(profiles_folder() / name, folder / name)
    click.echo(f"wrote {folder / 'profile.toml'} and {folder / 'recipe.toml'}")
    click.echo(
        f"next: fill them in, then livepdf check {folder / 'profile.toml'} "
        f"--recipe {folder / 'recipe.toml'}"
    )


def _known(option: str, name: str, ready: dict[str, Path]) -> None:
    if name not in ready:
        raise click.BadParameter(
            f"{name!r} is none of: {', '.join(ready)}", param_hint=f"'{option}'"
        )
