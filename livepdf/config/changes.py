"""Change keys of a recipe that is in use, checked like a file; and write a recipe as TOML."""

import itertools
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from livepdf.config.load import complaint, resolved
from livepdf.config.recipe import Recipe
from livepdf.errors import Complaint, ConfigError

FIXED = ("window", "normalization", "pump_probe", "serial", "breakdown")
"""Tables that act on frames while they are added up: sums that are stored cannot follow them."""
_DRAFT = "draft"
_DEEPEST = 8
"""Tables in one another: no recipe needs more, and some programs fall over many."""


def changed_recipe(recipe: Recipe, changes: Mapping[str, Any], *, folder: Path) -> Recipe:
    """Return the recipe with some keys changed.

    Parameters
    ----------
    changes : dotted key to value
        E.g. ``{"reduction.qmax": 22.0, "background.0.scale": 0.9}``. A table or a list replaces
        the whole of it; None takes the key away, so that its default holds.
    folder : Path
        Relative paths begin here.

    Raises
    ------
    ConfigError
        With every complaint: key, found, wanted.
    """
    tree = recipe.model_dump(mode="python", exclude_unset=True)
    complaints = []
    for key, value in changes.items():
        parts = key.split(".")
        if len(parts) > _DEEPEST or _depth(value) > _DEEPEST:
            complaints.append(Complaint(_DRAFT, key[:80], "a nest", "a key of the recipe"))
        elif parts[0] in FIXED:
            complaints.append(_fixed(key, value))
        elif not _put(tree, parts, value):
            wanted = "a key of the recipe, e.g. reduction.qmax"
            complaints.append(Complaint(_DRAFT, key[:80], "no such place", wanted))
    try:
        made = Recipe.model_validate(resolved(tree, folder))
    except ValidationError as error:
        complaints += [complaint(Path(_DRAFT), problem) for problem in error.errors()]
        raise ConfigError(complaints) from None
    if complaints:
        raise ConfigError(complaints)
    return made


def differences(before: Recipe, after: Recipe) -> dict[str, tuple[Any, Any]]:
    """Return the dotted keys whose values differ, with both values; None where there is none."""
    old, new = dict(_leaves(_plain(before))), dict(_leaves(_plain(after)))
    keys = [*old, *(key for key in new if key not in old)]
    return {k: (old.get(k), new.get(k)) for k in keys if old.get(k) != new.get(k)}


def recipe_toml(recipe: Recipe) -> str:
    """Return the recipe as a TOML file that says the same."""
    tree = recipe.model_dump(mode="json", exclude_unset=True, exclude_none=True)
    return "\n".join(_table(tree, ())).lstrip() + "\n"


def _plain(recipe: Recipe) -> dict[str, Any]:
    return recipe.model_dump(mode="json")


def _fixed(key: str, value: Any) -> Complaint:
    wanted = (
        f"{' and '.join(FIXED)} as the daemon was started: they act on frames while these are "
        "added up"
    )
    return Complaint(_DRAFT, key[:80], repr(value)[:80], wanted)


def _put(tree: Any, parts: list[str], value: Any) -> bool:
    """Set or take away one value; tell whether there is such a place."""
    for part, following in itertools.pairwise(parts):
        tree = _below(tree, part, following)
    last = parts[-1]
    if isinstance(tree, dict) and last:
        tree[last] = value
        if value is None:
            del tree[last]
        return True
    number = _number(last)
    if not isinstance(tree, list) or number is None or number > len(tree):
        return False
    tree[number : number + 1] = [] if value is None else [value]
    return True


def _below(tree: Any, part: str, following: str) -> Any:
    if isinstance(tree, dict):
        below = tree.setdefault(part, {} if _number(following) is None else [])
        return below if isinstance(below, dict | list) else None
    number = _number(part)
    if isinstance(tree, list) and number is not None and number < len(tree):
        return tree[number]
    return None


def _depth(value: Any) -> int:
    """Return how deep tables and lists lie in one another, at most a little more than allowed."""
    deep, level = 0, [value]
    while level and deep <= _DEEPEST:
        inner = [v for v in level if isinstance(v, dict | list)]
        level = [w for v in inner for w in (v.values() if isinstance(v, dict) else v)]
        deep += bool(inner)
    return deep


def _number(part: str) -> int | None:
    return int(part) if part.isascii() and part.isdigit() and len(part) < 5 else None


def _leaves(tree: Any, key: str = "") -> Iterator[tuple[str, Any]]:
    if isinstance(tree, dict):
        for name, value in tree.items():
            yield from _leaves(value, f"{key}.{name}" if key else str(name))
    elif isinstance(tree, list) and tree and isinstance(tree[0], dict):
        for number, value in enumerate(tree):
            yield from _leaves(value, f"{key}.{number}")
    elif tree is not None:
        yield key, tree


def _table(tree: Mapping[str, Any], path: tuple[str, ...]) -> Iterator[str]:
    nested = {k: v for k, v in tree.items() if isinstance(v, dict) or _is_tables(v)}
    plain = {k: v for k, v in tree.items() if k not in nested}
    yield from (f"{key} = {_value(value)}" for key, value in plain.items())
    for key, value in nested.items():
        name = ".".join((*path, key))
        for table in value if isinstance(value, list) else [value]:
            yield f"\n[[{name}]]" if isinstance(value, list) else f"\n[{name}]"
            yield from _table(table, (*path, key))


def _is_tables(value: Any) -> bool:
    return isinstance(value, list) and bool(value) and isinstance(value[0], dict)


def _value(value: Any) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, str):
        return _string(value)
    if isinstance(value, list):
        return "[" + ", ".join(_value(item) for item in value) + "]"
    return repr(value)


def _string(text: str) -> str:
    """Return a basic string of TOML."""
    escaped = {'"': '\\"', "\\": "\\\\"}
    letters = (escaped.get(c, c if c.isprintable() else f"\\U{ord(c):08X}") for c in text)
    return '"' + "".join(letters) + '"'
