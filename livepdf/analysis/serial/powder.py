"""The powder pattern of the particles: shots that hit less shots that did not."""

from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray


@dataclass(slots=True, kw_only=True, eq=False)
class ShotMean:
    """Sums of one kind of shots, from which I / I0 and its error follow; grows in place."""

    reference: NDArray[np.float64]
    """(n_q,) A curve near I / I0: only what differs from it is summed, so nothing cancels."""
    shots: int = 0
    sums: NDArray[np.float64] = field(init=False)
    """(6, n_q) shots, Σ I0, Σ I0², Σ x, Σ x², Σ x I0 with x = I − reference × I0."""

    def __post_init__(self) -> None:
        self.sums = np.zeros((6, len(self.reference)))

    def add(self, iq: NDArray[np.float64], *, i0: float) -> None:
        """Add a shot; where ``iq`` is NaN it says nothing."""
        known = np.isfinite(iq)
        x = np.where(known, iq - self.reference * i0, 0.0)
        beam = np.where(known, i0, 0.0)
        self.sums += np.stack([known, beam, beam**2, x, x**2, x * beam])
        self.shots += 1

    def merge(self, other: "ShotMean") -> None:
        """Add the shots of another worker; ValueError when its reference is not the same."""
        if not np.array_equal(self.reference, other.reference):
            raise ValueError("means about different references do not merge")
        self.sums += other.sums
        self.shots += other.shots

    def ratio(self) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """Return Σ I / Σ I0 and its standard error over shots, NaN where there are too few.

        The error of a ratio of sums by linear propagation (Cochran 1977, 6.4).
        """
        count, beam, beam2, x, x2, mixed = self.sums
        value = np.full(count.shape, np.nan)
        lit = beam > 0
        delta = np.divide(x, beam, out=np.zeros_like(x), where=lit)
        value[lit] = (self.reference + delta)[lit]
        sigma = np.full(count.shape, np.nan)
        enough = lit & (count > 1)
        scatter = np.clip(x2 - 2 * delta * mixed + delta**2 * beam2, 0.0, None)
        sigma[enough] = (
            np.sqrt(scatter[enough] * count[enough] / (count[enough] - 1)) / beam[enough]
        )
        return value, sigma


def powder_from_hits(
    hits: ShotMean, blanks: ShotMean
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return ⟨hit⟩ / ⟨I0⟩ − ⟨non-hit⟩ / ⟨I0⟩ and its σ; NaN where either is unknown."""
    with_particle, error = hits.ratio()
    without, blank_error = blanks.ratio()
    return with_particle - without, np.hypot(error, blank_error)
