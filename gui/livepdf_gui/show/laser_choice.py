"""What the user wants to see of shots with and without a laser."""

from dataclasses import dataclass, replace
from typing import Literal

import numpy as np

from livepdf.model.laser import LaserReport
from livepdf_gui.show.shots_axis import KINDS, Delays, Kind

Space = Literal["iq", "gr"]
_CLEARER = 1.5
"""Times the z of the shown bin that another must have before it is shown by itself."""


@dataclass(frozen=True, slots=True, kw_only=True)
class LaserChoice:
    """The wishes of the user; the report has no part in it."""

    bin: int | None = None
    """Bin of the delay that was chosen; None leaves it to us."""
    space: Space = "iq"
    """What the map shows: ΔI(Q) or ΔG(r)."""
    axis: Kind = "even"
    sure: bool = False
    """Whether the map counts in σ."""


def shown_bin(choice: LaserChoice, report: LaserReport, *, before: int | None) -> int:
    """Return the bin to show: the chosen one, else where the difference stands out most.

    What is shown by itself stays until another bin is clearly surer, so that it does not hop.
    """
    last = len(report.tests) - 1
    if choice.bin is not None:
        return min(max(choice.bin, 0), last)
    z = np.array([test.z for test in report.tests])
    if not np.isfinite(z).any():
        shots = [test.shots for test in report.tests]
        return min(before, last) if before is not None else int(np.argmax(shots))
    best = int(np.nanargmax(z))
    if before is None or before > last or not np.isfinite(z[before]):
        return best
    return best if z[best] > _CLEARER * max(float(z[before]), 1.0) else before


def stepped(choice: LaserChoice, by: int, *, shown: int, bins: int) -> LaserChoice:
    """Go to a neighbouring bin; it ends at the first and the last."""
    return replace(choice, bin=min(max(shown + by, 0), bins - 1))


def nearest(choice: LaserChoice, axis: Delays, place: float) -> LaserChoice:
    """Choose the bin under a place of the delay axis."""
    return replace(choice, bin=axis.bin(place))


def next_axis(choice: LaserChoice) -> LaserChoice:
    """Count bins, true delays, or decades along the map."""
    return replace(choice, axis=KINDS[(KINDS.index(choice.axis) + 1) % len(KINDS)])


def other_space(choice: LaserChoice) -> LaserChoice:
    """Show the other of ΔI(Q) and ΔG(r)."""
    return replace(choice, space="gr" if choice.space == "iq" else "iq")
