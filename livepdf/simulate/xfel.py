"""One simulated XFEL run: what each shot leaves on the detector, and what the beamline tells."""

import uuid
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from livepdf.files.structures import read_structure
from livepdf.model.structure import Structure
from livepdf.simulate.poisson import poisson_image
from livepdf.simulate.shots import (
    Beam,
    Damage,
    Experiment,
    Response,
    ShotTruth,
    breakdown_truths,
    pump_probe_truths,
    serial_truths,
)
from livepdf.simulate.sizes import SizeTable, size_table, sphere_intensity
from livepdf.simulate.stream2 import Series, end_message, image_message, start_message
from livepdf.simulate.surroundings import glass_intensity
from livepdf.simulate.tiled import Electronics, Sensor, Size

_STRUCTURE = "hfo2-monoclinic"
_STEP = 0.01
"""Å⁻¹, of calculated powder patterns."""
_SMALL_ANGLE_STEP = 2e-4
_BEAMSTOP = 0.8
"""Å⁻¹"""
METER = 1000.0
"""What the meter reads for a mean pulse."""


@dataclass(frozen=True, kw_only=True, eq=False)
class XfelRun:
    """Shots that can be drawn in any order, any number of times."""

    experiment: Experiment
    electronics: Electronics
    truths: tuple[ShotTruth, ...]
    photons: float
    """Of a mean pulse on the whole detector; of a hit by a 300 Å sphere in a serial run."""
    rate: float = 30.0
    """Hz"""
    seed: int = 0
    background: float = 0.002
    """Photons per pixel and pulse beside the particle, in a serial run."""
    structure: Structure = field(default_factory=lambda: read_structure(_STRUCTURE))

    @property
    def sensor(self) -> Sensor:
        """The detector."""
        return self.electronics.sensor

    @cached_property
    def q(self) -> NDArray[np.float64]:
        """(n_q,) Å⁻¹, evenly spaced from 0, of the patterns."""
        step = _SMALL_ANGLE_STEP if self.experiment == "serial" else _STEP
        return np.arange(0.0, float(self.sensor.q.max()) * 1.03 + 3 * step, step)

    def pattern(self, truth: ShotTruth) -> NDArray[np.float64]:
        """Return the scattering at the sample's own Q, (n_q,), for a mean pulse.

        In electron units per atom; in a serial run in photons per pixel in the beam.
        """
        if self.experiment == "serial":
            return self._sphere(truth.diameter, truth.amount)
        crystal = sphere_intensity(
            self._table,
            q=self.q,
            diameter=truth.diameter,
            stretch=1 + truth.strain,
            extra_uiso=truth.uiso,
        )
        melt = truth.order * crystal + (1 - truth.order) * self._liquid
        # A beamstop dims what the shape of the particles scatters before the first ring.
        melt[self.q < _BEAMSTOP] = melt[np.searchsorted(self.q, _BEAMSTOP)]
        return np.asarray(truth.amount * np.clip(melt, 0.0, None))

    def expected(self, truth: ShotTruth) -> NDArray[np.float64]:
        """Return the mean photons of each pixel, (ny, nx)."""
        pattern = self._at_angle(truth)
        return np.asarray(np.interp(self.sensor.q, self.q, pattern) * self._scale)

    def photons_of(self, index: int) -> NDArray[np.uint32]:
        """Draw the photons of a shot, (ny, nx)."""
        truth = self.truths[index]
        return poisson_image(
            place=self._place,
            weight=self._scale,
            pattern=self._at_angle(truth),
            seed=self.seed,
            frame=index,
            gap=0,
        )

    def image(self, index: int) -> NDArray[np.uint16]:
        """Draw what is read of a shot, (ny, nx), detector units."""
        energy = self.truths[index].energy * self.sensor.energy
        seed = (self.seed, 7, index)
        return self.electronics.read(self.photons_of(index), energy=energy, seed=seed)

    def dark(self, index: int) -> NDArray[np.uint16]:
        """Draw a reading without any light, (ny, nx)."""
        nothing = np.zeros(self.sensor.shape, dtype=np.uint32)
        return self.electronics.read(nothing, energy=self.sensor.energy, seed=(self.seed, 8, index))

    def record(self, index: int) -> dict[str, float]:
        """Return what the beamline says of a shot, by the names of its slow values."""
        truth = self.truths[index]
        return {
            "monitor": METER * truth.meter,
            "laser": float(truth.kind == "on"),
            "energy": self.sensor.energy * truth.energy,
            "stage": truth.stage,
            "arrival": truth.arrival,
            "edge": truth.edge,
            "fluence": truth.fluence,
        }

    def messages(self, armed: datetime) -> tuple[bytes, Iterator[bytes], bytes]:
        """Return start, images (each drawn when it is asked for) and end, as Stream V2."""
        series = self._series(armed)
        more = {"saturation_value": self.electronics.full}
        images = (
            image_message(series, index=n, image=self.image(n), user_data=self.record(n))
            for n in range(len(self.truths))
        )
        return start_message(series, more=more), images, end_message(series)

    def _series(self, armed: datetime) -> Series:
        return Series(
            series_id=1,
            unique_id=uuid.uuid4().hex,
            images=len(self.truths),
            shape=self.sensor.shape,
            energy=self.sensor.energy,
            distance_m=self.sensor.distance_m,
            pixel_m=self.sensor.pixel_m,
            beam=(0.0, 0.0),
            frame_time=1.0 / self.rate,
            blind=self.electronics.bad,
            armed=armed,
            description="octal sensor (simulated)",
            dtype="uint16",
        )

    def _at_angle(self, truth: ShotTruth) -> NDArray[np.float64]:
        """Return the pattern of a pulse at the Q that a pixel has at the nominal energy."""
        moved = np.interp(self.q * truth.energy, self.q, self.pattern(truth))
        return np.asarray(truth.beam * moved)

    @cached_property
    def _table(self) -> SizeTable:
        sizes = [truth.diameter for truth in self.truths]
        return size_table(
            self.structure,
            smallest=0.97 * min(sizes),
            largest=1.03 * max(sizes),
            q_max=float(self.q[-1]) * 1.02,
            ratio=1.12,
            atoms=4000.0,
            seed=3,
        )

    @cached_property
    def _liquid(self) -> NDArray[np.float64]:
        return glass_intensity(
            self.structure,
            self.q,
            correlation=3.0,
            disorder=0.05,
            dense=False,
            energy=self.sensor.energy,
        )

    def _sphere(self, diameter: float, amount: float) -> NDArray[np.float64]:
        flat = np.full(self.q.shape, self.background)
        if diameter <= 0.0:
            return flat
        x = np.maximum(self.q * diameter / 2, 1e-4)
        form = (3 * (np.sin(x) - x * np.cos(x)) / x**3) ** 2
        return np.asarray(flat + amount * self._brightness * (diameter / 300.0) ** 6 * form)

    @cached_property
    def _brightness(self) -> float:
        """Photons per pixel in the beam, at Q = 0, of a 300 Å sphere."""
        x = np.maximum(self.sensor.q * 150.0, 1e-4)
        form = (3 * (np.sin(x) - x * np.cos(x)) / x**3) ** 2
        return float(self.photons / (form * self.sensor.weight).sum())

    @cached_property
    def _place(self) -> NDArray[np.float32]:
        return np.asarray(self.sensor.q / self.q[1], dtype=np.float32)

    @cached_property
    def _scale(self) -> NDArray[np.float32]:
        if self.experiment == "serial":
            return np.asarray(self.sensor.weight, dtype=np.float32)
        first = self.pattern(self.truths[0])
        seen = np.interp(self.sensor.q, self.q, first) * self.sensor.weight
        return np.asarray(self.photons / seen.sum() * self.sensor.weight, dtype=np.float32)


