"""Which files of a directory tree are new, changed, and no longer growing."""

import os
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from fnmatch import fnmatch
from pathlib import Path

from livepdf.sources.batch import FileState
from livepdf.sources.euxfel_names import is_run_file


@dataclass(frozen=True, slots=True, kw_only=True)
class Found:
    """A file as one look saw it; a name that is used again differs in the rest."""

    path: Path
    size: int
    mtime_ns: int
    inode: int
    folder: bool = False
    """Whether it is the folder of a whole run, seen as one."""

    @property
    def state(self) -> FileState:
        """What changes when somebody writes to it."""
        return FileState(self.size, self.mtime_ns, self.inode)


@dataclass(slots=True)
class _Seen:
    found: Found
    looks: int
    """Looks since it last changed."""
    given: bool


def scan(root: Path, *, patterns: Sequence[str], ignore: Sequence[str]) -> list[Found]:
    """Look through a directory and all below it, once; in the natural order of the names."""
    found = list(_walk(str(root), patterns, ignore))
    return sorted(found, key=lambda file: natural(str(file.path)))


def scan_runs(root: Path, *, ignore: Sequence[str]) -> list[Found]:
    """Look for folders that hold the files of a run, each as if it were one file."""
    folders: dict[Path, list[Found]] = {}
    for file in _walk(str(root), ["*.h5"], ignore):
        if is_run_file(file.path.name):
            folders.setdefault(file.path.parent, []).append(file)
    found = [_as_one(folder, files) for folder, files in folders.items()]
    return sorted(found, key=lambda folder: natural(str(folder.path)))


def _as_one(folder: Path, files: list[Found]) -> Found:
    return Found(
        path=folder,
        size=sum(file.size for file in files),
        mtime_ns=max(file.mtime_ns for file in files),
        inode=0,
        folder=True,
    )


def natural(text: str) -> list[tuple[int, int, str]]:
    """Return a sort key under which ``scan_9`` comes before ``scan_10``."""
    key: list[tuple[int, int, str]] = []
    digits = ""
    for character in text + "\0":
        if character.isascii() and character.isdigit():
            digits += character
            continue
        if digits:
            key.append((0, int(digits), ""))
            digits = ""
        key.append((1, 0, character))
    return key


def _walk(folder: str, patterns: Sequence[str], ignore: Sequence[str]) -> Iterator[Found]:
    try:
        entries = list(os.scandir(folder))
    except OSError:
        return  # it vanished, or is not ours to read: the next look tells
    for entry in entries:
        if any(fnmatch(entry.name, pattern) for pattern in ignore):
            continue
        try:
            if entry.is_dir(follow_symlinks=False):
                yield from _walk(entry.path, patterns, ignore)
            elif any(fnmatch(entry.name, p) for p in patterns) and entry.is_file():
                stat = entry.stat()
                yield Found(
                    path=Path(entry.path),
                    size=stat.st_size,
                    mtime_ns=stat.st_mtime_ns,
                    inode=stat.st_ino,
                )
        except OSError:
            continue  # moved away between the two calls


class Ledger:
    """Remembers every file by name, size and time, and gives each state of it once."""

    def __init__(self, settle: int) -> None:
        self._settle = settle
        self._seen: dict[Path, _Seen] = {}

    def pass_over(self, found: list[Found]) -> None:
        """Take files as known: only a change makes them news."""
        for file in found:
            self._seen[file.path] = _Seen(file, self._settle, given=True)

    def look(
        self, found: list[Found], *, at_once: Callable[[Found], bool] = lambda _: False
    ) -> list[Found]:
        """Compare with the last look; return files that are new and stayed as they are.

        One of which ``at_once`` is true is returned at every change, settled or not.
        """
        news = []
        seen: dict[Path, _Seen] = {}
        for file in found:
            before = self._seen.get(file.path)
            if before is None or before.found != file:
                before = _Seen(file, 0, given=False)
            else:
                before.looks += 1
            pending = not before.given and file.size > 0
            if pending and (before.looks >= self._settle or at_once(file)):
                before.given = True
                news.append(file)
            seen[file.path] = before
        self._seen = seen
        return news
