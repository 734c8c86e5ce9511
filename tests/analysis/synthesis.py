"""A synthesis from detector images to F(Q): drawn, integrated, reduced with its own references."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np

from livepdf.analysis.estimator.build import Estimator, build_estimator
from livepdf.analysis.estimator.candidate import Candidate
from livepdf.analysis.estimator.estimate import Estimate
from livepdf.analysis.onset import Onset, OnsetSearch, Sighting
from livepdf.analysis.references.columns import Recorded, References, build_references, merged
from livepdf.analysis.references.solute import solute_scale
from livepdf.model.sums import intensity
from livepdf.numerics.composition import parse_composition
from livepdf.numerics.compton import mean_compton
from livepdf.numerics.form_factors import mean_form_factors
from livepdf.reduction.curves import reduce_intensity
from livepdf.reduction.integrator import Integrator, build_integrator
from livepdf.reduction.plan import Plan, build_plan
from livepdf.simulate.detector import Camera, Detector, camera_for
from livepdf.simulate.growth import Growth, Truth
from livepdf.simulate.sample import Sample

SHORTEST = {"SnO2": 1.6, "HfO2": 1.6, "TiO2": 1.5, "Pt": 2.2}
"""Å, just below the first bond."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Bench:
    """An instrument, by how far it sees."""

    energy: float
    """keV"""
    qmax: float
    qmin: float = 1.0
    points: int = 1200


BENCHES = {20: Bench(energy=60.0, qmax=20.0), 8: Bench(energy=24.0, qmax=8.0, points=600)}