def xfel_run(
    experiment: Experiment,
    *,
    shots: int = 600,
    size: Size = "demo",
    photons: float | None = None,
    seed: int = 0,
    rate: float = 30.0,
    beam: Beam | None = None,
    response: Response | None = None,
    damage: Damage | None = None,
    hit_rate: float = 0.05,
) -> XfelRun:
    """Return a ready run: HfO2 crystals of 40 Å in the wide-angle ones, spheres in the serial one.

    Raises
    ------
    ValueError
        For fewer than one shot, or a rate that is not positive.
    """
    if shots < 1 or not rate > 0:
        raise ValueError(f"{shots} shots at {rate} Hz: wanted positive numbers")
    beam = Beam() if beam is None else beam
    if experiment == "serial":
        sensor = Sensor(size=size, distance_m=0.9, energy=6.0)
        truths = serial_truths(shots=shots, seed=seed, beam=beam, hit_rate=hit_rate)
        photons = 3000.0 if photons is None else photons
    else:
        sensor = Sensor(size=size)
        photons = 2e6 if photons is None else photons
        if experiment == "breakdown":
            damage = Damage() if damage is None else damage
            truths = breakdown_truths(shots=shots, seed=seed, beam=beam, damage=damage)
        else:
            response = Response() if response is None else response
            truths = pump_probe_truths(shots=shots, seed=seed, beam=beam, response=response)
    return XfelRun(
        experiment=experiment,
        electronics=Electronics(sensor=sensor),
        truths=truths,
        photons=photons,
        rate=rate,
        seed=seed,
    )
