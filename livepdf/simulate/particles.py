"""Explicit particles: any of a few shapes cut out of a crystal, with a relaxed surface."""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from livepdf.model.structure import Structure
from livepdf.numerics.pairs import sphere_cut

Floats = NDArray[np.float64]
ShapeKind = Literal["ellipsoid", "rod", "cuboid"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Shape:
    """What a particle looks like; its long (or short) axis is the c axis of the crystal."""

    kind: ShapeKind = "ellipsoid"
    """A rod is a cylinder; a sphere is an ellipsoid, a cube a cuboid of aspect 1."""
    width: float
    """Å, across c: diameter, or edge of a cuboid."""
    aspect: float = 1.0
    """Length along c over width."""
    shell_strain: float = 0.0
    """Radial strain of the outermost atoms, fading inwards: negative where a surface contracts."""
    shell_depth: float = 4.0
    """Å, over which it fades to 1/e."""

    @property
    def volume(self) -> float:
        """Volume in Å³."""
        box = self.aspect * self.width**3
        return {"ellipsoid": np.pi / 6, "rod": np.pi / 4, "cuboid": 1.0}[self.kind] * box

    @property
    def equivalent_diameter(self) -> float:
        """Diameter in Å of the sphere of the same volume."""
        return float(np.cbrt(6 * self.volume / np.pi))

    @property
    def reach(self) -> float:
        """Diameter in Å of a sphere around the middle that holds all of it."""
        length = self.aspect * self.width
        corner = {
            "ellipsoid": max(self.width, length),
            "rod": np.hypot(self.width, length),
            "cuboid": np.sqrt(2 * self.width**2 + length**2),
        }
        return float(corner[self.kind])

    def of_diameter(self, diameter: float) -> "Shape":
        """Return the same shape with the volume of a sphere of ``diameter`` Å."""
        return replace(self, width=self.width * diameter / self.equivalent_diameter)

    def holds(self, across: Floats, along: Floats) -> NDArray[np.bool_]:
        """Say which points are inside.

        Parameters
        ----------
        across : (n, 2) float64, Å
            From the middle, perpendicular to c.
        along : (n,) float64, Å
        """
        u, v = across / (self.width / 2), along / (self.aspect * self.width / 2)
        if self.kind == "cuboid":
            return np.asarray(np.all(np.abs(u) <= 1, axis=1) & (np.abs(v) <= 1))
        round_part = np.sum(u**2, axis=1)
        if self.kind == "rod":
            return np.asarray((round_part <= 1) & (np.abs(v) <= 1))
        return np.asarray(round_part + v**2 <= 1)


def sphere(diameter: float) -> Shape:
    """Return a sphere of ``diameter`` Å."""
    return Shape(width=diameter)


def cut(structure: Structure, shape: Shape, *, centre: Floats) -> tuple[Floats, NDArray[np.int64]]:
    """Cut a particle out of a crystal.

    Parameters
    ----------
    centre : (3,) float64
        Fractional coordinates of its middle.

    Returns
    -------
    cartesian : (m, 3) float64, Å
    atom : (m,) int64
        Which atom of the cell each one is an image of.
    """
    cartesian, atom = sphere_cut(
        cell=structure.cell, positions=structure.positions, diameter=shape.reach, centre=centre
    )
    inside = shape.holds(*_about(structure.cell[2], cartesian))
    return _relaxed(cartesian[inside], shape), atom[inside]


def cuts(
    structure: Structure, shape: Shape, *, centres: Floats
) -> Iterator[tuple[Floats, NDArray[np.int64]]]:
    """Cut one particle around each of the centres, (n, 3); see `cut`."""
    for centre in centres:
        yield cut(structure, shape, centre=centre)


def _about(axis: Floats, points: Floats) -> tuple[Floats, Floats]:
    """Split points into the two components across an axis and the one along it."""
    w = axis / np.linalg.norm(axis)
    start = np.eye(3)[np.argmin(np.abs(w))]
    u = np.cross(w, start)
    u /= np.linalg.norm(u)
    return points @ np.stack([u, np.cross(w, u)], axis=1), points @ w


def _relaxed(cartesian: Floats, shape: Shape) -> Floats:
    if shape.shell_strain == 0.0 or len(cartesian) == 0:
        return cartesian
    distance = np.linalg.norm(cartesian, axis=1)
    depth = distance.max() - distance
    stretch = 1 + shape.shell_strain * np.exp(-depth / shape.shell_depth)
    return np.asarray(cartesian * stretch[:, None])