@dataclass(frozen=True, kw_only=True, eq=False)
class Synthesis:
    """One run of a sample, its frames and its blanks."""

    sample: Sample
    composition: str
    bench: Bench
    photons: float
    frames: int
    seed: int
    cold: int = 20
    """Frames before the heater goes on."""
    seconds: float = 4.0
    """Of a frame."""
    blank_temperatures: int = 8
    blank_frames: int = 8
    """At each temperature."""

    @cached_property
    def detector(self) -> Detector:
        return Detector(
            name="PilatusCdTe1M",
            shape=(1043, 981),
            distance_m=0.10,
            energy=self.bench.energy,
            polarization=0.95,
            beamstop=0.6 * self.bench.qmin,
        )

    @cached_property
    def integrator(self) -> Integrator:
        return build_integrator(
            self.detector.geometry,
            npt=self.bench.points,
            polarization=0.95,
            mask=self.detector.mask,
            radial_range=(0.95 * self.bench.qmin, 1.01 * self.bench.qmax),
        )

    @property
    def resolution(self) -> float:
        """What a standard would show, 1/Å: the bins of I(Q) and the steps of the pattern blur too.

        A bin of width w has the variance w²/12, linear interpolation over steps h on average h²/6.
        """
        width, step = self.q[1] - self.q[0], self.sample.q[1] - self.sample.q[0]
        return float(np.sqrt(self.sample.qdamp**2 + width**2 / 12 + step**2 / 6))

    @cached_property
    def truths(self) -> tuple[Truth, ...]:
        return self.sample.truths(frames=self.frames, rate=1 / self.seconds)

    @cached_property
    def camera(self) -> Camera:
        # Photons count where F(Q) is fitted: what falls into the corners does not help.
        q = self.sample.q
        inside = (q >= self.bench.qmin) & (q <= self.bench.qmax)
        pattern = np.where(inside, self.sample.intensity(self.truths[0]), 0.0)
        return camera_for(self.detector, q=q, pattern=pattern, photons=self.photons)

    @property
    def q(self) -> np.ndarray:
        return self.integrator.q

    def recorded(
        self, pattern: np.ndarray, *, number: int, temperature: float, frames: int = 1
    ) -> Recorded:
        """Draw and integrate the sum of some frames of one pattern."""
        # The sum of Poisson numbers is one of the sum of their means.
        image = self.camera.image(frames * pattern, seed=self.seed, frame=number)
        value, sigma = intensity(self.integrator.integrate(image))
        return Recorded(
            intensity=value / frames, sigma=sigma / frames, frames=frames, temperature=temperature
        )

    @cached_property
    def patterns(self) -> tuple[Recorded, ...]:
        """Every frame of the run."""
        return tuple(
            self.recorded(
                self.sample.intensity(truth), number=truth.frame, temperature=truth.temperature
            )
            for truth in self.truths
        )

    @cached_property
    def blanks(self) -> tuple[Recorded, ...]:
        """Water and capillary along the ramp."""
        growth = self.sample.growth
        span = np.linspace(growth.cold_temperature, growth.hot_temperature, self.blank_temperatures)
        return tuple(
            self.recorded(
                self.sample.blank(float(temperature)),
                number=10_000 + k,
                temperature=float(temperature),
                frames=self.blank_frames,
            )
            for k, temperature in enumerate(span)
        )

    @cached_property
    def atoms(self) -> dict[str, float]:
        return parse_composition(self.composition)

    @cached_property
    def free_atoms(self) -> np.ndarray:
        energy = self.bench.energy
        squares = mean_form_factors(q=self.q, composition=self.atoms, energy=energy)[1]
        return squares + mean_compton(q=self.q, composition=self.atoms, energy=energy)

    @cached_property
    def mean_f2(self) -> np.ndarray:
        mean = mean_form_factors(q=self.q, composition=self.atoms, energy=self.bench.energy)[0]
        return np.asarray(mean**2)

    @cached_property
    def precursor(self) -> Recorded:
        return merged(self.patterns[: self.cold])

    def references(
        self,
        *,
        precursors: Sequence[Recorded] | None = None,
        blanks: Sequence[Recorded] | None = None,
        reach: float | None = 36.0,
    ) -> References:
        """Make the references as the product does, or of others; None leaves their noise in."""
        longest = 0.4 * np.pi / (self.q[1] - self.q[0])
        return build_references(
            q=self.q,
            precursors=(self.precursor,) if precursors is None else precursors,
            blanks=self.blanks if blanks is None else blanks,
            free_atoms=self.free_atoms,
            precursor_reach=longest if reach is None else reach,
            solvent_reach=longest if reach is None else 24.0,
        )

    @cached_property
    def found_scale(self) -> tuple[float, float]:
        """Electron units per atom of the solute for one unit of intensity, as it is found."""
        columns = self.references().columns
        return solute_scale(
            q=self.q,
            intensity=self.precursor.intensity,
            sigma=self.precursor.sigma,
            solvent=[c.intensity for c in columns if c.name.startswith("solvent")],
            free_atoms=self.free_atoms,
            mean_f2=self.mean_f2,
            shortest=SHORTEST[self.composition],
            reach=24.0,
        )

    @property
    def scale(self) -> float:
        """The same, as it is: known where flux, bore and molarity are."""
        return 1.0 / (self.camera.flux * self.sample.bore * self.sample.atoms_per_volume)

    @cached_property
    def plan(self) -> Plan:
        return build_plan(
            q=self.q,
            composition=self.composition,
            qmin=self.bench.qmin,
            qmax=self.bench.qmax,
            qmaxinst=self.bench.qmax,
            rpoly=0.0,
            rmin=0.02,
            rmax=30.0,
            rstep=0.02,
            scale="fixed",
            scale_value=self.scale,
            energy=self.bench.energy,
            dispersion=True,
        )

    @cached_property
    def gain(self) -> np.ndarray:
        """(n_fit,) what turns intensity into F."""
        return self.scale * self.plan.fit_q * self.plan.mean_f2_inverse

    def nuisances(self, references: References) -> np.ndarray:
        """(k, n_fit) of the references, on the scale of F."""
        window = self.plan.fit
        full = np.zeros(self.q.shape)
        full[window] = self.gain
        return references.nuisances(gain=full)[:, window]

    def noises(self, references: References) -> list[np.ndarray]:
        """What noise each of them holds, on the scale of F."""
        window = self.plan.fit
        return [c.noise[:, window] * self.gain for c in references.columns]

    def fq(self, recorded: Recorded) -> tuple[np.ndarray, np.ndarray]:
        """Return F and its σ, (n_fit,) each: what is not the sample is still in it."""
        curves = reduce_intensity(self.plan, intensity=recorded.intensity, sigma=recorded.sigma)
        found = next(curve for curve in curves if curve.kind == "fq")
        return found.y, found.sigma

    def estimator(self, references: References | None = None, **more: Any) -> Estimator:
        """Make the estimator ready for the sample's own structure, or as told."""
        known = self.references() if references is None else references
        told: dict[str, Any] = {
            "candidates": [Candidate(structure=self.sample.structure)],
            "composition": self.atoms,
            "energy_kev": self.bench.energy,
            "qdamp": self.resolution,
            "nuisances": self.nuisances(known),
            "nuisance_names": known.names,
            "nuisance_noise": self.noises(known),
            "diameter_limits": (10.0, 80.0),
        }
        return build_estimator(q=self.plan.fit_q, **{**told, **more})

    def estimates(self, estimator: Estimator, *, first: int = 0) -> tuple[Estimate, ...]:
        """Evaluate every frame from the first on, each from where the one before ended."""
        found: list[Estimate] = []
        for recorded in self.patterns[first:]:
            fq, sigma = self.fq(recorded)
            start = found[-1].warm if found else None
            found.append(estimator.evaluate(fq=fq, sigma=sigma, start=start))
        return tuple(found)


