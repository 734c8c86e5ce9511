"""ΔI(Q) between shots with and without the laser, from sums over shots of the same time."""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from livepdf.analysis.pump_probe.table import ShotTable

GROUPS = 40
"""Blocks of time that errors are estimated from, at most; the facts ask for 20 to 50."""
FEWEST = 8
"""Groups below which no error is shown."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Grouped:
    """A bin of the delay in blocks of time, each with and without the laser."""

    reference: NDArray[np.float64]
    """(n_q,) I / I0 that both excesses are counted from."""
    on_incident: NDArray[np.float64]
    """(n_groups, n_q) Σ I0 of shots with the laser."""
    on_excess: NDArray[np.float64]
    """(n_groups, n_q)"""
    off_excess: NDArray[np.float64]
    """(n_groups, n_q) What the shots without the laser, at the same time, would have had for the
    same I0."""
    shots: NDArray[np.int64]
    """(n_groups,) with the laser."""
    off_shots: int

    def differences(self) -> NDArray[np.float64]:
        """Return ΔI of each block, (n_groups, n_q), NaN where a bin is empty."""
        return ratio(self.on_excess - self.off_excess, self.on_incident)


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Difference:
    """A difference of ratios of sums with the errors of a jackknife over blocks of time."""

    value: NDArray[np.float64]
    """(n,) I_on / I0 − I_off / I0, or what a linear transform made of it."""
    sigma: NDArray[np.float64]
    """(n,) NaN where ``reason`` is given."""
    replicates: NDArray[np.float64]
    """(n_groups, n) the value without one block each: the source of all covariances."""
    shares: NDArray[np.float64]
    """(n_groups,) part of all shots that each block holds."""
    on: int
    off: int
    reason: str = ""
    """Why there is no σ."""

    def covariance(self) -> NDArray[np.float64]:
        """Return the (n, n) covariance; of a rank below the number of blocks."""
        return _covariance(self.value, self.replicates, self.shares)

    def through(
        self, transform: Callable[[NDArray[np.float64]], NDArray[np.float64]]
    ) -> "Difference":
        """Push the value and every block through one linear transform, e.g. that to G(r).

        This keeps what is common to neighbouring bins, above all the error of I0: a σ that is
        propagated bin by bin would not.

        Parameters
        ----------
        transform : (n_q,) → (n_r,)
        """
        moved = transform(self.value)
        replicates = np.array([transform(one) for one in self.replicates]).reshape(-1, len(moved))
        return self.moved(moved, replicates)

    def moved(self, value: NDArray[np.float64], replicates: NDArray[np.float64]) -> "Difference":
        """Return the same with what a linear transform made of value, (n_r,), and replicates."""
        return _with_sigma(value, replicates, self.shares, on=self.on, off=self.off)


def grouped(table: ShotTable, number: int, *, groups: int = GROUPS) -> Grouped:
    """Gather a delay bin into blocks of consecutive time slots, of about as many shots each.

    Shots with the laser are compared with those without it in the same slot (2^level trains), so
    that a slow drift is in both; a slot without any takes the nearest that has some.
    """
    slots, on_incident, on_excess, shots = _stacked(table, on=True, number=number)
    off_slots, off_incident, off_sums, off_shots = _stacked(table, on=False)
    if len(off_slots) == 0:
        off = np.full_like(on_excess, np.nan)
    else:
        found = off_excess_at(slots, off_slots, off_excess=off_sums, off_incident=off_incident)
        off = found * on_incident
    edges = even_parts(shots, groups)
    return Grouped(
        reference=table.reference,
        on_incident=summed(on_incident, edges),
        on_excess=summed(on_excess, edges),
        off_excess=summed(off, edges),
        shots=summed(shots, edges),
        off_shots=int(off_shots.sum()),
    )


def off_excess_at(
    slots: NDArray[np.int64],
    off_slots: NDArray[np.int64],
    *,
    off_excess: NDArray[np.float64],
    off_incident: NDArray[np.float64],
) -> NDArray[np.float64]:
    """Return the excess per I0 without the laser at each slot: its own, else the nearest one's.

    Returns
    -------
    (n_slots, n_q) float64
    """
    after = np.clip(np.searchsorted(off_slots, slots), 0, len(off_slots) - 1)
    before = np.clip(after - 1, 0, None)
    nearer = np.abs(off_slots[before] - slots) < np.abs(off_slots[after] - slots)
    nearest = np.where(nearer, before, after)
    return ratio(off_excess, off_incident)[nearest]


def difference(table: ShotTable, number: int, *, groups: int = GROUPS) -> Difference:
    """Return ΔI(Q) of a delay bin.

    The value is Σ(I_on) / Σ(I0_on) less the same without the laser, matched in time; the error
    the delete-m jackknife over blocks of time for blocks of unequal size (Busing, Meijer and
    van der Leeden 1999).
    """
    found = grouped(table, number, groups=groups)
    return of_groups(found)


def of_groups(found: Grouped) -> Difference:
    """Return the difference that grouped sums make."""
    excess = found.on_excess - found.off_excess
    total, incident = excess.sum(axis=0), found.on_incident.sum(axis=0)
    return _with_sigma(
        ratio(total, incident),
        ratio(total - excess, incident - found.on_incident),
        found.shots / max(found.shots.sum(), 1),
        on=int(found.shots.sum()),
        off=found.off_shots,
    )


def sides(found: Grouped) -> tuple[Difference, Difference]:
    """Return what `of_groups` subtracts: I / I0 with and without the laser, each with its σ.

    The first less the second is the difference, replicate by replicate; their errors are not
    independent, so their σ say more than that of the difference where the beam drifts.
    """
    incident = found.on_incident.sum(axis=0)
    rest = incident - found.on_incident
    shares = found.shots / max(found.shots.sum(), 1)
    made = []
    for excess in (found.on_excess, found.off_excess):
        total = excess.sum(axis=0)
        made.append(
            _with_sigma(
                found.reference + ratio(total, incident),
                found.reference + ratio(total - excess, rest),
                shares,
                on=int(found.shots.sum()),
                off=found.off_shots,
            )
        )
    return made[0], made[1]


def _with_sigma(
    value: NDArray[np.float64],
    replicates: NDArray[np.float64],
    shares: NDArray[np.float64],
    *,
    on: int,
    off: int,
) -> Difference:
    reason = ""
    sigma = np.full(value.shape, np.nan)
    if on == 0 or off == 0:
        reason = f"{on} shots with and {off} without the laser: a difference needs both"
    elif len(shares) < FEWEST:
        reason = f"{len(shares)} blocks of time so far; an error needs {FEWEST}"
    else:
        sigma = np.sqrt(_variance(value, replicates, shares))
    return Difference(
        value=value,
        sigma=sigma,
        replicates=replicates,
        shares=shares,
        on=on,
        off=off,
        reason=reason,
    )


def _deviations(
    value: NDArray[np.float64], replicates: NDArray[np.float64], shares: NDArray[np.float64]
) -> NDArray[np.float64]:
    """Pseudo-values about their mean, scaled so that their squares add up to the variance."""
    count = len(shares)
    h = 1.0 / shares[:, None]
    centre = count * value - ((1.0 - shares[:, None]) * replicates).sum(axis=0)
    pseudo = h * value - (h - 1.0) * replicates
    scaled: NDArray[np.float64] = (pseudo - centre) / np.sqrt(count * (h - 1.0))
    return scaled


def _variance(
    value: NDArray[np.float64], replicates: NDArray[np.float64], shares: NDArray[np.float64]
) -> NDArray[np.float64]:
    found: NDArray[np.float64] = (_deviations(value, replicates, shares) ** 2).sum(axis=0)
    return found


def _covariance(
    value: NDArray[np.float64], replicates: NDArray[np.float64], shares: NDArray[np.float64]
) -> NDArray[np.float64]:
    scaled = _deviations(value, replicates, shares)
    return scaled.T @ scaled


def _stacked(
    table: ShotTable, *, on: bool, number: int = 0
) -> tuple[NDArray[np.int64], NDArray[np.float64], NDArray[np.float64], NDArray[np.int64]]:
    found = list(table.of(on=on, number=number))
    n_q = len(table.reference)
    return (
        np.array([slot for slot, _ in found], dtype=np.int64),
        np.array([sums.incident for _, sums in found]).reshape(-1, n_q),
        np.array([sums.excess for _, sums in found]).reshape(-1, n_q),
        np.array([sums.shots for _, sums in found], dtype=np.int64),
    )


def even_parts(shots: NDArray[np.int64], groups: int) -> NDArray[np.intp]:
    """Return the first slot of each of up to ``groups`` parts of about as many shots each."""
    if len(shots) <= groups:
        return np.arange(len(shots))
    middle = np.cumsum(shots) - 0.5 * shots
    part = np.floor(groups * middle / shots.sum()).astype(np.int64)
    return np.flatnonzero(np.diff(part, prepend=-1))


def summed(rows: NDArray, edges: NDArray[np.intp]) -> NDArray:  # type: ignore[type-arg]
    """Return the sums of the rows from each edge to the next."""
    return np.add.reduceat(rows, edges, axis=0) if len(rows) else rows


def ratio(above: NDArray[np.float64], below: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return above / below, NaN where below is not positive."""
    result = np.full(np.broadcast_shapes(above.shape, below.shape), np.nan)
    np.divide(above, below, out=result, where=below > 0)
    return result
