"""Curves and trends: what every client shows, each with its σ and what it accumulates over."""

from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

Scope = Literal["frame", "window", "run"]
"""What a result accumulates over."""
CurveKind = Literal["iq", "sq", "fq", "gr", "dgr", "gr_model"]
"""I(Q), S(Q), F(Q), G(r), ΔG(r): G less that of a reference, and G(r) of the fitted structure
as the window of the data shows it, without σ."""

AXIS: dict[CurveKind, tuple[str, str]] = {
    "iq": ("Q (Å⁻¹)", "I (counts per weight)"),
    "sq": ("Q (Å⁻¹)", "S(Q)"),
    "fq": ("Q (Å⁻¹)", "F(Q) (Å⁻¹)"),
    "gr": ("r (Å)", "G(r) (Å⁻²)"),
    "dgr": ("r (Å)", "ΔG(r) (Å⁻²)"),
    "gr_model": ("r (Å)", "G(r) of the model (Å⁻²)"),
}
"""Axis labels with units, by kind."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Curve:
    """One curve with its standard uncertainty."""

    kind: CurveKind
    x: NDArray[np.float64]
    """(n,) Å⁻¹ or Å."""
    y: NDArray[np.float64]
    """(n,), NaN where there is nothing to show."""
    sigma: NDArray[np.float64]
    """(n,) one standard uncertainty of y, NaN where y is."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Span:
    """Which frames a result was made from, and with which plan."""

    scope: Scope
    run: str
    number: int
    """Number of the window in its run, from 0 (of the frame for a frame, 0 for a run)."""
    first: int
    """Index of the first frame in it."""
    last: int
    """Index of the last frame in it, inclusive."""
    frames: int
    """How many frames really are in it."""
    start: float
    """Unix seconds of the first frame."""
    end: float
    """Unix seconds of the last frame."""
    revision: int
    """Number of the plan that made it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Trend:
    """One value followed over the run."""

    name: str
    """E.g. ``peak 2.77 position`` or ``domain size``."""
    unit: str
    value: float
    """NaN when withheld."""
    sigma: float
    """One standard uncertainty, NaN when withheld."""
    reason: str = ""
    """Why it is withheld, in words a chemist understands; empty when it is shown."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Result:
    """All that one frame, window or run gave, made by one plan: shown together or not at all."""

    span: Span
    curves: tuple[Curve, ...]
    trends: tuple[Trend, ...]
    environment: tuple[tuple[str, float], ...] = ()
    """Means over the frames of slow values, e.g. temperature in K."""
    flags: tuple[str, ...] = ()
    """What is wrong with any of the frames, of `livepdf.model.quality.FLAGS`."""
    quality: tuple[tuple[str, float], ...] = ()
    """The worst number measured for each flag that could be; see there."""
    flagged: tuple[tuple[str, int, int], ...] = ()
    """Flag, first and last frame of each stretch of flagged frames."""
    left_out: int = 0
    """Frames that belong here and were left out because they are flagged."""

    def curve(self, kind: CurveKind) -> Curve:
        """Return the curve of that kind; KeyError where the result has none."""
        for curve in self.curves:
            if curve.kind == kind:
                return curve
        raise KeyError(kind)
