"""Models from elsewhere: clusters and trajectories of simulations, step by step."""

from collections.abc import Iterator, Sequence
from itertools import islice
from pathlib import Path
from typing import Any

import numpy as np

from livepdf.errors import FileError
from livepdf.model.snapshot import Snapshot

_FORMATS = {".lammpstrj": "lammps-dump-text", ".dump": "lammps-dump-text", ".xyz": "extxyz"}
"""What a name does not tell for sure, or differently from others."""


def read_snapshots(
    path: Path, *, species: Sequence[str] = (), start: int = 0, every: int = 1
) -> Iterator[Snapshot]:
    """Read one step after another, through ASE.

    XYZ, extended XYZ, LAMMPS text dumps (``.lammpstrj``, ``.dump``) and what else ASE knows by
    name or content, such as XDATCAR, OUTCAR and ``.traj``. A box counts only where the file calls
    all three directions periodic.

    Parameters
    ----------
    species : element symbols
        Of LAMMPS types 1, 2, …, which a dump without an ``element`` column leaves open.
    start, every : int
        The first step that is read, and the distance to the next.

    Raises
    ------
    FileError
        When ASE is not installed, or the file cannot be read, holds no step or types without
        elements.
    """
    if start < 0 or every < 1:
        raise ValueError(f"start {start} and every {every}, wanted ≥ 0 and ≥ 1")
    steps = islice(_steps(path, tuple(species)), start, None, every)
    found = False
    while (atoms := _next(path, steps)) is not None:
        found = True
        yield _snapshot(path, atoms)
    if not found:
        raise FileError(f"{path}: holds no step from number {start} on")


def _steps(path: Path, species: tuple[str, ...]) -> Iterator[Any]:
    try:
        from ase.io import iread
        from ase.io.formats import filetype
    except ImportError:
        raise FileError(
            f"{path}: trajectories and clusters need ASE: pip install 'livepdf[models]'"
        ) from None
    if not path.is_file():
        raise FileError(f"{path}: no such file")
    kind = _FORMATS.get(path.suffix.lower())
    try:
        kind = kind or filetype(str(path))
    except Exception as error:  # noqa: BLE001  # a guesser of formats raises what it likes
        raise FileError(f"{path}: not a format that ASE knows: {error}") from None
    more: dict[str, Any] = {}
    if kind == "lammps-dump-text":
        _check_types(path, species)
        more["specorder"] = list(species) or None
    steps: Iterator[Any] = iread(str(path), index=":", format=kind, **more)
    return steps


def _next(path: Path, steps: Iterator[Any]) -> Any:
    try:
        return next(steps, None)
    except FileError:
        raise
    except Exception as error:  # noqa: BLE001  # readers of a hundred formats raise what they like
        raise FileError(f"{path}: cannot be read: {type(error).__name__} {error}") from None


def _snapshot(path: Path, atoms: Any) -> Snapshot:
    numbers = np.asarray(atoms.numbers)
    if not len(numbers) or np.any(numbers < 1):
        raise FileError(f"{path}: a step without atoms, or with atoms of no element")
    periodic = np.asarray(atoms.pbc)
    if periodic.any() and not periodic.all():
        raise FileError(f"{path}: periodic in some directions alone, wanted all or none")
    try:
        return Snapshot(
            elements=tuple(atoms.get_chemical_symbols()),
            cartesian=np.array(atoms.positions, dtype=np.float64),
            cell=np.array(atoms.cell.array, dtype=np.float64) if periodic.all() else None,
        )
    except ValueError as error:
        raise FileError(f"{path}: {error}") from None


def _check_types(path: Path, species: tuple[str, ...]) -> None:
    # Read as atomic numbers, types would be hydrogen, helium, lithium …
    with path.open(encoding="utf-8", errors="replace") as file:
        head = next((line.split()[2:] for line in file if line.startswith("ITEM: ATOMS")), [])
    if not head:
        raise FileError(f"{path}: no line ITEM: ATOMS, as a LAMMPS text dump has")
    if "element" not in head and not species:
        raise FileError(f"{path}: types have no elements: say which with --species Hf,O")
