"""What is true in each shot of a simulated XFEL run: its beam, its laser and its sample."""

import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Literal

import numpy as np

Experiment = Literal["pump-probe", "breakdown", "serial"]
Kind = Literal["on", "off"]
FS, PS = 1e-15, 1e-12
_LIGHT = 299_792_458.0
"""m/s"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Beam:
    """How shots differ from one another."""

    i0: float = 0.15
    """Relative rms of the pulse energy."""
    meter: float = 0.01
    """Relative error of its meter."""
    energy: float = 0.002
    """Relative rms of the photon energy (SASE)."""
    jitter: float = 300 * FS
    """s, rms between laser and X-rays."""
    tool: float = 30 / 2.3548 * FS
    """s, error of the arrival-time tool."""
    blind: float = 0.03
    """Share of the shots whose arrival the tool cannot tell."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ShotTruth:
    """All that is true of a shot."""

    index: int
    kind: Kind
    beam: float
    """Photons over their mean."""
    meter: float
    """What the meter says of them."""
    energy: float
    """Photon energy over the nominal one."""
    delay: float
    """s, true; NaN without the laser."""
    stage: float
    """mm, as the stage is read: time zero at 0."""
    arrival: float
    """fs by which the X-rays came late, as the tool reads it."""
    edge: float
    """Amplitude of the tool's edge; below 1 it says nothing."""
    fluence: float = 0.0
    """mJ/cm² of the laser."""
    amount: float = 1.0
    """How much sample is in the beam, over its mean."""
    order: float = 1.0
    """Share that is still crystalline."""
    strain: float = 0.0
    """Relative lattice expansion."""
    uiso: float = 0.0
    """Å², beyond that at rest."""
    diameter: float = 0.0
    """Å, of crystals, or of the particle that was hit; 0 where none was."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Response:
    """What the laser does to the lattice from time zero on."""

    heating: float = 0.004
    """Relative expansion in the end."""
    disorder: float = 0.010
    """Å², in the end."""
    rise: float = 2 * PS
    """s"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Damage:
    """How a sample breaks: nothing up to the onset, then along a decade."""

    onset: float = 3 * PS
    """s of delay, or mJ/cm² of fluence."""
    decades: float = 0.7
    """Over which it breaks."""
    left: float = 0.2
    """Order that is left."""
    expansion: float = 0.008
    final_size: float = 24.0
    """Å"""
    amount: float = 0.05
    """Relative rms from sample to sample."""
    strain: float = 4e-4
    """Rms from sample to sample."""


def pump_probe_truths(
    *, shots: int, seed: int, beam: Beam, response: Response, size: float = 40.0
) -> tuple[ShotTruth, ...]:
    """Return shots that alternate with and without the laser, while the stage scans −2 to 10 ps."""
    random = np.random.default_rng((seed, 11))
    nominal = np.resize(np.repeat(np.arange(-2.0, 10.5, 0.5), 2), shots) * PS
    found = []
    for index in range(shots):
        common, late = _beam(random, beam)
        on = index % 2 == 0
        delay = nominal[index] + late
        after = float(-np.expm1(-max(delay, 0.0) / response.rise)) if on else 0.0
        found.append(
            ShotTruth(
                index=index,
                kind="on" if on else "off",
                delay=float(delay) if on else float("nan"),
                stage=float(nominal[index] * _LIGHT / 2 * 1e3),
                strain=response.heating * after,
                uiso=response.disorder * after,
                fluence=10.0 if on else 0.0,
                diameter=size,
                **common,
            )
        )
    return tuple(found)


def breakdown_truths(
    *,
    shots: int,
    seed: int,
    beam: Beam,
    damage: Damage,
    along: Literal["delay", "fluence"] = "delay",
    size: float = 40.0,
) -> tuple[ShotTruth, ...]:
    """Return shots of a fresh sample each, every fourth of them without the laser."""
    random = np.random.default_rng((seed, 12))
    found = []
    for index in range(shots):
        common, late = _beam(random, beam)
        on = index % 4 != 3
        delay = 10 ** random.uniform(-13, -8.5) if along == "delay" else 1e-9
        fluence = 20.0 if along == "delay" else 10 ** random.uniform(-1, 2)
        where = delay + late if along == "delay" else fluence
        gone = _broken(where, damage) if on else 0.0
        found.append(
            ShotTruth(
                index=index,
                kind="on" if on else "off",
                delay=float(delay + late) if on else float("nan"),
                stage=float(delay * _LIGHT / 2 * 1e3),
                fluence=float(fluence) if on else 0.0,
                amount=float(1 + damage.amount * random.standard_normal()),
                strain=float(damage.expansion * gone + damage.strain * random.standard_normal()),
                order=1 - (1 - damage.left) * gone,
                diameter=size + (damage.final_size - size) * gone,
                **common,
            )
        )
    return tuple(found)


def serial_truths(
    *,
    shots: int,
    seed: int,
    beam: Beam,
    hit_rate: float = 0.05,
    diameters: Sequence[float] = (200.0, 300.0),
    spread: float = 0.04,
) -> tuple[ShotTruth, ...]:
    """Return shots of which few hit a sphere, of one of the diameters (Å) each as often."""
    random = np.random.default_rng((seed, 13))
    found = []
    for index in range(shots):
        common, _ = _beam(random, beam)
        hit = random.random() < hit_rate
        diameter = random.choice(diameters) * (1 + spread * random.standard_normal())
        found.append(
            ShotTruth(
                index=index,
                kind="off",
                delay=float("nan"),
                stage=0.0,
                amount=float(random.uniform(0.4, 1.0)),
                diameter=float(diameter) if hit else 0.0,
                **common,
            )
        )
    return tuple(found)


def write_shots(path: Path, truths: Sequence[ShotTruth]) -> None:
    """Write one line of JSON per shot."""
    with path.open("w", encoding="utf-8") as file:
        for truth in truths:
            file.write(json.dumps(asdict(truth)) + "\n")


def _beam(random: np.random.Generator, beam: Beam) -> tuple[dict[str, float], float]:
    """Return what all experiments have, and by how many s the X-rays are late."""
    pulse = max(1 + beam.i0 * random.standard_normal(), 0.2)
    late = beam.jitter * random.standard_normal()
    seen = late + beam.tool * random.standard_normal()
    blind = random.random() < beam.blind
    return {
        "beam": float(pulse),
        "meter": float(pulse * (1 + beam.meter * random.standard_normal())),
        "energy": float(1 + beam.energy * random.standard_normal()),
        "arrival": float(1e3 * random.standard_normal() if blind else seen / FS),
        "edge": float(random.uniform(0.0, 0.9) if blind else random.uniform(3, 10)),
    }, float(late)


def _broken(where: float, damage: Damage) -> float:
    """Share of the damage that is done."""
    if where <= damage.onset:
        return 0.0
    return float(-np.expm1(-np.log10(where / damage.onset) / damage.decades * 3))
