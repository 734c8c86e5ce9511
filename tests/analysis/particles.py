"""F(Q) of explicit spheres with the noise of a real count, for the tests of the analysis."""

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray
from scipy.interpolate import CubicSpline

from livepdf.files.structures import read_structure
from livepdf.model.structure import Structure
from livepdf.numerics.form_factors import form_factor
from livepdf.numerics.polynomial import effective_degree, polynomial_fit
from livepdf.simulate.debye import PairSums, debye_intensity, sphere_sums


@dataclass(frozen=True, kw_only=True, eq=False)
class Particle:
    """What a perfect reduction would give for spheres of one size."""

    structure: Structure
    q: NDArray[np.float64]
    fractions: NDArray[np.float64]
    amplitudes: NDArray[np.float64]
    fq: NDArray[np.float64]

    @property
    def composition(self) -> dict[str, float]:
        return dict(zip(self.structure.species, self.fractions.tolist(), strict=True))

    @property
    def uiso(self) -> NDArray[np.float64]:
        kind = self.structure.species_index
        return np.array([self.structure.uiso[kind == k].mean() for k in range(kind.max() + 1)])

    def up_to(self, qmax: float) -> "Particle":
        """Return what is left when the detector ends at ``qmax``."""
        kept = self.q <= qmax + 1e-9
        return replace(self, q=self.q[kept], amplitudes=self.amplitudes[:, kept], fq=self.fq[kept])

    def sigma(self, photons: float) -> NDArray[np.float64]:
        """Poisson σ of F when as many photons again come from a flat surrounding."""
        mean = self.fractions @ self.amplitudes
        intensity = self.fq * mean**2 / self.q + self.fractions @ self.amplitudes**2
        counted = intensity + np.mean(self.fractions @ self.amplitudes**2)
        per_bin = photons * self.q * counted / np.sum(self.q * counted)
        return self.q / mean**2 * counted / np.sqrt(per_bin)

    def corrected(self, fq: NDArray[np.float64], *, rpoly: float) -> NDArray[np.float64]:
        """Take the correction polynomial out, as the reduction does."""
        degree = effective_degree(q=self.q, rpoly=rpoly)
        return polynomial_fit(q=self.q, degree=degree).remove(fq)


def particle(
    name: str, *, diameter: float, qmax: float = 20.0, centres: int = 6, step: float = 0.01
) -> Particle:
    structure = read_structure(name)
    q = np.arange(0.8, qmax + step / 2, step)
    sums = sphere_sums(
        structure,
        diameter=diameter,
        q_max=qmax + 0.2,
        centres=np.random.default_rng(1).random((centres, 3)),
    )
    return of_sums(structure, sums, q=q)


def of_sums(structure: Structure, sums: PairSums, *, q: NDArray[np.float64]) -> Particle:
    """Return what a perfect reduction would give for particles whose sums are known."""
    f = np.array([form_factor(q=q, element=e) for e in structure.species])
    c = np.bincount(structure.species_index) / len(structure.elements)
    intensity = CubicSpline(sums.q, debye_intensity(structure, sums))(q)
    fq = q * (intensity - c @ f**2) / (c @ f) ** 2
    return Particle(structure=structure, q=q, fractions=c, amplitudes=f, fq=fq)
