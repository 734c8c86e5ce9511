"""The settings that go along with a recording, with every file that they name."""

import tomllib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from livepdf.config.table import Table
from livepdf.model.recorded import Attached, Origin

_TEXT = "application/toml"
_ELSEWHERE = {"source", "output"}
"""Tables whose paths are where frames come from and results go to: they do not go along."""
_LARGEST = 512 << 20
"""Bytes of a file that goes along."""


def origin_of(settings: Table) -> Origin:
    """Say which kind of source it is, with its settings, as the file will."""
    kind = str(getattr(settings, "kind", ""))
    return Origin(kind=kind, settings=settings.model_dump_json())


def attached_settings(*, profile: Path | None, recipe: Path | None) -> list[Attached]:
    """Read profile and recipe, and the calibration, masks and backgrounds that they name.

    A file of the profile is called ``profile/`` and then as it is written there.
    """
    found: list[Attached] = []
    for role, file in (("profile", profile), ("recipe", recipe)):
        if file is not None:
            text = file.read_bytes()
            found.append(Attached(name=f"{role}.toml", data=text, media_type=_TEXT))
            tree = tomllib.loads(text.decode())
            here = {key: table for key, table in tree.items() if key not in _ELSEWHERE}
            found += [
                Attached(name=f"{role}/{written}", data=path.read_bytes())
                for written, path in _named_files(here, file.resolve().parent)
            ]
    return found


def _named_files(tree: Any, folder: Path) -> Iterator[tuple[str, Path]]:
    """Yield what is written and which file is meant; whatever is no file is no path either."""
    written = dict.fromkeys(text for text in _texts(tree) if text and "\n" not in text)
    for text in written:
        path = folder / Path(text).expanduser()
        try:
            if path.is_file() and path.stat().st_size <= _LARGEST:
                yield text, path
        except OSError:
            continue  # a text too long to be a path


def _texts(tree: Any) -> Iterator[str]:
    if isinstance(tree, str):
        yield tree
    elif isinstance(tree, dict):
        for value in tree.values():
            yield from _texts(value)
    elif isinstance(tree, list):
        for value in tree:
            yield from _texts(value)
