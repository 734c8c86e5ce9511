"""ΔI(Q) from how I follows I0, shot by shot: an offset of the meter does no harm."""

import numpy as np
from numpy.typing import NDArray

from livepdf.analysis.pump_probe.difference import (
    GROUPS,
    Grouped,
    even_parts,
    off_excess_at,
    ratio,
    summed,
)
from livepdf.analysis.pump_probe.table import ShotTable

Floats = NDArray[np.float64]


def regressed(table: ShotTable, number: int, *, groups: int = GROUPS) -> Grouped:
    r"""Gather a delay bin into blocks of time in which I is a straight line of I0.

    The slope :math:`\sum (I_0-\bar I_0)(I-\bar I) / \sum (I_0-\bar I_0)^2`, means over the shots of
    one class in one slot of time, takes the place of the ratio of sums: an offset of the meter, or
    light that does not follow I0, drops out, and so does what drifts from slot to slot. It is
    surer than the ratio only if there is such an offset: where I0 jitters by 15 %, σ by counting is
    seven times as large. Noise of the meter flattens the slope, by its part of the variance of I0.

    Parameters
    ----------
    table : ShotTable
        One that keeps `moments`; ValueError otherwise.

    Returns
    -------
    grouped : Grouped
        As that of the ratio: ``on_incident`` holds Σ(I0 − mean)², excesses what goes with it.
    """
    slots, square, product, shots = _within(table, on=True, number=number)
    off_slots, off_square, off_product, off_shots = _within(table, on=False, number=0)
    first = even_parts(shots, groups)
    incident, excess = summed(square, first), summed(product, first)
    if len(off_slots) == 0 or len(slots) == 0:
        off = np.full_like(excess, np.nan)
    else:
        place = np.clip(np.searchsorted(slots[first], off_slots, side="right") - 1, 0, None)
        begin = np.flatnonzero(np.diff(place, prepend=-1))
        found = off_excess_at(
            np.arange(len(first)),
            place[begin],
            off_excess=summed(off_product, begin),
            off_incident=summed(off_square, begin),
        )
        off = found * incident
    return Grouped(
        reference=table.reference,
        on_incident=incident,
        on_excess=excess,
        off_excess=off,
        shots=summed(shots, first),
        off_shots=int(off_shots.sum()),
    )


def _within(
    table: ShotTable, *, on: bool, number: int
) -> tuple[NDArray[np.int64], Floats, Floats, NDArray[np.int64]]:
    """Slots, Σ(I0 − mean)², Σ(I0 − mean)(excess − mean) and shots of one class and bin."""
    kept = list(table.of(on=on, number=number))
    n_q = len(table.reference)
    square, product = np.zeros((len(kept), n_q)), np.zeros((len(kept), n_q))
    for row, (_, sums) in enumerate(kept):
        if sums.moments is None:
            raise ValueError("the table keeps no moments: make it with moments=True")
        many, squares, products = sums.moments
        square[row] = np.clip(squares - sums.incident * ratio(sums.incident, many), 0.0, None)
        product[row] = products - sums.excess * ratio(sums.incident, many)
    lone = ~(square > 0)
    square[lone] = product[lone] = 0.0
    return (
        np.array([slot for slot, _ in kept], dtype=np.int64),
        square,
        product,
        np.array([sums.shots for _, sums in kept], dtype=np.int64),
    )
