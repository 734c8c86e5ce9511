"""What curves are compared with: a file, a pinned window, a structure."""

import re
from dataclasses import dataclass
from pathlib import PurePath

import numpy as np
from numpy.typing import NDArray

from livepdf.model.curve import CurveKind

Floats = NDArray[np.floating]
Curves = dict[CurveKind, tuple[Floats, Floats, Floats | None]]
"""x, y and σ by kind."""
_KINDS: dict[str, CurveKind] = {
    ".fq": "fq", ".sq": "sq", ".iq": "iq", ".chi": "iq", ".xy": "iq", ".dat": "iq",
}  # fmt: skip
ASKED = (".cif", ".xyz", ".lammpstrj", ".gr")
"""Endings of files whose curves the daemon calculates, or brings to the Q range of the data."""
_FEWEST = 5
"""Points that two curves must share to be compared."""


class UnusableReferenceError(ValueError):
    """A file that cannot be used; the text says why."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Reference:
    """One or more curves by one name, and where its peaks should be."""

    name: str
    curves: Curves
    """x, y and σ by kind."""
    scaled: bool
    """Whether it is scaled to the data: files and structures are, windows are not."""
    bonds: tuple[tuple[float, str], ...] = ()
    """Å and the two elements."""
    lines: tuple[float, ...] = ()
    """Å⁻¹, where its reflections are."""
    note: str = ""
    """What was done to it before it could be compared."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Comparison:
    """A reference brought onto a curve."""

    name: str
    note: str
    x: Floats
    y: Floats
    """Scaled, on the x of the curve; NaN where the reference has nothing."""
    difference: Floats
    sigma: Floats
    """Of the difference; NaN where it is unknown."""
    scale: float
    correlation: float
    """Pearson's r of the two."""

    @property
    def words(self) -> str:
        """Say how alike they are."""
        scaled = f", × {self.scale:.4g}" if self.scale != 1.0 else ""
        note = f", {self.note}" if self.note else ""
        return f"{self.name}{scaled}, correlation {self.correlation:.4f}{note}"


def read_reference(name: str, text: str) -> Reference:
    """Read a column file: Q or r, value, and perhaps more.

    Raises
    ------
    UnusableReferenceError
        In words, when it is no such file.
    """
    ending = PurePath(name).suffix.lower()
    kind = _KINDS.get(ending)
    if kind is None:
        known = ", ".join(_KINDS)
        raise UnusableReferenceError(f"{name}: found the ending {ending!r}, wanted one of {known}")
    head, columns = _columns(text)
    if columns is None or columns.shape[0] < _FEWEST:
        raise UnusableReferenceError(f"{name}: no block of two or more columns of numbers")
    x: Floats = columns[:, 0]
    y = columns[:, 1]
    if not (np.diff(x) > 0).all():
        raise UnusableReferenceError(f"{name}: the first column does not rise")
    if kind == "iq":
        x = _angstrom(name, head, x)
    return Reference(name=PurePath(name).name, curves={kind: (x, y, _sigma(columns))}, scaled=True)


def pinned(number: int, curves: Curves) -> Reference:
    """Make a reference of a window of this run."""
    return Reference(name=f"window {number}", curves=curves, scaled=False)


def compare(
    reference: Reference, kind: CurveKind, *, x: Floats, y: Floats, sigma: Floats
) -> Comparison | None:
    """Bring a reference onto a curve by one factor; None where it has no such curve here."""
    mine = reference.curves.get(kind)
    if mine is None or not x.size:
        return None
    other = np.interp(x, mine[0], mine[1], left=np.nan, right=np.nan)
    both = np.isfinite(other) & np.isfinite(y)
    if int(both.sum()) < _FEWEST:
        return None
    square = float(other[both] @ other[both])
    scale = float(other[both] @ y[both]) / square if reference.scaled and square > 0 else 1.0
    other = other * scale
    noise = mine[2]
    own = np.full(x.shape, np.nan) if noise is None else np.interp(x, mine[0], noise) * scale
    return Comparison(
        name=reference.name,
        note=reference.note,
        x=x,
        y=other,
        difference=y - other,
        sigma=np.hypot(sigma, np.where(np.isfinite(own), own, 0.0)),
        scale=scale,
        correlation=_pearson(y[both], other[both]),
    )


def _pearson(a: Floats, b: Floats) -> float:
    a, b = a - a.mean(), b - b.mean()
    size = float(np.sqrt((a @ a) * (b @ b)))
    return float(a @ b) / size if size > 0 else float("nan")


def _columns(text: str) -> tuple[str, NDArray[np.float64] | None]:
    """Return what precedes the longest block of equally long rows of numbers, and that block."""
    best: list[list[float]] = []
    rows: list[list[float]] = []
    for line in text.splitlines():
        numbers = _numbers(line)
        if numbers is None or (rows and len(numbers) != len(rows[0])):
            rows = []
        if numbers is not None:
            rows.append(numbers)
            best = rows if len(rows) > len(best) else best
    head = "\n".join(line for line in text.splitlines() if _numbers(line) is None)
    return head, np.array(best) if best else None


def _numbers(line: str) -> list[float] | None:
    try:
        numbers = [float(word) for word in line.replace(",", " ").split()]
    except ValueError:
        return None
    return numbers if len(numbers) >= 2 else None


def _angstrom(name: str, head: str, x: Floats) -> Floats:
    if re.search(r"2th|two.?theta|2θ|2-theta", head, re.IGNORECASE):
        raise UnusableReferenceError(f"{name}: found an axis of 2θ, wanted Q")
    return x / 10.0 if re.search(r"nm\^?-1|nm⁻¹|1/nm", head) else x


def _sigma(columns: NDArray[np.float64]) -> Floats | None:
    known = columns.shape[1] > 2 and (columns[:, 2] > 0).any()
    return columns[:, 2] if known else None
