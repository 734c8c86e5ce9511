"""Which series a file belongs to, and at which place, from its name alone.

Files of one folder whose names share all before their last number form a series, in the order of
that number; the first number seen is frame 0. A name without a number is a series of its own. A
number that comes again, or one below the first, begins the series anew.
"""

import re
from dataclasses import dataclass, field
from pathlib import Path

from livepdf.sources.ordering import SeriesId

LAST_NUMBER = re.compile(r"^(.*?)(\d{1,15})$")


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """Where a file stands."""

    series: SeriesId
    name: str
    index: int
    again: bool = False
    """Whether its place was passed as refused before."""


@dataclass(slots=True)
class _Prefix:
    generation: int = 0
    first: int = 0
    used: set[int] = field(default_factory=set)
    refused: set[int] = field(default_factory=set)

    def restart(self, number: int) -> None:
        self.generation += 1
        self.first = number
        self.used, self.refused = set(), set()


class Naming:
    """Gives each file its place; remembers which places are taken."""

    def __init__(self, root: Path) -> None:
        self._root = root
        self._prefixes: dict[str, _Prefix] = {}

    def take(self, path: Path, *, refused: bool = False) -> Place:
        """Give a file its place, for good or as refused."""
        key, number = self._split(path)
        prefix = self._prefixes.get(key)
        if prefix is None:
            prefix = self._prefixes[key] = _Prefix(first=number or 0)
        if number is None:
            number = len(prefix.used) + len(prefix.refused)
        elif number in prefix.used or number < prefix.first:
            prefix.restart(number)
        again = number in prefix.refused
        prefix.refused.discard(number)
        (prefix.refused if refused else prefix.used).add(number)
        return Place(
            series=_series(key, prefix.generation),
            name=_name(key),
            index=number - prefix.first,
            again=again,
        )

    def whole(self, path: Path, *, anew: bool) -> Place:
        """Give a file that holds a series its identity; ``anew`` when it was written again."""
        key = str(path.relative_to(self._root))
        prefix = self._prefixes.setdefault(key, _Prefix(generation=-1 if anew else 0))
        if anew:
            prefix.generation += 1
        return Place(series=_series(key, prefix.generation), name=path.stem, index=0)

    def _split(self, path: Path) -> tuple[str, int | None]:
        folder = str(path.parent.relative_to(self._root))
        stem = path.name.removesuffix(path.suffix)
        found = LAST_NUMBER.match(stem)
        text, number = (found[1], int(found[2])) if found else (stem, None)
        return (text if folder == "." else f"{folder}/{text}"), number


def _series(key: str, generation: int) -> SeriesId:
    again = f" ({generation + 1})" if generation else ""
    return SeriesId(number=None, unique=f"{key}{again}")


def _name(key: str) -> str:
    folder, _, text = key.rpartition("/")
    return text.rstrip("_-. ") or folder.replace("/", "-") or "files"
