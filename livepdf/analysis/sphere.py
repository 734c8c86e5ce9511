"""F(Q) of spheres cut from a crystal: the model behind the domain size."""

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray
from scipy.interpolate import make_interp_spline

from livepdf.analysis.least_squares import slow_terms
from livepdf.numerics.bulk import (
    STEP,
    NeighbourGrid,
    grid_distances,
    neighbour_grid,
    pair_weights,
    sine_sums,
    uniform_neighbours,
)
from livepdf.numerics.pairs import PairShells

STRAIN_LIMIT = 0.03
_STRAIN_STARTS = (-0.006, 0.0, 0.006)
"""The fit finds a lattice within about 0.4 % of where it starts; these cover ±1 %."""
_START_RATIO = 1.15
_SMALLEST = 10.0
"""Å: below, a domain has no neighbours left that a disordered precursor would not have too."""
_TOLD_APART = 3.3
"""Times rmin: the domains must reach this far before their size is shown. A precursor that keeps
some order beyond rmin takes 8 to 20 % off the size of smaller ones, and the fit does not notice."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class SizeModel:
    """All that does not change from window to window."""

    q: NDArray[np.float64]
    """(n_q,) Å⁻¹, where F(Q) is compared."""
    grid: NeighbourGrid
    """Less the uniform ones: the small-angle scattering of a real sample, whose sizes and
    surroundings vary, is not that of equal spheres in a void."""
    uniform: NDArray[np.float64]
    """(n_pairs, BINS - 1) what was taken off the grid."""
    weights: NDArray[np.float64]
    """(n_pairs, n_q) f_a f_b/⟨f⟩²."""
    uiso: NDArray[np.float64]
    """(kinds,) Å², of the bulk."""
    qdamp: float
    """Å⁻¹"""
    diameter_limits: tuple[float, float]
    """Å"""
    shown_from: float
    """Å, least diameter that a precursor's order cannot be taken for."""
    slow: NDArray[np.float64]
    """(n_q, k) terms that the fit does not look at: distances below rmin and the background."""
    starts: NDArray[np.float64]
    """(n_starts, 2) diameter in Å and strain."""
    start_curves: NDArray[np.float64]
    """(n_starts, n_q) F(Q) at each of them."""


def size_model(
    *,
    q: NDArray[np.float64],
    shells: PairShells,
    fractions: NDArray[np.float64],
    density: float,
    amplitudes: NDArray[np.float64],
    mean_amplitude: NDArray[np.float64],
    uiso: NDArray[np.float64],
    qdamp: float,
    rmin: float,
    rmax: float,
    slow_degree: int = 0,
) -> SizeModel:
    """Prepare the comparison with a bulk structure.

    Parameters
    ----------
    q : (n_q,) float64, Å⁻¹
        Rising, from qmin to qmax.
    shells : PairShells
        Of the bulk crystal, out to ``rmax``.
    fractions, uiso : (kinds,) float64
        Share of the atoms and Å² of each species.
    density : float, Å⁻³
        Atoms per volume of the crystal.
    amplitudes : (kinds, n_q) float64
        f(Q), electron units.
    mean_amplitude : (n_q,) float64
        ⟨f⟩ that the reduction divides by.
    qdamp : float, Å⁻¹
        Resolution of the instrument.
    rmin, rmax : float, Å
        Distances that are compared. ``rmax`` is also the largest diameter.
    slow_degree : int
        Degree of the correction polynomial of the reduction; at least this much is left out.
    """
    if not (np.isfinite(qdamp) and qdamp >= 0.0):
        raise ValueError(f"qdamp is {qdamp}, wanted a number ≥ 0")
    smallest = max(_SMALLEST, 1.5 * rmin)
    if not smallest < rmax:
        raise ValueError(f"rmax is {rmax} Å, wanted more than {smallest} Å")
    # A polynomial of this degree describes every sine of a distance below rmin over the range.
    degree = max(int(np.ceil(rmin * (q[-1] - q[0]) / np.pi)), slow_degree)
    if len(q) < 4 * degree + 20:
        raise ValueError(f"{len(q)} points of F(Q) are too few for a comparison up to {rmax} Å")
    listed = neighbour_grid(shells, fractions=fractions, r_max=rmax)
    uniform = uniform_neighbours(fractions=fractions, density=density)
    grid = replace(listed, neighbours=listed.neighbours - uniform)
    weights = pair_weights(grid, amplitudes=amplitudes, mean_amplitude=mean_amplitude)
    n = int(np.ceil(np.log(rmax / smallest) / np.log(_START_RATIO)))
    diameters = np.geomspace(smallest, 0.98 * rmax, n)
    starts = np.array([(d, e) for e in _STRAIN_STARTS for d in diameters])
    model = SizeModel(
        q=q,
        grid=grid,
        uniform=uniform,
        weights=weights,
        uiso=uiso,
        qdamp=qdamp,
        diameter_limits=(smallest, rmax),
        shown_from=max(smallest, _TOLD_APART * rmin),
        slow=slow_terms(q, degree=degree),
        starts=starts,
        start_curves=np.empty((0, len(q))),
    )
    still = np.zeros(len(uiso))
    curves = [sphere_fq(model, diameter=d, strain=e, extra_uiso=still).fq for d, e in starts]
    return replace(model, start_curves=np.array(curves))


