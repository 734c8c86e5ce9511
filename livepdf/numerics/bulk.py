"""F(Q) of a crystal summed from its neighbour shells, with exact X-ray weights."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.fft import dst
from scipy.interpolate import make_interp_spline

from livepdf.numerics.pairs import PairShells

STEP = 0.01
"""Å, of the distance grid."""
BINS = 2**15
"""The distance grid ends at 328 Å, so sine sums come out on steps of 0.0096 Å⁻¹: eleven per
period of a distance of 60 Å. A cubic spline follows that to 1e-3, a straight line would damp it."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class NeighbourGrid:
    """Neighbours of a crystal on a fine grid of distances, by pair of species."""

    pairs: tuple[tuple[int, int], ...]
    """(a, b) with a ≤ b."""
    neighbours: NDArray[np.float64]
    """(n_pairs, BINS - 1) at (k + 1)·STEP Å: neighbours per atom of the crystal, (a, b) and (b, a)
    together."""
    r_max: float
    """Å, how far the shells were listed."""


def grid_distances() -> NDArray[np.float64]:
    """Return the distances of a `NeighbourGrid`, (BINS - 1,) Å."""
    return np.asarray(STEP * np.arange(1, BINS), dtype=np.float64)


def neighbour_grid(
    shells: PairShells, *, fractions: NDArray[np.float64], r_max: float
) -> NeighbourGrid:
    """Deposit neighbour shells on a fine grid of distances.

    Parameters
    ----------
    shells : PairShells
        Out to at least ``r_max``.
    fractions : (kinds,) float64
        Share of the atoms that each species has; adds up to 1.
    r_max : float, Å
    """
    kinds = len(fractions)
    pairs = tuple((a, b) for a in range(kinds) for b in range(a, kinds))
    if not 0.0 < r_max < STEP * (BINS - 2):
        raise ValueError(f"r_max is {r_max} Å, wanted between 0 and {STEP * (BINS - 2)}")
    neighbours = np.zeros((len(pairs), BINS + 1))
    for row, (a, b) in enumerate(pairs):
        low, high = (
            np.minimum(shells.species_a, shells.species_b),
            np.maximum(shells.species_a, shells.species_b),
        )
        chosen = (low == a) & (high == b) & (shells.r <= r_max)
        weight = fractions[shells.species_a[chosen]] * shells.count[chosen]
        place = shells.r[chosen] / STEP
        lower = place.astype(np.int64)
        share = place - lower
        neighbours[row] += np.bincount(lower, weight * (1.0 - share), minlength=BINS + 1)
        neighbours[row] += np.bincount(lower + 1, weight * share, minlength=BINS + 1)
    return NeighbourGrid(pairs=pairs, neighbours=neighbours[:, 1:BINS], r_max=r_max)


def uniform_neighbours(*, fractions: NDArray[np.float64], density: float) -> NDArray[np.float64]:
    """Return the neighbours of a medium without structure, laid out as in `NeighbourGrid`.

    Taken off those of the crystal, a sphere of it has no small-angle scattering left.

    Parameters
    ----------
    fractions : (kinds,) float64
    density : float, Å⁻³
        Atoms per volume of the crystal.
    """
    kinds = len(fractions)
    per_pair = [
        fractions[a] * fractions[b] * (1.0 if a == b else 2.0)
        for a in range(kinds)
        for b in range(a, kinds)
    ]
    in_step = 4.0 * np.pi * density * STEP * grid_distances() ** 2
    return np.asarray(np.outer(per_pair, in_step))


