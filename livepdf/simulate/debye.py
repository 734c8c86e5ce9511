"""Scattering of explicit particles, atom by atom, by the Debye equation."""

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.fft import dst

from livepdf.model.structure import Structure
from livepdf.numerics.form_factors import dispersion, form_factor
from livepdf.numerics.pairs import distance_histogram
from livepdf.simulate.particles import cuts, sphere

STEP = 0.004
"""Å, of the distance grid: moves phases by less than 1e-3 at Q 25 Å⁻¹."""
BINS = 2**16
"""The grid ends at 262 Å, so the sine transform comes out on steps of 0.012 Å⁻¹."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class PairSums:
    """Interference sums of a particle, before any form factor."""

    q: NDArray[np.float64]
    """(n_q,) Å⁻¹"""
    fraction: NDArray[np.float64]
    """(kinds,) share of the atoms that each species has."""
    pairs: NDArray[np.float64]
    """(kinds, kinds, n_q) (1/N) Σ sin(Qr)/(Qr) exp(-½ (U_a + U_b) Q²) over ordered pairs."""


def species_uiso(structure: Structure) -> NDArray[np.float64]:
    """Return the mean Uiso of each species, (kinds,) Å²; ValueError where one has none."""
    kind = structure.species_index
    uiso = np.array([structure.uiso[kind == k].mean() for k in range(len(structure.species))])
    if np.isnan(uiso).any():
        raise ValueError(f"{structure.name}: some atoms have no Uiso")
    return uiso


def sphere_sums(
    structure: Structure, *, diameter: float, q_max: float, centres: NDArray[np.float64]
) -> PairSums:
    """Average the interference sums of spheres cut around the given centres.

    Parameters
    ----------
    structure : Structure
        With a Uiso for every atom; atoms of one species share the mean of theirs.
    diameter : float, Å
        At most half of the distance grid (131 Å).
    q_max : float, Å⁻¹
    centres : (n, 3) float64
        Fractional coordinates of the middle of each sphere.
    """
    return particle_sums(structure, cuts(structure, sphere(diameter), centres=centres), q_max=q_max)


def particle_sums(
    structure: Structure,
    particles: Iterable[tuple[NDArray[np.float64], NDArray[np.int64]]],
    *,
    q_max: float,
) -> PairSums:
    """Average the interference sums of particles.

    Parameters
    ----------
    structure : Structure
        With a Uiso for every atom; atoms of one species share the mean of theirs.
    particles : pairs of (m, 3) Cartesian positions in Å and (m,) atoms of the structure
    q_max : float, Å⁻¹
    """
    kinds = len(structure.species)
    histogram = np.zeros((kinds, kinds, BINS))
    atoms = np.zeros(kinds)
    for cartesian, atom in particles:
        species = structure.species_index[atom]
        histogram += distance_histogram(
            positions=cartesian, species=species, kinds=kinds, step=STEP, bins=BINS
        )
        atoms += np.bincount(species, minlength=kinds)
    q, transformed = _sine_sums(histogram, q_max=q_max)
    uiso = species_uiso(structure)
    spread = uiso[:, None] + uiso[None, :] - STEP**2 / 6.0
    damped = transformed * np.exp(-0.5 * spread[:, :, None] * q**2)
    return PairSums(q=q, fraction=atoms / atoms.sum(), pairs=damped / atoms.sum())


def _sine_sums(
    histogram: NDArray[np.float64], *, q_max: float
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    # Σ_k h_k sin(Q r_k)/(Q r_k) at Q_n = π n/(bins·step) is a type-I sine transform of h/r.
    r = STEP * np.arange(1, BINS)
    q = np.pi / (BINS * STEP) * np.arange(1, BINS, dtype=np.float64)
    wanted = q <= q_max
    sums = 0.5 * dst(histogram[:, :, 1:] / r, type=1, axis=-1)[:, :, wanted]
    return q[wanted], np.asarray(sums / q[wanted])


def amplitudes(
    structure: Structure, q: NDArray[np.float64], *, energy: float | None = None
) -> NDArray[np.complex128]:
    """Return the form factor of each species, (kinds, n_q), with f′ + if″ at ``energy`` keV."""
    return np.array(
        [
            form_factor(q=q, element=element)
            + (0.0 if energy is None else dispersion(element=element, energy=energy))
            for element in structure.species
        ],
        dtype=np.complex128,
    )


def summed_intensity(
    f: NDArray[np.complex128], fraction: NDArray[np.float64], pairs: NDArray[np.float64]
) -> NDArray[np.float64]:
    r"""Return Σ c_a |f_a|² + Σ Re(f_a f_b*) S_ab, (n_q,), of the parts of `PairSums`."""
    products = (f[:, None] * f[None].conj()).real
    self_part = np.einsum("a,aq->q", fraction, np.abs(f) ** 2)
    return np.asarray(self_part + np.einsum("abq,abq->q", products, pairs))


def debye_intensity(
    structure: Structure, sums: PairSums, *, energy: float | None = None
) -> NDArray[np.float64]:
    r"""Return the elastic intensity per atom, (n_q,) electron units.

    .. math:: I(Q) = \sum_a c_a |f_a|^2 + \sum_{ab} \mathrm{Re}(f_a f_b^*) S_{ab}(Q)

    Without ``energy`` (keV) f′ and f″ are left out, so what reduces it must leave them out too.
    """
    f = amplitudes(structure, sums.q, energy=energy)
    return summed_intensity(f, sums.fraction, sums.pairs)
