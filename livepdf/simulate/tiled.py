"""A detector of eight tiles as stands at an XFEL: its places, gaps and tilts, and its electronics.

The octal sensor of SACLA (Kameshima et al. 2014: 8 × 1024 × 512 pixels of 50 µm) and smaller ones
of the same outline, for a quick look.
"""

from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from livepdf.numerics.tiles import Panel, TiledDetector, solid_angle

Size = Literal["full", "demo", "tiny"]
HC = 12.398419843320026
"""keV Å"""
_SCALE: dict[Size, int] = {"full": 1, "demo": 4, "tiny": 8}
_ROWS, _COLUMNS, _PIXEL = 512, 1024, 50e-6
"""Pixels of a tile, and their size in m."""
_TILES = 8
_GAP, _HOLE = 0.3e-3, 3e-3
"""m, between tiles, and of the hole that the beam leaves by."""


@dataclass(frozen=True, kw_only=True, eq=False)
class Sensor:
    """Eight tiles around a hole, images of tiles one below the other."""

    size: Size = "demo"
    distance_m: float = 0.045
    energy: float = 15.0
    """keV, nominal."""
    polarization: float = 0.99

    @property
    def tile(self) -> tuple[int, int]:
        """Rows and columns of a tile."""
        return _ROWS // _SCALE[self.size], _COLUMNS // _SCALE[self.size]

    @property
    def pixel_m(self) -> float:
        """Edge of a pixel in m."""
        return _PIXEL * _SCALE[self.size]

    @property
    def shape(self) -> tuple[int, int]:
        """(ny, nx) of an image."""
        return _TILES * self.tile[0], self.tile[1]

    @cached_property
    def tiles(self) -> TiledDetector:
        """Where the tiles are."""
        return TiledDetector(panels=tuple(self._panel(k) for k in range(_TILES)))

    def _panel(self, k: int) -> Panel:
        rows, columns = self.tile
        right, step = divmod(k, _TILES // 2)
        # The two halves are shifted against one another, so that no corner is in the beam.
        x = _HOLE / 2 if right else -_HOLE / 2 - columns * self.pixel_m
        y = (step - _TILES / 4) * (rows * self.pixel_m + _GAP) + (_HOLE if right else -_HOLE) / 2
        turn, lean = 0.004 * (-1) ** k, 0.01 * (1 if right else -1)
        fast = np.array([np.cos(turn), np.sin(turn), lean]) / np.hypot(1, lean)
        slow = np.array([-np.sin(turn), np.cos(turn), 0.0])
        return Panel(
            name=f"q{k}",
            top=k * rows,
            bottom=(k + 1) * rows,
            left=0,
            right=columns,
            corner=np.array([x, y, self.distance_m + 1e-4 * (k % 3)]),
            fast=fast * self.pixel_m,
            slow=slow * self.pixel_m,
        )

    @cached_property
    def _corners(self) -> NDArray[np.float64]:
        return self.tiles.corners()

    @cached_property
    def two_theta(self) -> NDArray[np.float64]:
        """(ny, nx) rad, of the centres of the pixels."""
        x, y, z = np.moveaxis(self._corners.mean(axis=2), -1, 0)
        return np.asarray(np.arctan2(np.hypot(x, y), z))

    @cached_property
    def q(self) -> NDArray[np.float64]:
        """(ny, nx) Å⁻¹, at the nominal energy."""
        return np.asarray(4 * np.pi * self.energy / HC * np.sin(self.two_theta / 2))

    @cached_property
    def weight(self) -> NDArray[np.float64]:
        """(ny, nx) solid angle over that of a pixel in the beam, times polarization."""
        x, y, _ = np.moveaxis(self._corners.mean(axis=2), -1, 0)
        cos2 = np.cos(self.two_theta) ** 2
        # Horizontal is x (Kahn et al. 1982).
        twice = np.cos(2 * np.arctan2(y, x))
        polarized = 0.5 * (1 + cos2 - self.polarization * twice * (1 - cos2))
        bare = self.pixel_m**2 / self.distance_m**2
        return np.asarray(solid_angle(self._corners) / bare * polarized)

    def geom_text(self) -> str:
        """Return the geometry as CrystFEL writes it."""
        lines = [
            "; Geometry of a simulated detector",
            f"photon_energy = {1000 * self.energy:.1f}",
            f"clen = {self.distance_m!r} m",
            f"res = {1 / self.pixel_m!r}",
        ]
        for panel in self.tiles.panels:
            corner = panel.corner / self.pixel_m
            lines += [
                f"{panel.name}/min_fs = {panel.left}",
                f"{panel.name}/max_fs = {panel.right - 1}",
                f"{panel.name}/min_ss = {panel.top}",
                f"{panel.name}/max_ss = {panel.bottom - 1}",
                f"{panel.name}/corner_x = {corner[0]:.12g}",
                f"{panel.name}/corner_y = {corner[1]:.12g}",
                f"{panel.name}/coffset = {panel.corner[2] - self.distance_m:.12g}",
                f"{panel.name}/fs = {_vector(panel.fast / self.pixel_m)}",
                f"{panel.name}/ss = {_vector(panel.slow / self.pixel_m)}",
            ]
        return "\n".join(lines) + "\n"


def _vector(vector: NDArray[np.float64]) -> str:
    return " ".join(f"{value:+.12f}{axis}" for value, axis in zip(vector, "xyz", strict=True))


@dataclass(frozen=True, kw_only=True, eq=False)
class Electronics:
    """What is read for so many photons: offset, gain, common mode, noise, saturation."""

    sensor: Sensor
    gain: float = 40.0
    """Detector units per photon of the nominal energy."""
    gain_spread: float = 0.03
    """Relative, from pixel to pixel."""
    pedestal: float = 300.0
    """Detector units."""
    pedestal_spread: float = 20.0
    noise: float = 4.0
    """Detector units, of each reading."""
    common_mode: float = 10.0
    """Detector units, of a whole tile from shot to shot."""
    full: int = 16_000
    """Detector units at which a pixel saturates."""
    dead: float = 0.002
    """Share of the pixels that always read the same."""
    seed: int = 5

    @cached_property
    def gains(self) -> NDArray[np.float32]:
        """(ny, nx) detector units per photon."""
        random = np.random.default_rng((self.seed, 1))
        spread = 1 + self.gain_spread * random.standard_normal(self.sensor.shape)
        return np.asarray(self.gain * np.clip(spread, 0.5, 1.5), dtype=np.float32)

    @cached_property
    def pedestals(self) -> NDArray[np.float32]:
        """(ny, nx) detector units."""
        random = np.random.default_rng((self.seed, 2))
        spread = self.pedestal_spread * random.standard_normal(self.sensor.shape)
        return np.asarray(np.clip(self.pedestal + spread, 50, None), dtype=np.float32)

    @cached_property
    def bad(self) -> NDArray[np.bool_]:
        """(ny, nx) True where a pixel is dead."""
        random = np.random.default_rng((self.seed, 3))
        return np.asarray(random.random(self.sensor.shape) < self.dead)

    def read(
        self, photons: NDArray[np.uint32], *, energy: float, seed: tuple[int, ...]
    ) -> NDArray[np.uint16]:
        """Return what is read, (ny, nx); the charge of a photon is ∝ its energy (keV)."""
        random = np.random.default_rng(seed)
        tiles = self.common_mode * random.standard_normal(_TILES)
        noise = random.standard_normal(self.sensor.shape, dtype=np.float32) * np.float32(self.noise)
        charge = photons * (self.gains * np.float32(energy / self.sensor.energy))
        read = charge + self.pedestals + noise
        read += np.repeat(tiles, self.sensor.tile[0]).astype(np.float32)[:, None]
        read[self.bad] = self.pedestal
        return np.clip(np.rint(read), 0, self.full).astype(np.uint16)


def write_instrument(electronics: Electronics, directory: Path) -> dict[str, Path]:
    """Write geometry, pedestals, gains and mask (non-zero = ignore); return where each is."""
    directory.mkdir(parents=True, exist_ok=True)
    files = {name: directory / f"{name}.npy" for name in ("pedestal", "gain", "mask")}
    np.save(files["pedestal"], electronics.pedestals)
    np.save(files["gain"], electronics.gains)
    np.save(files["mask"], electronics.bad.astype(np.uint8))
    files["geometry"] = directory / "tiles.geom"
    files["geometry"].write_text(electronics.sensor.geom_text(), encoding="utf-8")
    return files
