"""What goes wrong with beam, cell and sample, in images of a powder in a capillary.

Nothing here is taken from the program: the images are made from Q by Bragg's law, and how large
each fault is was decided here.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

SHAPE = (120, 100)
_PIXEL, _DISTANCE, _WAVELENGTH = 1e-3, 0.08, 0.2
_PEAKS = (3.1, 3.6, 5.0, 5.9, 6.2, 7.2, 7.8)
SATURATED = 60_000
"""Counts from which the detector of these images tells nothing."""
DETECTOR = f"saturation = {SATURATED}.0"
RECIPE = """[quality]
texture = 1e9
background_drift = 0.25
look_stride = 1
[[background]]
name = "cell"
file = "cell.xy"
scale = 1.0
"""


def _angle() -> NDArray[np.float64]:
    y, x = np.indices(SHAPE) + 0.5
    radius = np.hypot(y * _PIXEL - 0.06, x * _PIXEL - 0.05)
    return np.asarray(np.arctan(radius / _DISTANCE))


def _momentum() -> NDArray[np.float64]:
    return 4.0 * np.pi / _WAVELENGTH * np.sin(_angle() / 2.0)


def _cell(q: NDArray[np.float64]) -> NDArray[np.float64]:
    return np.asarray(1500.0 * np.exp(-(((q - 1.8) / 0.8) ** 2)) + 200.0 * np.exp(-q / 8.0))


def _sample(q: NDArray[np.float64]) -> NDArray[np.float64]:
    peaks = sum(np.exp(-(((q - place) / 0.35) ** 2)) for place in _PEAKS)
    return np.asarray(600.0 * np.exp(-q / 8.0) * (1.0 + 2.0 * peaks))


def write_cell(folder: Path) -> None:
    """Write the pattern of the empty cell."""
    q = np.linspace(0.1, 30.0, 1500)
    np.savetxt(folder / "cell.xy", np.column_stack([q, _cell(q)]))


@dataclass(frozen=True, kw_only=True)
class Trouble:
    """A stretch of frames with something wrong, and what must be said of them."""

    name: str
    flag: str
    beam: float = 1.0
    filled: float = 1.0
    cell: Sequence[float] = (1.0,) * 4
    saturated: int = 0
    grains: int = 0

    def image(self, index: int, number: int) -> NDArray[np.uint16]:
        """Return frame ``index`` of the run, the ``number``-th of the stretch."""
        chance = np.random.default_rng(index)
        q = _momentum()
        expected = self.cell[number] * _cell(q) + self.filled * _sample(q)
        counts = chance.poisson(self.beam * expected * np.cos(_angle()) ** 3)
        flat = counts.reshape(-1)
        spots = chance.choice(flat.size, self.grains, replace=False)
        flat[spots] *= 8
        flat[chance.choice(flat.size, self.saturated, replace=False)] = SATURATED + 5000
        return np.asarray(np.minimum(counts, 65_535), dtype=np.uint16)


GOOD = Trouble(name="nothing", flag="")
_COMES = tuple(1.0 + n / 60.0 for n in range(90))
TROUBLES = (
    Trouble(name="the beam is gone", flag="beam lost", beam=0.01),
    Trouble(name="half of the beam is gone", flag="beam low", beam=0.5),
    Trouble(name="a bubble: 40 % of the sample gone", flag="bubble", filled=0.6),
    Trouble(name="30 of 12000 pixels saturated", flag="saturation", saturated=30),
    Trouble(name="300 pixels of single grains", flag="spotty rings", grains=300),
    Trouble(name="the cell comes into the beam", flag="background drift", cell=_COMES),
)
