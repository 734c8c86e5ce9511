# ruff: noqa: ARG001, ARG002
"""The estimator: all that does not change from window to window, made ready once."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from livepdf.analysis.estimator.candidate import Candidate, Priors
from livepdf.analysis.estimator.estimate import Amplitude, Estimate, Warm
from livepdf.analysis.least_squares import slow_terms, without
from livepdf.model.curve import Trend
from livepdf.numerics.bulk import (
    grid_distances,
    neighbour_grid,
    pair_weights,
    sine_sums,
    uniform_neighbours,
)
from livepdf.numerics.form_factors import dispersion, form_factor, mean_form_factors
from livepdf.numerics.pairs import crystal_pairs

Floats = NDArray[np.float64]
_SMALL_ANGLES = 1.2
_RATIO = 1.15


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Estimator:
    """See `build_estimator`. Holds no state: the same window gives the same estimate."""

    q: Floats
    nuisances: Floats
    """(n_q, k) slow terms, then the columns that were given."""
    diameters: Floats
    """(n_d,) Å, of the templates."""
    templates: Floats
    """(n_d, n_q) F(Q) of the first candidate."""
    template_diameter: float
    """Å, of the amplitude that every estimate holds."""

    def amplitude(self, *, fq: Floats, sigma: Floats, diameter: float) -> Amplitude:
        """Return how much of a template of this diameter is there (at most a millisecond).

        Parameters
        ----------
        fq, sigma : (n_q,) float64, Å⁻¹
            At ``q``; points without a value or an uncertainty are left out.
        diameter : float, Å
            Within ``diameters``.
        """
        used = (self.q >= _SMALL_ANGLES) & np.isfinite(fq) & np.isfinite(sigma) & (sigma > 0)
        weight = 1.0 / sigma[used]
        basis = np.linalg.qr(self.nuisances[used] * weight[:, None])[0]
        place = np.interp(diameter, self.diameters, np.arange(len(self.diameters)))
        low = min(int(place), len(self.diameters) - 2)
        share = place - low
        template = (1 - share) * self.templates[low] + share * self.templates[low + 1]
        seen = without(template[used] * weight, basis)
        square = float(seen @ seen)
        scale = float(seen @ (fq[used] * weight)) / square
        return Amplitude(scale=scale, sigma=square**-0.5, z=scale * square**0.5)

    def evaluate(
        self,
        *,
        fq: Floats,
        sigma: Floats,
        covariance: Floats | None = None,
        start: Warm | None = None,
    ) -> Estimate:
        """Estimate every value from one window.

        Parameters
        ----------
        fq, sigma : (n_q,) float64, Å⁻¹
            F(Q) of a window, without taper, and its σ; NaN where there is none.
        covariance : (n_q, n_q) float64, optional, Å⁻²
            Of F(Q), where its points are correlated (split pixels).
        start : Warm, optional
            Of the window before; the best of a fixed set of sizes is tried beside it.
        """
        scans = [self.amplitude(fq=fq, sigma=sigma, diameter=d) for d in self.diameters]
        best = int(np.argmax([scan.z for scan in scans]))
        found = scans[best]
        fixed = self.amplitude(fq=fq, sigma=sigma, diameter=self.template_diameter)
        crystal = found.scale * self.templates[best]
        return Estimate(
            trends=(
                Trend(name="crystalline scale", unit="", value=found.scale, sigma=found.sigma),
            ),
            chi2=float("nan"),
            model_fq=crystal,
            crystal_fq=crystal,
            parameters=("scale",),
            values=np.array([found.scale]),
            covariance=np.array([[found.sigma**2]]),
            amplitude_z=fixed.z,
            structure="",
            warm=start,
        )


def build_estimator(
    *,
    q: Floats,
    candidates: Sequence[Candidate],
    composition: Mapping[str, float],
    energy_kev: float | None = None,
    qdamp: float | None = None,
    qdamp_sigma: float = 0.0,
    qbroad: float = 0.0,
    nuisances: Floats | None = None,
    nuisance_names: Sequence[str] = (),
    slow_degree: int | None = None,
    priors: Priors | None = None,
    diameter_limits: tuple[float, float] = (10.0, 100.0),
    template_diameter: float = 20.0,
) -> Estimator:
    """Make the estimator ready (a second or so).

    Parameters
    ----------
    q : (n_q,) float64, Å⁻¹
        Equidistant and rising, where F(Q) is given.
    candidates
        Crystals that may be there, the likeliest first. The best by χ² is shown; a second one is
        added where the data ask for it.
    composition : atoms per formula unit by element
        As the reduction was told: F(Q) was divided by its ⟨f⟩².
    energy_kev : float or None, keV
        Of the beam: adds f′ and f″. None where the reduction left them out.
    qdamp, qbroad : float, Å⁻¹
        Resolution of the instrument, as PDFgui defines it; without qdamp no size is shown.
    qdamp_sigma : float, Å⁻¹
    nuisances : (n_columns, n_q) float64, optional, Å⁻¹
        References (blanks, precursor) on the scale of F(Q): their amounts are fitted along and
        leave no trace in the values. Free of noise, please: noise in a column is common to all
        windows.
    nuisance_names
        As many.
    slow_degree : int or None
        Degree of the correction polynomial of the reduction; None for half of Qmax/π. Whatever
        Q·P(Q) of this degree can describe is left out of data and model alike.
    priors : Priors, optional
    diameter_limits : (float, float), Å
    template_diameter : float, Å
        Of the amplitude that finds the onset.

    Raises
    ------
    ValueError
        When the settings make no sense together; says which and why.
    """
    structure = candidates[0].structure
    kinds = structure.species_index
    fractions = np.bincount(kinds) / len(kinds)
    r_max = diameter_limits[1]
    shells = crystal_pairs(
        cell=structure.cell, positions=structure.positions, species=kinds, r_max=r_max
    )
    grid = neighbour_grid(shells, fractions=fractions, r_max=r_max)
    even = grid.neighbours - uniform_neighbours(
        fractions=fractions, density=len(kinds) / structure.volume
    )
    f = np.array(
        [
            form_factor(q=q, element=e)
            + (0.0 if energy_kev is None else dispersion(element=e, energy=energy_kev).real)
            for e in structure.species
        ]
    )
    mean = mean_form_factors(q=q, composition=composition, energy=energy_kev)[0]
    weights = pair_weights(grid, amplitudes=f, mean_amplitude=mean)
    uiso = [np.nan_to_num(structure.uiso[kinds == k], nan=0.005).mean() for k in set(kinds)]
    damping = np.array([np.exp(-0.5 * q**2 * (uiso[a] + uiso[b])) for a, b in grid.pairs])
    low, high = diameter_limits
    count = int(np.ceil(np.log(high / low) / np.log(_RATIO))) + 1
    diameters = np.geomspace(low, 0.98 * high, count)
    r = grid_distances()
    envelopes = np.array(
        [
            np.where(r < d, 1 - 1.5 * r / d + 0.5 * (r / d) ** 3, 0.0)
            * np.exp(-0.5 * ((qdamp or 0.0) * r) ** 2)
            for d in diameters
        ]
    )
    templates = []
    for envelope in envelopes:
        fine, sums = sine_sums(
            type(grid)(pairs=grid.pairs, neighbours=even, r_max=r_max),
            envelope=envelope,
            q_max=1.02 * q[-1],
        )
        per_pair = np.array([np.interp(q, fine, row) for row in sums])
        templates.append((weights * damping * per_pair).sum(axis=0))
    degree = int(np.ceil(0.5 * q[-1] / np.pi)) if slow_degree is None else slow_degree
    columns = [slow_terms(q, degree=degree)]
    if nuisances is not None:
        columns.append(nuisances.T)
    return Estimator(
        q=q,
        nuisances=np.hstack(columns),
        diameters=diameters,
        templates=np.array(templates),
        template_diameter=template_diameter,
    )