def sine_sums(
    grid: NeighbourGrid, *, envelope: NDArray[np.float64], q_max: float
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    r"""Sum over the shells of each pair, without thermal motion.

    .. math:: \sum_k n_k \, e(r_k) \sin(Q r_k) / r_k

    Parameters
    ----------
    envelope : (..., BINS - 1) float64
        e(r) at `grid_distances`, one or several.
    q_max : float, Å⁻¹

    Returns
    -------
    q : (n,) float64, Å⁻¹
        On equal steps from the first step to about ``q_max``.
    sums : (..., n_pairs, n) float64, Å⁻¹
    """
    n = min(int(np.ceil(q_max * BINS * STEP / np.pi)) + 1, BINS - 1)
    q = np.asarray(np.pi * np.arange(1, n + 1) / (BINS * STEP), dtype=np.float64)
    # The type-I transform holds a factor of two.
    summed = (envelope / grid_distances())[..., None, :] * grid.neighbours
    sums = 0.5 * dst(summed, type=1, axis=-1)[..., :n]
    # Sharing a distance between two grid points damps its sine by this much.
    return q, sums / np.sinc(q * STEP / (2 * np.pi)) ** 2


def pair_weights(
    grid: NeighbourGrid, *, amplitudes: NDArray[np.float64], mean_amplitude: NDArray[np.float64]
) -> NDArray[np.float64]:
    """Return f_a f_b/⟨f⟩² of every pair, (n_pairs, n_q).

    Parameters
    ----------
    amplitudes : (kinds, n_q) float64
        f(Q) of each species, electron units.
    mean_amplitude : (n_q,) float64
        ⟨f⟩ that S(Q) was divided by: of the composition that the reduction was told.
    """
    products = [amplitudes[a] * amplitudes[b] for a, b in grid.pairs]
    return np.array(products) / mean_amplitude**2


def soft_end(r: NDArray[np.float64], *, start: float, end: float) -> NDArray[np.float64]:
    """Return 1 below ``start``, 0 above ``end`` and a cosine in between, shaped like r.

    A sum that stops abruptly rings at every distance; one that fades does not.
    """
    phase = np.clip((r - start) / (end - start), 0.0, 1.0)
    return np.asarray(0.5 * (1.0 + np.cos(np.pi * phase)))


def bulk_fq(
    shells: PairShells,
    *,
    q: NDArray[np.float64],
    fractions: NDArray[np.float64],
    amplitudes: NDArray[np.float64],
    uiso: NDArray[np.float64],
    r_max: float,
    tail: float = 10.0,
    qdamp: float = 0.0,
    delta2: float = 0.0,
) -> NDArray[np.float64]:
    r"""Return F(Q) of the endless crystal whose G(r) is right up to ``r_max``.

    .. math:: F(Q) = \sum_{ab} \frac{c_a f_a f_b}{\langle f\rangle^2} \sum_k
        \frac{n_{ab,k}}{r_k} \sin(Q r_k)\, e^{-Q^2 \sigma_{ab}^2(r_k)/2}\, e^{-(q_d r_k)^2/2}

    with :math:`\sigma_{ab}^2(r) = (U_a + U_b)(1 - \delta_2/r^2)`. What is missing beyond the tail
    changes F only at Q below about 2π/tail.

    Parameters
    ----------
    shells : PairShells
        Out to ``r_max + tail``; beyond ``r_max`` they fade, so that the end does not ring.
    q : (n_q,) float64, Å⁻¹
    fractions : (kinds,) float64
    amplitudes : (kinds, n_q) float64
    uiso : (kinds,) float64, Å²
    r_max, tail : float, Å
    qdamp : float, Å⁻¹
        Gaussian resolution (one standard deviation).
    delta2 : float, Å²
        Correlated motion of near neighbours.

    Returns
    -------
    fq : (n_q,) float64, Å⁻¹
    """
    grid = neighbour_grid(shells, fractions=fractions, r_max=r_max + tail)
    r = grid_distances()
    envelope = soft_end(r, start=r_max, end=r_max + tail) * np.exp(-0.5 * (qdamp * r) ** 2)
    fine_q, sums = sine_sums(grid, envelope=envelope, q_max=1.02 * float(q[-1]) + 0.1)
    weights = pair_weights(grid, amplitudes=amplitudes, mean_amplitude=fractions @ amplitudes)
    spread = np.array([uiso[a] + uiso[b] for a, b in grid.pairs])
    per_pair = make_interp_spline(fine_q, sums, axis=1)(q)
    per_pair *= np.exp(-0.5 * spread[:, None] * q**2)
    if delta2 > 0.0:
        per_pair += _correlated_share(grid, q=q, envelope=envelope, spread=spread, delta2=delta2)
    return np.asarray(np.einsum("pq,pq->q", weights, per_pair))


def _correlated_share(
    grid: NeighbourGrid,
    *,
    q: NDArray[np.float64],
    envelope: NDArray[np.float64],
    spread: NDArray[np.float64],
    delta2: float,
) -> NDArray[np.float64]:
    # Only near neighbours differ noticeably: at 20 Å, δ2 = 2 Å² changes σ² by half a percent.
    near = slice(0, int(20.0 / STEP))
    r = grid_distances()[near]
    share = np.zeros((len(spread), len(q)))
    for row, plain in enumerate(spread):
        amplitude = grid.neighbours[row, near] * envelope[near] / r
        filled = np.flatnonzero(amplitude)
        narrowed = plain * np.clip(1.0 - delta2 / r[filled] ** 2, 0.0, 1.0)
        damping = np.exp(-0.5 * np.outer(q**2, narrowed)) - np.exp(-0.5 * plain * q**2)[:, None]
        share[row] = (np.sin(np.outer(q, r[filled])) * damping) @ amplitude[filled]
    return share
