"""The simulated sample: crystals growing in water inside a fused-silica capillary."""

from collections import Counter
from dataclasses import dataclass, field
from functools import cached_property

import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import gaussian_filter1d

from livepdf.files.structures import read_structure
from livepdf.model.structure import Structure
from livepdf.numerics.compton import mean_compton
from livepdf.numerics.pairs import crystal_pairs
from livepdf.simulate.growth import Growth, Truth, growth_truths
from livepdf.simulate.particles import Shape
from livepdf.simulate.sizes import SizeTable, lognormal_intensity, size_table
from livepdf.simulate.surroundings import glass_intensity, water_density, water_intensity

_PER_MOLE = 6.02214076e-4
"""Formula units per Å³ in a solution of 1 mol/l."""
_TEMPERATURES = np.linspace(273.0, 623.0, 8)
"""K, where the blank is calculated; linear in between."""
_Q_STEP = 0.01
"""Å⁻¹, of the calculated patterns."""


@dataclass(frozen=True, kw_only=True, eq=False)
class Sample:
    """What is in the beam, and how sharply the instrument sees it."""

    structure_name: str
    """The crystal that grows."""
    molarity: float
    """mol/l of formula units, all of it precursor at first."""
    growth: Growth = field(default_factory=Growth)
    energy: float = 80.0
    """keV"""
    q_max: float = 30.0
    """Å⁻¹, end of the calculated patterns."""
    bore: float = 0.7
    """mm of solution in the beam."""
    wall: float = 0.2
    """mm of fused silica in the beam, both walls together."""
    qdamp: float = 0.025
    """Å⁻¹, standard deviation of the instrument's resolution in Q, the pixel included."""
    first_shell: float = 2.6
    """Å, where the first shell around the metal ends."""
    seed: int = 0
    """Of the random centres of the particles."""
    atoms: float = 8_000.0
    """How many atoms particles of one size are averaged over: few particles scatter by some parts
    in a thousand about the mean of many, the same in every frame."""
    dispersion: bool = False
    """Whether atoms of the sample scatter with f′ and f″; then the reduction must as well."""
    shape: Shape | None = None
    """Of the particles; spheres without. Only its proportions count."""
    spread: float = 0.0
    """Standard deviation of ln D by number; the truth's domain size is D43."""
    precursor_change: float = 0.0
    """Share of the precursor that has condensed into larger clusters at the hot end, 0 to 1."""
    polymorph: str = ""
    """Another structure that a share of what crystallises takes, at the same size."""
    polymorph_share: float = 0.0
    fluorescence: float = 0.0
    """Electron units per atom of the solute, the same at all angles."""

    @cached_property
    def structure(self) -> Structure:
        """The crystal at room temperature."""
        return read_structure(self.structure_name)

    @cached_property
    def q(self) -> NDArray[np.float64]:
        """(n_q,) Å⁻¹, of every pattern of this sample."""
        return np.arange(0.0, self.q_max + _Q_STEP / 2, _Q_STEP)

    @cached_property
    def table(self) -> SizeTable:
        """Spheres of all diameters that the growth passes."""
        return self._table(self.structure)

    @cached_property
    def polymorph_table(self) -> SizeTable:
        """The same for the other structure."""
        return self._table(read_structure(self.polymorph))

    def _table(self, structure: Structure) -> SizeTable:
        # A lognormal of width s reaches 4.5 s to both sides in the sum over sizes.
        reach = np.exp(4.6 * self.spread)
        return size_table(
            structure,
            smallest=0.97 * self.growth.first_diameter / reach,
            largest=1.03 * self.growth.last_diameter * reach,
            q_max=self.q_max,
            seed=self.seed,
            atoms=self.atoms,
            shape=self.shape,
        )

    @cached_property
    def nearest_neighbour(self) -> float:
        """Å, mean length of the first shell around the first species, at room temperature."""
        s = self.structure
        pairs = crystal_pairs(
            cell=s.cell, positions=s.positions, species=s.species_index, r_max=self.first_shell
        )
        metal = pairs.species_a == 0
        return float(np.average(pairs.r[metal], weights=pairs.count[metal]))

    @cached_property
    def silica(self) -> NDArray[np.float64]:
        """(n_q,) electron units per Å³ of fused silica."""
        glass = read_structure("sio2-cristobalite")
        atoms = 0.0662  # per Å³, 2.20 g/cm³
        pattern = glass_intensity(
            glass, self.q, correlation=6.5, disorder=0.05, dense=True, energy=self.energy
        )
        return atoms * pattern

    @cached_property
    def precursor(self) -> NDArray[np.float64]:
        """(n_q,) electron units per atom of the dissolved precursor, Compton included."""
        return self._dissolved(correlation=3.0, disorder=0.035)

    @cached_property
    def condensed(self) -> NDArray[np.float64]:
        """(n_q,) the same of the larger clusters that a precursor can turn into."""
        return self._dissolved(correlation=4.5, disorder=0.05)

    def _dissolved(self, *, correlation: float, disorder: float) -> NDArray[np.float64]:
        return glass_intensity(
            self.structure,
            self.q,
            correlation=correlation,
            disorder=disorder,
            dense=False,
            energy=self.energy,
            dispersion=self.dispersion,
        )

    @cached_property
    def crystal_compton(self) -> NDArray[np.float64]:
        """(n_q,) electron units per atom."""
        atoms = Counter(self.structure.elements)
        return mean_compton(q=self.q, composition=atoms, energy=self.energy)

    def truths(self, *, frames: int, rate: float) -> tuple[Truth, ...]:
        """Say what is true in every frame of a run at ``rate`` Hz."""
        return growth_truths(
            self.growth,
            frames=frames,
            rate=rate,
            nearest_neighbour=self.nearest_neighbour,
            lattice=(*self.structure.lengths, *self.structure.angles),
        )

    def intensity(self, truth: Truth) -> NDArray[np.float64]:
        """Return what the beam meets in that frame, (n_q,) electron units per Å³ times mm."""
        solute = self.atoms_per_volume * self._solute(truth)
        return self._seen(self.bore * solute) + self.blank(truth.temperature)

    def blank(self, temperature: float) -> NDArray[np.float64]:
        """Return water and capillary alone at a temperature in K, in the units of `intensity`."""
        low, high = _TEMPERATURES[0], _TEMPERATURES[-1]
        if not low <= temperature <= high:
            raise ValueError(f"water is known from {low} to {high} K, not at {temperature} K")
        upper = int(np.clip(np.searchsorted(_TEMPERATURES, temperature), 1, len(self._blanks) - 1))
        share = (temperature - _TEMPERATURES[upper - 1]) / (
            _TEMPERATURES[upper] - _TEMPERATURES[upper - 1]
        )
        return np.asarray((1 - share) * self._blanks[upper - 1] + share * self._blanks[upper])

    @cached_property
    def _blanks(self) -> NDArray[np.float64]:
        def at(temperature: float) -> NDArray[np.float64]:
            water = water_intensity(self.q, temperature=temperature, energy=self.energy)
            pure = self.bore * water_density(temperature) * water + self.wall * self.silica
            return self._seen(pure)

        return np.array([at(float(temperature)) for temperature in _TEMPERATURES])

    @property
    def atoms_per_volume(self) -> float:
        """Atoms of the solute per Å³ of solution."""
        s = self.structure
        metals = int((s.species_index == 0).sum())
        return self.molarity * _PER_MOLE * len(s.elements) / metals

    def _solute(self, truth: Truth) -> NDArray[np.float64]:
        changed = self.precursor_change * self._heated(truth.temperature)
        precursor = self.precursor
        if changed > 0.0:
            precursor = (1.0 - changed) * precursor + changed * self.condensed
        left = (1.0 - truth.conversion) * precursor + self.fluorescence
        if not truth.domain_size > 0.0:
            return np.asarray(left)
        elastic = (1.0 - self.polymorph_share) * self._crystal(self.table, truth)
        if self.polymorph_share > 0.0:
            elastic = elastic + self.polymorph_share * self._crystal(self.polymorph_table, truth)
        return np.asarray(left + truth.conversion * (elastic + self.crystal_compton))

    def _heated(self, temperature: float) -> float:
        cold, hot = self.growth.cold_temperature, self.growth.hot_temperature
        return (temperature - cold) / (hot - cold)

    def _crystal(self, table: SizeTable, truth: Truth) -> NDArray[np.float64]:
        return lognormal_intensity(
            table,
            q=self.q,
            diameter=truth.domain_size,
            spread=self.spread,
            stretch=1.0 + truth.strain,
            extra_uiso=truth.uiso_gain,
            energy=self.energy if self.dispersion else None,
        )

    def _seen(self, pattern: NDArray[np.float64]) -> NDArray[np.float64]:
        return np.asarray(gaussian_filter1d(pattern, self.qdamp / _Q_STEP, mode="nearest"))


def demo_sample(name: str, *, seed: int = 0) -> Sample:
    """Return a ready sample: ``hfo2`` (monoclinic, 1 mol/l) or ``tio2`` (anatase, 2 mol/l)."""
    if name == "hfo2":
        return Sample(structure_name="hfo2-monoclinic", molarity=1.0, seed=seed)
    if name == "tio2":
        return Sample(structure_name="tio2-anatase", molarity=2.0, seed=seed)
    raise ValueError(f"no sample named {name!r}, wanted hfo2 or tio2")
