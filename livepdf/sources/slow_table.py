"""A growing table in a text file: CSV, semicolons, tabs or blanks, with a line of headings."""

import csv
import re
import time
from collections.abc import Callable, Sequence
from datetime import datetime
from math import isfinite
from pathlib import Path

from livepdf.config.slow import SlowTable
from livepdf.sources.slow_reading import Reading, taken

CHUNK = 4 << 20
"""Bytes read at one look; the rest waits for the next."""
LONGEST_LINE = 100_000
COMMENT = re.compile(r"^\s*[#;%!]+\s*")


class TableText:
    """Turns the text of a table into readings, piece by piece as it grows; reads no file."""

    def __init__(self, settings: SlowTable) -> None:
        self._settings = settings
        self._headings: list[str] | None = None
        self._mark = ""
        self._rest = ""
        self.trouble = ""
        """What is wrong with the newest lines; empty when all is well."""
        self.skipped = 0
        """Lines without usable numbers."""

    def take(self, text: str, *, received: float, live: bool) -> list[Reading]:
        """Take what was added; a line counts when its end has come."""
        *lines, self._rest = (self._rest + text).replace("\r\n", "\n").split("\n")
        if len(self._rest) > LONGEST_LINE:
            self._rest, self.trouble = "", "a line without an end"
        readings: list[Reading] = []
        for line in lines:
            if line.strip():
                readings += self._line(line, received, live)
        return readings

    def _line(self, line: str, received: float, live: bool) -> list[Reading]:
        settings = self._settings
        if self._headings is None or COMMENT.match(line):
            self._heading(COMMENT.sub("", line))
            return []
        cells = dict(zip(self._headings, self._cells(line), strict=False))
        frame = stamp = None
        try:
            if settings.frame is not None:
                frame = int(float(cells[settings.frame]))
            else:
                stamp = stamp_of(cells[settings.time], settings.time_format)
        except (KeyError, ValueError, OverflowError):
            self.skipped += 1
            key = settings.frame or settings.time
            self.trouble = f"no {key} in {line.strip()[:60]!r}"
            return []
        readings = []
        for value in settings.value:
            number = _number(cells.get(value.of, ""))
            if number is None:
                self.skipped += 1
                self.trouble = f"no {value.of} in {line.strip()[:60]!r}"
                continue
            readings.append(
                Reading(
                    name=value.name,
                    value=taken(value, number),
                    received=received,
                    time=stamp,
                    frame=frame,
                    live=live,
                )
            )
        if len(readings) == len(settings.value):
            self.trouble = ""
        return readings

    def _heading(self, line: str) -> None:
        """Take a line for the headings where it names a column that is wanted."""
        settings = self._settings
        wanted = {settings.frame or settings.time, *(value.of for value in settings.value)}
        for mark in (",", ";", "\t", ""):
            names = [name.strip().strip('"') for name in _split(line, mark)]
            if wanted <= set(names):
                self._headings, self._mark, self.trouble = names, mark, ""
                return
        if self._headings is None:
            lacking = ", ".join(sorted(wanted))
            self.trouble = f"no line of headings with {lacking} yet"

    def _cells(self, line: str) -> Sequence[str]:
        return [cell.strip() for cell in _split(line, self._mark)]


class TableFeed:
    """Follows the newest file of a name; starts anew where the file is another or was cut."""

    def __init__(self, settings: SlowTable, *, clock: Callable[[], float] = time.time) -> None:
        self.description = f"table {settings.path}"
        self._settings = settings
        self._clock = clock
        self._file: Path | None = None
        self._identity: tuple[int, int] | None = None
        self._place = 0
        self._text = TableText(settings)
        self._state = "waiting: not open yet"

    def open(self) -> None:
        """Nothing to do: the file may appear later."""

    def poll(self, timeout: float) -> list[Reading]:  # noqa: ARG002  (a file is looked at, at once)
        """Return the rows that were added since the last look."""
        try:
            file = newest_file(self._settings.path)
            if file is None:
                self._state = f"waiting: {self._settings.path} is not there"
                return []
            readings = self._read(file)
        except OSError as error:
            self._state = f"lost: {error.strerror or error}"
            return []
        trouble = self._text.trouble
        self._state = f"waiting: {trouble}" if trouble else "connected"
        return readings

    def state(self) -> str:
        """Return ``connected``, ``waiting: …`` or ``lost: …``."""
        return self._state

    def close(self) -> None:
        """Nothing to do."""

    def _read(self, file: Path) -> list[Reading]:
        with file.open("rb") as opened:
            status = file.stat()
            identity = (status.st_dev, status.st_ino)
            anew = identity != self._identity or status.st_size < self._place
            if anew:
                self._identity, self._place = identity, 0
                self._text = TableText(self._settings)
            opened.seek(self._place)
            added = opened.read(CHUNK)
        self._place += len(added)
        # What lies there already tells nothing about the clock of who writes it.
        live = not anew and len(added) < CHUNK
        return self._text.take(added.decode("latin-1"), received=self._clock(), live=live)


def newest_file(pattern: Path) -> Path | None:
    """Return the file of that name written last; None where there is none."""
    if "*" not in pattern.name:
        return pattern if pattern.exists() else None
    found = [(path.stat().st_mtime, path) for path in pattern.parent.glob(pattern.name)]
    return max(found)[1] if found else None


def stamp_of(text: str, form: str) -> float:
    """Return Unix seconds; ValueError where the text is no such time."""
    text = text.strip().strip('"')
    if form == "unix":
        stamp = float(text)
    elif form == "iso":
        stamp = datetime.fromisoformat(text).timestamp()
    else:
        stamp = datetime.strptime(text, form).timestamp()
    if not isfinite(stamp):
        raise ValueError(f"{text!r} is no time")
    return stamp


def _split(line: str, mark: str) -> list[str]:
    if not mark:
        return line.split()
    return next(csv.reader([line], delimiter=mark), [])


def _number(text: str) -> float | None:
    try:
        return float(text)
    except ValueError:
        return None
