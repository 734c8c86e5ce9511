"""Crystal structures read by name or from a CIF."""

from collections.abc import Iterable
from pathlib import Path
from typing import cast

import gemmi
import numpy as np
from numpy.typing import NDArray

from livepdf.errors import FileError
from livepdf.files.library import LIBRARY, Entry
from livepdf.model.structure import Lattice, Structure

_UNEVEN = 1e-3
"""Relative; lengths and angles that symmetry makes equal may differ by rounding, not by more."""


def structure_names() -> tuple[str, ...]:
    """Return the names that `read_structure` knows without a file."""
    return tuple(sorted(LIBRARY))


def read_structure(name_or_path: str | Path) -> Structure:
    """Return a structure of the library by its name, or read it from a CIF.

    Raises
    ------
    FileError
        The name is not known and no such file exists, or the CIF cannot be used: which and why.
    """
    name = str(name_or_path)
    if name.lower() in LIBRARY:
        return _published(name.lower(), LIBRARY[name.lower()])
    path = Path(name_or_path)
    if not path.is_file():
        known = ", ".join(structure_names())
        raise FileError(f"{name}: no such file, nor a structure known by name ({known})")
    return _read_cif(path)


def _published(name: str, entry: Entry) -> Structure:
    small = gemmi.SmallStructure()
    small.cell = gemmi.UnitCell(*entry.lengths, *entry.angles)
    small.spacegroup_hm = entry.space_group
    # "1": by the Hermann-Mauguin symbol, origin choice 1 where the symbol does not say
    small.determine_and_set_spacegroup("1")
    if small.spacegroup is None:
        raise ValueError(f"{name}: gemmi does not know the space group {entry.space_group}")
    for site in entry.sites:
        atom = gemmi.SmallStructure.Site()
        atom.element = gemmi.Element(site.element)
        atom.fract = gemmi.Fractional(*site.position)
        atom.u_iso = site.uiso
        small.add_site(atom)
    return _expanded(small, name=name, source=entry.source)


def _read_cif(path: Path) -> Structure:
    try:
        small = gemmi.read_small_structure(str(path))
    except (OSError, RuntimeError, ValueError) as error:
        raise FileError(f"{path}: not a readable CIF: {error}") from error
    if not small.sites:
        raise FileError(f"{path}: holds no atom sites")
    if small.spacegroup is None:
        raise FileError(f"{path}: names no space group that can be used")
    partial = sorted({site.label for site in small.sites if abs(site.occ - 1.0) > 1e-3})
    if partial:
        raise FileError(f"{path}: sites not fully occupied: {', '.join(partial)}; wanted: all are")
    small.setup_cell_images()
    return _expanded(small, name=path.stem, source=str(path))


def _expanded(small: gemmi.SmallStructure, *, name: str, source: str) -> Structure:
    sites = small.get_all_unit_cell_sites()
    cell = small.cell
    return Structure(
        name=name,
        lengths=(cell.a, cell.b, cell.c),
        angles=(cell.alpha, cell.beta, cell.gamma),
        elements=tuple(site.element.name for site in sites),
        positions=np.array([site.fract.tolist() for site in sites]) % 1.0,
        uiso=_displacements(sites),
        source=source,
        lattice=_lattice(small, name),
    )


def _lattice(small: gemmi.SmallStructure, name: str) -> Lattice:
    cell = small.cell
    system = small.spacegroup.crystal_system_str()
    if system == "trigonal":
        system = "rhombohedral" if small.spacegroup.ext == "R" else "hexagonal"
    if system == "monoclinic":
        away = [abs(angle - 90.0) for angle in (cell.alpha, cell.beta, cell.gamma)]
        # By the symbol; where that is short, by the angle.
        axis = small.spacegroup.monoclinic_unique_axis()
        system = f"monoclinic-{axis if axis in 'abc' and axis else 'abc'[away.index(max(away))]}"
    kind = cast(Lattice, system)
    ideal = _ideal(kind, cell)
    found = (cell.a, cell.b, cell.c, cell.alpha, cell.beta, cell.gamma)
    if any(abs(x / y - 1.0) > _UNEVEN for x, y in zip(found, ideal, strict=True)):
        cell_text = ", ".join(f"{x:g}" for x in found)
        raise FileError(f"{name}: the cell {cell_text} is not {kind}, as the space group wants")
    return kind


def _ideal(kind: Lattice, cell: gemmi.UnitCell) -> tuple[float, ...]:
    a, b, c = cell.a, cell.b, cell.c
    alpha, beta, gamma = cell.alpha, cell.beta, cell.gamma
    cells: dict[Lattice, tuple[float, ...]] = {
        "cubic": (a, a, a, 90.0, 90.0, 90.0),
        "tetragonal": (a, a, c, 90.0, 90.0, 90.0),
        "hexagonal": (a, a, c, 90.0, 90.0, 120.0),
        "rhombohedral": (a, a, a, alpha, alpha, alpha),
        "orthorhombic": (a, b, c, 90.0, 90.0, 90.0),
        "monoclinic-a": (a, b, c, alpha, 90.0, 90.0),
        "monoclinic-b": (a, b, c, 90.0, beta, 90.0),
        "monoclinic-c": (a, b, c, 90.0, 90.0, gamma),
        "triclinic": (a, b, c, alpha, beta, gamma),
    }
    return cells[kind]


def _displacements(sites: Iterable[gemmi.SmallStructure.Site]) -> NDArray[np.float64]:
    # Where only a tensor is given, a third of its trace is close to Ueq (exact for
    # orthogonal axes); a site with neither has none that could be trusted.
    def isotropic(site: gemmi.SmallStructure.Site) -> float:
        if site.u_iso > 0.0:
            return float(site.u_iso)
        trace = site.aniso.u11 + site.aniso.u22 + site.aniso.u33
        return float(trace / 3.0) if trace > 0.0 else float("nan")

    return np.array([isotropic(site) for site in sites])