def all_but(
    model: SizeModel,
    *,
    q: NDArray[np.float64],
    weights: NDArray[np.float64],
    species: tuple[int, int],
    first: float,
    last: float,
) -> SizeModel:
    """Return the model of all neighbours but those of one shell.

    Parameters
    ----------
    q : (n,) float64, Å⁻¹
        Where F(Q) of the result is calculated.
    weights : (n_pairs, n) float64
        f_a f_b/⟨f⟩² there.
    species, first, last
        The pair (a ≤ b) and the range of distances in Å, ends included, that are left out.
    """
    r = grid_distances()
    neighbours = model.grid.neighbours.copy()
    # Each distance was shared by the two points around it.
    left_out = (r > first - 1.5 * STEP) & (r < last + 1.5 * STEP)
    pair = model.grid.pairs.index(species)
    neighbours[pair, left_out] = -model.uniform[pair, left_out]
    return replace(model, q=q, weights=weights, grid=replace(model.grid, neighbours=neighbours))


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class SphereCurve:
    """F(Q) of spheres of one size, and how it changes."""

    fq: NDArray[np.float64]
    """(n_q,) Å⁻¹"""
    by_diameter: NDArray[np.float64]
    """(n_q,) ∂F/∂D."""
    by_strain: NDArray[np.float64]
    """(n_q,) ∂F/∂e."""
    by_uiso: NDArray[np.float64]
    """(kinds, n_q) ∂F/∂U of each species."""


def sphere_fq(
    model: SizeModel, *, diameter: float, strain: float, extra_uiso: NDArray[np.float64]
) -> SphereCurve:
    r"""Return F(Q) of spheres cut from the bulk crystal, mean over where they are cut.

    Every neighbour at r is kept with the chance that a sphere around the one atom holds the other,
    :math:`\gamma(t) = 1 - 3t/2 + t^3/2`, :math:`t = r/D < 1`; the lattice is stretched by 1 + e,
    the sphere is not. The far neighbours fade with the resolution, exp(-(q_damp r)²/2).

    Parameters
    ----------
    diameter : float, Å
    strain : float
    extra_uiso : (kinds,) float64, Å²
    """
    stretch, q = 1.0 + strain, model.q
    envelopes = _envelopes(model, diameter=diameter, stretch=stretch)
    fine_q, sums = sine_sums(model.grid, envelope=envelopes, q_max=q[-1] * (1 + STRAIN_LIMIT))
    spline = make_interp_spline(fine_q, sums, axis=-1)
    plain, by_diameter = spline(q * stretch) / stretch
    slope = spline.derivative()(q * stretch)[0]
    by_stretch = q * slope / stretch - plain / stretch - by_diameter * diameter / stretch
    thermal = extra_uiso + model.uiso
    damping = np.array(
        [np.exp(-0.5 * q**2 * (thermal[a] + thermal[b])) for a, b in model.grid.pairs]
    )
    factor = model.weights * damping
    shares = factor * plain
    by_uiso = np.zeros((len(thermal), len(q)))
    for share, pair in zip(shares, model.grid.pairs, strict=True):
        for species in pair:
            by_uiso[species] -= 0.5 * q**2 * share
    return SphereCurve(
        fq=shares.sum(axis=0),
        by_diameter=np.einsum("pq,pq->q", factor, by_diameter),
        by_strain=np.einsum("pq,pq->q", factor, by_stretch),
        by_uiso=by_uiso,
    )


def _envelopes(model: SizeModel, *, diameter: float, stretch: float) -> NDArray[np.float64]:
    # γ and ∂γ/∂D, both with the resolution, on the distances of the unstretched crystal.
    r = grid_distances() * stretch
    inside = slice(0, int(np.searchsorted(r, diameter)))
    t = r[inside] / diameter
    resolution = np.exp(-0.5 * (model.qdamp * r[inside]) ** 2)
    envelopes = np.zeros((2, len(r)))
    envelopes[0, inside] = (1.0 - 1.5 * t + 0.5 * t**3) * resolution
    envelopes[1, inside] = 1.5 * (t - t**3) / diameter * resolution
    return envelopes
