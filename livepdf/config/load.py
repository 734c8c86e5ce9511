"""Read a profile or a recipe whole and complain about everything at once."""

import re
import tomllib
from collections.abc import Iterator, Mapping, Sequence
from copy import deepcopy
from functools import reduce
from pathlib import Path
from typing import Any, TypeVar

from pydantic import BaseModel, ValidationError

from livepdf.config.profile import Profile
from livepdf.config.recipe import Recipe
from livepdf.errors import Complaint, ConfigError

T = TypeVar("T", bound=BaseModel)

_WANTED = re.compile(r"^(Input|String|Value|List) should (be |match |have )?")
"""How pydantic opens a sentence that we close."""
FILL_IN = "FILL-IN"
"""What the ready profiles say where only the beamline knows the value."""
_PATH_KEYS = {
    "poni",
    "dark",
    "flat",
    "pedestal",
    "gain",
    "masks",
    "path",
    "directory",
    "file",
    "scale_from",
    "precursor",
    "table",
    "token",
    "keys",
}


def load_profile(path: Path, *, template: bool = False) -> Profile:
    """Read a profile; paths in it are relative to the file.

    Parameters
    ----------
    path
        The TOML file.
    template
        Accept values that still say FILL-IN, as the ready profiles do.

    Raises
    ------
    ConfigError
        With every complaint: file, key, found, wanted.
    """
    profile = _load(path, Profile)
    blanks = fill_ins(profile)
    if blanks and not template:
        raise ConfigError([Complaint(str(path), key, FILL_IN, "your value") for key in blanks])
    return profile


def fill_ins(model: BaseModel) -> list[str]:
    """Return the dotted keys whose values the user has still to fill in."""
    return [key for key, value in _leaves(model.model_dump(mode="json")) if FILL_IN in str(value)]


def load_recipe(path: Path) -> Recipe:
    """Read a recipe; paths in it are relative to the file.

    Raises
    ------
    ConfigError
        With every complaint: file, key, found, wanted.
    """
    return _with_structures(_load(path, Recipe), path.parent)


def profile_from_text(text: str, *, name: Path) -> Profile:
    """Return the profile that a text says, as if it were the file ``name``; raises likewise."""
    return _checked(_parsed(text, name), name, Profile)


def recipe_from_text(text: str, *, name: Path) -> Recipe:
    """Return the recipe that a text says, as if it were the file ``name``; raises likewise."""
    return _with_structures(_checked(_parsed(text, name), name, Recipe), name.parent)


def _with_structures(recipe: Recipe, folder: Path) -> Recipe:
    wanted = recipe.analysis
    if wanted is None:
        return recipe
    structures = [
        str((folder / name).resolve()) if name.lower().endswith(".cif") else name
        for name in wanted.structures
    ]
    return recipe.model_copy(
        update={"analysis": wanted.model_copy(update={"structures": structures})}
    )


def _load(path: Path, model: type[T]) -> T:
    return _checked(_read_toml(path), path, model)


def _checked(toml: dict[str, Any], path: Path, model: type[T]) -> T:
    tree = resolved(toml, path.resolve().parent)
    try:
        return model.model_validate(tree)
    except ValidationError as error:
        complaints = [complaint(path, problem) for problem in error.errors()]
        places = [_place(problem["loc"]) for problem in error.errors()]
        raise ConfigError(complaints, rest=_without(tree, places, model)) from None


def _without(tree: Any, places: Sequence[tuple[str | int, ...]], model: type[T]) -> T | None:
    """Return the settings with the values at those places left out, None where that cannot be."""
    left: Any = deepcopy(tree)
    for place in sorted(places, key=lambda p: [str(part) for part in p], reverse=True):
        table = reduce(_inside, place[:-1], left)
        if place and isinstance(table, dict):
            table.pop(place[-1], None)
    try:
        return model.model_validate(left)
    except ValidationError:
        return None


def _inside(table: Any, part: str | int) -> Any:
    try:
        return table[part]
    except (KeyError, IndexError, TypeError):
        return None


def _read_toml(path: Path) -> dict[str, Any]:
    try:
        return _parsed(path.read_text(encoding="utf-8"), path)
    except OSError as error:
        found = error.strerror or str(error)
        raise ConfigError([Complaint(str(path), "file", found, "a readable TOML file")]) from None
    except UnicodeDecodeError as error:
        raise ConfigError(
            [Complaint(str(path), "file", f"byte {error.start} is no UTF-8", "a TOML file")]
        ) from None


def _parsed(text: str, path: Path) -> dict[str, Any]:
    try:
        return tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise ConfigError([Complaint(str(path), "syntax", str(error), "valid TOML")]) from None


def resolved(tree: Any, folder: Path) -> Any:
    """Make the values of path keys absolute, so that a file means the same from anywhere."""
    if isinstance(tree, list):
        return [resolved(item, folder) for item in tree]
    if not isinstance(tree, Mapping):
        return tree
    return {key: _absolute(key, value, folder) for key, value in tree.items()}


def _absolute(key: str, value: Any, folder: Path) -> Any:
    if key not in _PATH_KEYS:
        return resolved(value, folder)
    if isinstance(value, list):
        return [str(folder / Path(v).expanduser()) if isinstance(v, str) else v for v in value]
    return str(folder / Path(value).expanduser()) if isinstance(value, str) else value


def _leaves(tree: Any, key: str = "") -> Iterator[tuple[str, Any]]:
    if isinstance(tree, Mapping):
        for name, value in tree.items():
            yield from _leaves(value, f"{key}.{name}" if key else str(name))
    elif isinstance(tree, list):
        for number, value in enumerate(tree):
            yield from _leaves(value, f"{key}.{number}")
    else:
        yield key, tree


def complaint(path: Path, problem: Mapping[str, Any]) -> Complaint:
    """Return what pydantic found wrong as one of our complaints."""
    key = _key(problem["loc"])
    found = problem["input"]
    kind = problem["type"]
    if kind == "extra_forbidden":
        return Complaint(str(path), key, "an unknown key", "only keys that livepdf knows")
    if kind == "missing":
        return Complaint(str(path), key, "nothing", "a value")
    if kind == "too_long":
        wanted = f"at most {problem['ctx']['max_length']}"
        return Complaint(str(path), key, f"{len(found)} of them", wanted)
    if kind == "value_error":
        return Complaint(str(path), key, _short(found), str(problem["ctx"]["error"]))
    return Complaint(str(path), key, _short(found), _WANTED.sub("", problem["msg"]))


def _key(loc: tuple[str | int, ...]) -> str:
    return ".".join(str(part) for part in _place(loc)) or "file"


def _place(loc: tuple[str | int, ...]) -> tuple[str | int, ...]:
    """Return the path as the file has it: without the tag that chose the kind of source or feed."""
    if len(loc) > 2 and loc[0] == "source":
        return (loc[0], *loc[2:])
    return (*loc[:2], *loc[3:]) if len(loc) > 3 and loc[0] == "slow" else loc


def _short(value: object) -> str:
    text = repr(value)
    return text if len(text) <= 80 else text[:77] + "..."
