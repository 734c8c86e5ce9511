"""Which files a request may name: those of the output directory, and what the recipe names anyhow.

Whoever may send requests need not be allowed to read this machine's disk.
"""

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from livepdf.config.recipe import Recipe
from livepdf.errors import Complaint, FileError
from livepdf.files.structures import structure_names

_DRAFT = "draft"
_WANTED = "a file of the output directory, or one that the recipe names already"


def fenced(before: Recipe, after: Recipe, *, folder: Path) -> list[Complaint]:
    """Complain of every file that a changed recipe names, the old one does not, and is outside.

    Nothing is opened, and the complaint is the same whether the file exists or not.
    """
    known = {path for _, path in _named(before.model_dump(mode="python"))}
    return [
        Complaint(_DRAFT, key[:80], repr(str(path))[:200], _WANTED)
        for key, path in _named(after.model_dump(mode="python"))
        if path not in known and not inside(path, folder)
    ]


def inside(path: Path, folder: Path) -> bool:
    """Whether a file lies in a directory, wherever links lead."""
    try:
        return path.resolve().is_relative_to(folder.resolve())
    except (OSError, ValueError, RuntimeError):
        return False


def inside_or_error(path: Path, folder: Path) -> Path:
    """Return the path where it lies in the directory; FileError in words where it does not."""
    if not inside(path, folder):
        raise FileError(f"{str(path)[-200:]!r} is outside the output directory: not opened")
    return path


def _named(tree: Any, key: str = "") -> Iterator[tuple[str, Path]]:
    if isinstance(tree, Mapping):
        for name, value in tree.items():
            yield from _named(value, f"{key}.{name}" if key else str(name))
    elif isinstance(tree, list | tuple):
        for number, value in enumerate(tree):
            yield from _named(value, f"{key}.{number}")
    elif isinstance(tree, Path):
        yield key, tree
    elif isinstance(tree, str) and _is_structure_file(key, tree):
        yield key, Path(tree)


def _is_structure_file(key: str, value: str) -> bool:
    """Structures are known by name or read from a file: what is no name is one."""
    last = [part for part in key.split(".") if not part.isdigit()][-1]
    return last in ("structure", "structures") and value not in structure_names()
