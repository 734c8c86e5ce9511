"""ΔI(Q) from curves that are averages already: one with and one without the laser per delay."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from livepdf.analysis.pump_probe.delay_map import DelayMap

_FEWEST = 5


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class PairedMap:
    """A map of differences, and what its errors are."""

    map: DelayMap
    sigma_is: str
    """Where σ comes from, in words to be shown beside it."""
    scale: NDArray[np.float64]
    """(n_delays, 2) what the curves with and without the laser were divided by."""


def paired_map(
    *,
    q: NDArray[np.float64],
    on: NDArray[np.float64],
    off: NDArray[np.float64],
    delays: NDArray[np.float64],
    band: tuple[float, float] | None = None,
) -> PairedMap:
    """Return on − off for each delay, both divided by their own mean over a band of Q.

    No shots are known, so nothing can be said of their statistics: σ is √2 × the standard
    deviation of the curves without the laser, which ought to be equal.

    Parameters
    ----------
    q : (n_q,) float64, Å⁻¹
    on, off : (n_delays, n_q) float64
    delays : (n_delays,) float64, s
    band : (low, high), Å⁻¹, optional
        Of the normalisation; all of Q when left out.

    Raises
    ------
    ValueError
        Shapes differ, the band is empty or its mean not positive, or fewer than five delays.
    """
    if on.shape != off.shape or on.shape != (len(delays), len(q)):
        raise ValueError(
            f"on {on.shape}, off {off.shape}: wanted both {(len(delays), len(q))}, delays by Q"
        )
    if len(delays) < _FEWEST:
        raise ValueError(f"{len(delays)} delays: their scatter needs {_FEWEST}")
    low, high = band if band is not None else (q[0], q[-1])
    inside = (q >= low) & (q <= high)
    if not inside.any():
        raise ValueError(f"no Q between {low:g} and {high:g} Å⁻¹")
    scale = np.stack([on[:, inside].mean(axis=1), off[:, inside].mean(axis=1)], axis=1)
    if not np.all(scale > 0):
        raise ValueError("a curve has no positive mean over the band to be divided by")
    with_laser, without = on / scale[:, :1], off / scale[:, 1:]
    sigma = np.sqrt(2.0) * np.std(without, axis=0, ddof=1)
    return PairedMap(
        map=DelayMap(
            delays=delays,
            value=with_laser - without,
            sigma=np.tile(sigma, (len(delays), 1)),
            shots=np.ones(len(delays), dtype=np.int64),
        ),
        sigma_is=f"√2 × scatter of the {len(delays)} curves without the laser",
        scale=scale,
    )
