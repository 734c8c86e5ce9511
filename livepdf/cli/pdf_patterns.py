"""Patterns in files as `livepdf pdf` reads them, and back to the unit they came in."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from livepdf.errors import FileError
from livepdf.files.columns import read_columns
from livepdf.numerics.neutron import merge_banks
from livepdf.numerics.resample import AxisUnit, momentum_transfer, resample_uniform
from livepdf.numerics.shared_noise import interpolation_correlation
from livepdf.reduction.background import background_on

Floats = NDArray[np.float64]


@dataclass(frozen=True, slots=True, kw_only=True)
class Axis:
    """How the x column of the data is to be read."""

    unit: AxisUnit
    wavelength: float | None
    """Å"""
    zero: float = 0.0
    """Degrees, subtracted from 2θ."""

    def as_written(self, q: Floats) -> Floats:
        """Return Q in Å⁻¹ as a file with this axis has it."""
        if self.unit == "twotheta" and self.wavelength is not None:
            sine = q * self.wavelength / (4 * np.pi)
            return np.asarray(np.degrees(2 * np.arcsin(sine)) + self.zero, dtype=np.float64)
        return np.asarray(q * (10 if self.unit == "Qnm" else 1), dtype=np.float64)


def read_pattern(path: Path, axis: Axis) -> tuple[Floats, Floats, Floats]:
    """Return Q (Å⁻¹), intensity and σ, NaN where the file has none; FileError says why not."""
    columns = read_columns(path)
    x = columns.x - axis.zero if axis.unit == "twotheta" else columns.x
    twice = np.flatnonzero(np.diff(x) <= 0)
    if twice.size:
        raise FileError(f"{path}: {x[twice[0]]:g} is there twice in the first column")
    try:
        q = momentum_transfer(axis=x, unit=axis.unit, wavelength=axis.wavelength)
    except ValueError as error:
        raise FileError(f"{path}: {error}") from None
    sigma = np.full(q.shape, np.nan) if columns.sigma is None else columns.sigma
    return q, columns.y, sigma


def read_sample(
    sample: Path, banks: Sequence[Path], axis: Axis
) -> tuple[Floats, Floats, Floats, tuple[float, ...]]:
    """Return the pattern on equal steps of Q; banks are merged on the finest of theirs.

    Last comes how the noise of neighbours correlates where the pattern had to be interpolated;
    with banks that is left out.
    """
    q, intensity, sigma = read_pattern(sample, axis)
    try:
        if not banks:
            even = resample_uniform(q=q, intensity=intensity, sigma=sigma)
            same = even[0].shape == q.shape and np.array_equal(even[1], intensity, equal_nan=True)
            return *even, () if same else interpolation_correlation(onto=even[0], q=q)
        held = [(q, intensity, sigma), *(read_pattern(path, axis) for path in banks)]
        grid = _bank_grid([one[0] for one in held])
        return grid, *merge_banks(onto=grid, banks=held), ()
    except ValueError as error:
        raise FileError(f"{sample}: {error}") from None


def _bank_grid(axes: Sequence[Floats]) -> Floats:
    """Return equal steps over all axes, on the points of the finest: those need no interpolation.

    Half a step beside them every value would be the mean of two, whose noise neighbours share.
    """
    finest = min(axes, key=lambda q: float((q[-1] - q[0]) / (q.size - 1)))
    step = float((finest[-1] - finest[0]) / (finest.size - 1))
    edge = 1e-6
    before = int(np.floor((finest[0] - min(q[0] for q in axes)) / step + edge))
    behind = int(np.floor((max(q[-1] for q in axes) - finest[0]) / step + edge))
    grid = np.asarray(finest[0] + step * np.arange(-before, behind + 1), dtype=np.float64)
    own = grid[before : before + finest.size]
    if np.all(np.abs(own - finest) < edge * step):
        # Rounding must not put the last point beyond the data.
        grid[before : before + finest.size] = finest
    return grid


def read_on_grid(path: Path, grid: Floats, axis: Axis) -> tuple[Floats, Floats]:
    """Return intensity and σ of another pattern on the sample's grid, (n_q,) each."""
    q, intensity, sigma = read_pattern(path, axis)
    taken = background_on(grid=grid, name=path.name, q=q, intensity=intensity, sigma=sigma)
    return taken.intensity, taken.sigma
