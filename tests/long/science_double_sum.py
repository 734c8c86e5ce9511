"""Simulated hafnia of 50 Å against the plain double sum over all its atoms, in S(Q) and G(r).

python -m pytest tests/long/science_double_sum.py -s

The sum over 5 700 atoms takes six minutes; it knows nothing of the product but tables and CIF.
"""

import numpy as np
import pytest
from periodictable.cromermann import fxrayatq
from scipy.interpolate import CubicSpline

from livepdf.files.structures import read_structure
from livepdf.numerics.pairs import sphere_cut
from livepdf.numerics.transform import pair_distribution
from livepdf.simulate.debye import debye_intensity, sphere_sums

CENTRE = np.array([0.17, 0.41, 0.73])
DIAMETER = 50.0
R = np.arange(1.5, 20.0, 0.01)


@pytest.fixture(scope="module")
def both() -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return Q and F(Q) of the product and of the double sum."""
    structure = read_structure("hfo2-monoclinic")
    cartesian, atom = sphere_cut(
        cell=structure.cell, positions=structure.positions, diameter=DIAMETER, centre=CENTRE
    )
    kind = structure.species_index[atom]
    q = np.arange(0.8, 20.005, 0.04)
    # Atoms of one species move alike in the product.
    uiso = np.array([structure.uiso[structure.species_index == k].mean() for k in range(2)])
    f = np.array([fxrayatq(element, q) for element in structure.species])
    total = np.zeros(q.shape)
    for i in range(len(atom)):
        later = slice(i + 1, None)
        r = np.linalg.norm(cartesian[later] - cartesian[i], axis=1)
        for k in range(2):
            damping = np.exp(-0.5 * (uiso[kind[i]] + uiso[k]) * q**2)
            chosen = r[kind[later] == k]
            waves = np.sin(q[:, None] * chosen) @ (1.0 / chosen) if chosen.size else 0.0
            total += 2 * f[kind[i]] * f[k] * damping * waves / q
    fractions = np.bincount(kind) / len(kind)
    slow = total / len(kind) / (fractions @ f) ** 2
    sums = sphere_sums(structure, diameter=DIAMETER, q_max=20.2, centres=CENTRE[None])
    mine = CubicSpline(sums.q, debye_intensity(structure, sums))(q)
    return q, q * (mine - fractions @ f**2) / (fractions @ f) ** 2, q * slow


@pytest.mark.timeout(1200)
@pytest.mark.parametrize("qmax", [20.0, 8.0])
def test_hafnia_of_5_nm_is_the_double_sum(
    both: tuple[np.ndarray, np.ndarray, np.ndarray], qmax: float
) -> None:
    q, mine, slow = (x[both[0] <= qmax + 1e-9] for x in both)
    one, other = (pair_distribution(q=q, fq=x, r=R) for x in (mine, slow))

    rms = np.sqrt(np.mean((mine - slow) ** 2) / np.mean(slow**2))
    rms_r = np.sqrt(np.mean((one - other) ** 2) / np.mean(other**2))
    apart = [np.abs(maxima(one) - top).min() for top in maxima(other)]

    print(  # noqa: T201  # the figures are what this is run for
        f"\nQmax {qmax:g}: F(Q) {100 * rms:.3f} %, G(r) {100 * rms_r:.3f} %, "
        f"{len(apart)} maxima within {1e3 * max(apart):.2f} mÅ"
    )
    assert max(rms, rms_r) < 0.02
    assert max(apart) < 0.01


def maxima(gr: np.ndarray) -> np.ndarray:
    """Return where G(r) has maxima of a tenth of its highest or more, Å."""
    inner = (gr[1:-1] > gr[:-2]) & (gr[1:-1] >= gr[2:]) & (gr[1:-1] > 0.1 * gr.max())
    at = np.flatnonzero(inner) + 1
    low, top, high = gr[at - 1], gr[at], gr[at + 1]
    return np.asarray(R[at] + 0.01 * 0.5 * (low - high) / (low - 2 * top + high))
