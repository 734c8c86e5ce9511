from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from livepdf.errors import FileError
from livepdf.files.structures import read_structure, structure_names
from livepdf.model.structure import Structure
from livepdf.numerics.pairs import crystal_pairs

# name: (from, to, [(mean distance Å, neighbours)]) as published for these crystals
SHELLS = {
    "hfo2-monoclinic": [
        ("Hf", "O", 2.145, 7, 2.6),
        ("Hf", "Hf", 3.436, 7, 3.7),
        ("Hf", "Hf", 3.955, 4, 4.2),
    ],
    "zro2-monoclinic": [
        ("Zr", "O", 2.158, 7, 2.6),
        ("Zr", "Zr", 3.459, 7, 3.7),
        ("Zr", "Zr", 3.974, 4, 4.2),
    ],
    "sno2-rutile": [
        ("Sn", "O", 2.054, 6, 2.5),
        ("Sn", "Sn", 3.187, 2, 3.4),
        ("Sn", "Sn", 3.710, 8, 3.9),
    ],
    "tio2-anatase": [
        ("Ti", "O", 1.949, 6, 2.5),
        ("Ti", "Ti", 3.039, 4, 3.3),
        ("Ti", "Ti", 3.784, 4, 3.9),
    ],
    "tio2-rutile": [
        ("Ti", "O", 1.959, 6, 2.5),
        ("Ti", "Ti", 2.959, 2, 3.2),
        ("Ti", "Ti", 3.569, 8, 3.8),
    ],
    "pt": [("Pt", "Pt", 2.774, 12, 3.0), ("Pt", "Pt", 3.923, 6, 4.2)],
    "ceo2": [("Ce", "O", 2.343, 8, 2.6), ("Ce", "Ce", 3.826, 12, 4.0)],
    "lab6": [("La", "La", 4.157, 6, 4.3), ("La", "B", 3.053, 24, 3.5)],
    "ni": [("Ni", "Ni", 2.492, 12, 3.0), ("Ni", "Ni", 3.524, 6, 3.8)],
    "sio2-cristobalite": [("Si", "O", 1.605, 4, 2.0), ("Si", "Si", 3.077, 4, 3.5)],
}


def _neighbours(
    structure: Structure, a: str, b: str, r_max: float
) -> tuple[np.ndarray, np.ndarray]:
    pairs = crystal_pairs(
        cell=structure.cell,
        positions=structure.positions,
        species=structure.species_index,
        r_max=r_max,
    )
    species = structure.species
    pick = (pairs.species_a == species.index(a)) & (pairs.species_b == species.index(b))
    return pairs.r[pick], pairs.count[pick]


@pytest.mark.parametrize("name", sorted(SHELLS))
def test_a_built_in_structure_has_the_published_shells(name: str) -> None:
    structure = read_structure(name)
    beyond: dict[tuple[str, str], float] = {}

    for a, b, distance, neighbours, until in SHELLS[name]:
        r, count = _neighbours(structure, a, b, until)
        here = r > beyond.get((a, b), 0.0)
        beyond[a, b] = until

        assert count[here].sum() == pytest.approx(neighbours)
        assert np.average(r[here], weights=count[here]) == pytest.approx(distance, abs=0.0015)


def test_the_nearest_neighbours_in_monoclinic_hafnia_spread_as_published() -> None:
    r, count = _neighbours(read_structure("hfo2-monoclinic"), "Hf", "O", 2.6)

    mean = np.average(r, weights=count)
    assert np.sqrt(np.average((r - mean) ** 2, weights=count)) == pytest.approx(0.075, abs=0.004)


def test_every_structure_known_by_name_can_be_read_and_says_where_it_is_from() -> None:
    for name in structure_names():
        structure = read_structure(name)

        assert structure.name == name
        assert len(structure.source) > 20
        assert (structure.uiso > 0.0).all()


@pytest.mark.parametrize(
    ("name", "file", "tolerance"),
    [
        ("tio2-anatase", "cif/TiO2-anatase.cif", 1e-4),
        ("tio2-rutile", "cif/TiO2-rutile.cif", 1e-3),
        ("pt", "cif/Pt.cif", 2e-3),
    ],
)
def test_a_built_in_structure_agrees_with_the_published_cif(
    name: str, file: str, tolerance: float, data_path: Callable[[str], Path]
) -> None:
    mine = read_structure(name)

    theirs = read_structure(data_path(file))

    assert sorted(mine.elements) == sorted(theirs.elements)
    metal = mine.species[0]
    r, count = _neighbours(mine, metal, metal, 8.0)
    r_cif, count_cif = _neighbours(theirs, metal, metal, 8.0)
    np.testing.assert_allclose(r, r_cif, rtol=tolerance)
    np.testing.assert_allclose(count, count_cif)


def test_a_cif_keeps_its_displacements_and_says_where_there_are_none(
    data_path: Callable[[str], Path],
) -> None:
    assert read_structure(data_path("cif/CdSe-Wurtzite.cif")).uiso == pytest.approx(0.005)
    assert np.isnan(read_structure(data_path("cif/NaCl.cif")).uiso).all()


def test_an_unknown_name_is_refused_with_the_names_that_exist() -> None:
    with pytest.raises(FileError, match=r"unobtainium.*hfo2-monoclinic"):
        read_structure("unobtainium")


def test_a_file_that_is_no_cif_is_refused_by_name(tmp_path: Path) -> None:
    path = tmp_path / "broken.cif"
    path.write_text("this is not a CIF", encoding="utf-8")

    with pytest.raises(FileError, match=r"broken\.cif"):
        read_structure(path)


def test_a_cif_with_partly_occupied_sites_is_refused_by_site(tmp_path: Path) -> None:
    path = tmp_path / "partial.cif"
    path.write_text(
        "data_x\n_cell_length_a 4\n_cell_length_b 4\n_cell_length_c 4\n_cell_angle_alpha 90\n"
        "_cell_angle_beta 90\n_cell_angle_gamma 90\n_symmetry_space_group_name_H-M 'P 1'\nloop_\n"
        "_atom_site_label\n_atom_site_type_symbol\n_atom_site_fract_x\n_atom_site_fract_y\n"
        "_atom_site_fract_z\n_atom_site_occupancy\nNi1 Ni 0 0 0 0.5\n",
        encoding="utf-8",
    )

    with pytest.raises(FileError, match="Ni1"):
        read_structure(path)
