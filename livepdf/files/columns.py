"""Read column text: .chi, .xy, .iq, .sq, .fq, .gr, whatever stands before the numbers."""

import math
import re
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from livepdf.errors import FileError

MIN_ROWS = 10
"""A shorter run of numbers is taken as part of the header."""
_DECIMAL_COMMA = re.compile(r"^[+-]?\d+,\d+([eE][+-]?\d+)?$")
_WINDOWS_NAN = re.compile(r"^[+-]?1\.#(QNAN|SNAN|IND|INF)0*$")
_BYTE_ORDER_MARKS = (b"\xff\xfe", b"\xfe\xff")
"""Of UTF-16, in which Windows saves "Unicode" text."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Columns:
    """The numbers of one file."""

    x: NDArray[np.float64]
    """(n,) rising, in the unit of the file, which it does not say."""
    y: NDArray[np.float64]
    """(n,)"""
    sigma: NDArray[np.float64] | None
    """(n,) one standard uncertainty of y; None where the file has none."""
    header: str
    """All text before the numbers."""


def read_columns(path: Path) -> Columns:
    """Read the longest block of rows with the same number of columns.

    Two columns are x and y, three are x, y and σ, four or more are x, y, σ of x, σ of y and what
    else there may be. They are parted by blanks, tabs, semicolons or commas; where they are not
    parted by commas, a comma may stand for the decimal point. Text before and after the block and
    blank lines in it are ignored. Rows come back in rising order of x, those whose x is no number
    are left out. A column of σ that is zero or less all the way is none.

    Raises
    ------
    FileError
        When the file cannot be read or holds no such block of ten rows.
    """
    return columns_in(read_text(path), name=str(path))


def columns_in(text: str, *, name: str) -> Columns:
    """Read the columns of a text, as `read_columns` does; ``name`` is for complaints."""
    lines = text.splitlines()
    start, block = _longest_block(lines)
    rows = [row for row in block if math.isfinite(row[0])]
    if len(rows) < MIN_ROWS:
        raise FileError(
            f"{name}: found {len(rows)} rows of numbers, wanted {MIN_ROWS} or more "
            "with two or more columns"
        )
    table = np.array(rows, dtype=np.float64)
    table = table[np.argsort(table[:, 0], kind="stable")].T.copy()
    sigma = None if len(table) == 2 else table[min(3, len(table) - 1)]
    if sigma is not None and not np.any(sigma > 0):
        sigma = None
    header = "\n".join(lines[:start])
    return Columns(x=table[0], y=table[1], sigma=sigma, header=header)


def read_text(path: Path) -> str:
    """Return the text of a file in any of the encodings such files come in."""
    try:
        raw = path.read_bytes()
    except OSError as error:
        raise FileError(f"{path}: {error.strerror or error}") from None
    try:
        return raw.decode("utf-16" if raw.startswith(_BYTE_ORDER_MARKS) else "utf-8-sig")
    except UnicodeDecodeError:
        # Latin-1 reads every byte; only units in comments differ, never a number.
        return raw.decode("latin-1")


def _longest_block(lines: list[str]) -> tuple[int, list[list[float]]]:
    best_start, best = 0, list[list[float]]()
    start, block = 0, list[list[float]]()
    for number, line in enumerate(lines):
        if not line.strip():
            continue
        row = _row(line)
        if row is None or (block and len(row) != len(block[0])):
            block = []
        if row is None:
            continue
        if not block:
            start = number
        block.append(row)
        if len(block) > len(best):
            best_start, best = start, block
    return best_start, best


def _row(line: str) -> list[float] | None:
    """Return the numbers of a line, None unless it holds two or more and nothing else."""
    words = re.split(r"[\s;]+", line.strip(" \t\r\n;"))
    if len(words) == 1 or any(word.endswith(",") for word in words):
        words = [word.strip() for word in line.strip().rstrip(",").split(",")]
    if len(words) < 2:
        return None
    try:
        return [_number(word) for word in words]
    except ValueError:
        return None


def _number(word: str) -> float:
    if _WINDOWS_NAN.match(word):
        return float("nan")
    return float(word.replace(",", ".") if _DECIMAL_COMMA.match(word) else word)