def series(estimates: Sequence[Estimate], name: str) -> tuple[np.ndarray, np.ndarray]:
    """Return value and σ of a trend over the frames, NaN where it is withheld."""
    rows = [next(t for t in e.trends if t.name == name) for e in estimates]
    return np.array([t.value for t in rows]), np.array([t.sigma for t in rows])


_SOLUTES = {
    "SnO2": ("sno2-rutile", 1.0, 2.6),
    "HfO2": ("hfo2-monoclinic", 1.0, 2.6),
    "TiO2": ("tio2-anatase", 1.0, 2.6),
    "Pt": ("pt", 0.1, 2.9),
}
"""Structure, mol/l and where the first shell ends, Å."""


def synthesis(
    composition: str,
    *,
    qmax: int = 20,
    photons: float = 1e7,
    seed: int,
    frames: int = 60,
    cold: int = 20,
    blank_frames: int = 8,
    growth: Growth | None = None,
    **more: Any,
) -> Synthesis:
    """Return a synthesis by the formula of what grows.

    Parameters
    ----------
    growth : Growth, optional
        From 20 to 45 Å by default, hot a twelfth of the run after the cold frames.
    more : of the `Sample`
    """
    structure, molarity, shell = _SOLUTES[composition]
    bench = BENCHES[qmax]
    told: dict[str, Any] = {
        "structure_name": structure,
        "molarity": molarity,
        "energy": bench.energy,
        "q_max": 1.45 * bench.qmax + 1.0,
        "dispersion": True,
        "first_shell": shell,
        "wall": 0.15,
        "seed": seed + 100,
        "growth": heated(frames=frames, cold=cold) if growth is None else growth,
    }
    return Synthesis(
        sample=Sample(**{**told, **more}),
        composition=composition,
        bench=bench,
        photons=photons,
        frames=frames,
        seed=seed,
        cold=cold,
        blank_frames=blank_frames,
    )


def heated(*, frames: int, cold: int, **more: Any) -> Growth:
    """Return a growth whose heater goes on after the cold frames."""
    told: dict[str, Any] = {
        "heater_on": cold / frames,
        "heating_time": 0.08,
        "first_diameter": 20.0,
        "last_diameter": 45.0,
    }
    return Growth(**{**told, **more})


def found_onset(run: Synthesis, z: Sequence[float]) -> Onset | None:
    """Return what the search for an onset makes of the amplitudes of the frames of a run."""
    search = OnsetSearch()
    for truth, value in zip(run.truths, z, strict=True):
        if truth.frame == run.cold:
            search.heat()
        search.add(
            Sighting(
                number=truth.frame, time=truth.time, z=value, photons=1.01 * max(run.photons, 1e7)
            )
        )
    return search.onset


def amplitudes(run: Synthesis, references: References) -> np.ndarray:
    """Return the amplitude of the fixed template over its σ in every frame."""
    estimator = run.estimator(references, diameter_limits=(10.0, 40.0))
    found = []
    for recorded in run.patterns:
        fq, sigma = run.fq(recorded)
        found.append(estimator.amplitude(fq=fq, sigma=sigma, diameter=20.0).z)
    return np.array(found)
