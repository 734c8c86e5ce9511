"""What the user asks of the daemon beside curves: to act, to calculate, to hand a file over."""

from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from livepdf.model.curve import CurveKind

Deed = Literal[
    "pause", "go on", "reset", "take control", "force control", "leave control",
    "capture dark", "capture background", "capture reference", "capture precursor",
    "capture blanks", "end capture",
    "begin recording", "end recording",
]  # fmt: skip


@dataclass(frozen=True, slots=True, kw_only=True)
class Act:
    """Something that changes what everybody sees."""

    deed: Deed
    use: bool = True
    """Whether what was captured is used at once."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Calculate:
    """A structure or a G(r) to lay over the curves as the recipe would show it."""

    name: str
    text: str = ""
    """Of a CIF, XYZ, trajectory or .gr; empty for a structure that the daemon knows by name."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SaveCurve:
    """A curve to write as a file whose header repeats the calculation."""

    run: str
    number: int
    """Of the window, -1 for the run so far."""
    kind: CurveKind
    path: Path


@dataclass(frozen=True, slots=True, kw_only=True)
class Zoom:
    """A part of a map to have at full resolution."""

    kind: CurveKind
    first: int
    count: int


Task = Act | Calculate | SaveCurve
