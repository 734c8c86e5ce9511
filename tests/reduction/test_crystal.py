import io

import numpy as np
import pytest
from diffpy.pdffit2 import PdfFit, redirect_stdout

from livepdf.files.structures import read_structure
from livepdf.model.structure import Structure
from livepdf.reduction.crystal import crystal_curve, near_bonds, visible_lines

R = np.arange(1.0, 20.0, 0.01)


def test_the_curve_of_nickel_is_that_of_pdffit2() -> None:
    structure = read_structure("ni")
    fit = PdfFit(create_intro=False)
    fit.read_struct_string(_as_pdffit(structure))
    redirect_stdout(io.StringIO())
    fit.alloc("X", 25.0, 0.02, float(R[0]), float(R[-1]), R.size)
    fit.calc()
    theirs = np.array(fit.getpdf_fit())

    ours = crystal_curve(structure, r=R, qmax=25.0, qdamp=0.02)

    far = R > 2.0
    rms = np.sqrt(np.mean((ours - theirs)[far] ** 2))
    assert rms < 0.03 * np.sqrt(np.mean(theirs[far] ** 2))


def test_the_first_bonds_of_nickel_are_half_a_diagonal_and_a_cell_edge_apart() -> None:
    structure = read_structure("ni")
    a = structure.lengths[0]

    bonds = near_bonds(structure, r_max=4.0)

    assert [bond.elements for bond in bonds] == ["Ni–Ni", "Ni–Ni"]
    assert [bond.r for bond in bonds] == pytest.approx([a / np.sqrt(2), a])
    assert [bond.count for bond in bonds] == pytest.approx([12, 6])


def test_a_face_centred_lattice_shows_only_unmixed_reflections() -> None:
    structure = read_structure("ni")
    a = structure.lengths[0]

    lines = np.array(visible_lines(structure, q_max=6.5))

    allowed = np.sqrt([3, 4, 8, 11, 12]) * 2 * np.pi / a
    np.testing.assert_allclose(lines, allowed, atol=1e-6)


def _as_pdffit(structure: Structure) -> str:
    lengths = ", ".join(f"{x:.6f}" for x in (*structure.lengths, *structure.angles))
    atoms = []
    for name, place, u in zip(structure.elements, structure.positions, structure.uiso, strict=True):
        x, y, z = place
        atoms += [
            f"{name.upper()}  {x:.8f} {y:.8f} {z:.8f} 1.0",
            "0.0 0.0 0.0 0.0",
            f"{u:.6f} {u:.6f} {u:.6f}",
            "0.0 0.0 0.0",
            "0.0 0.0 0.0",
            "0.0 0.0 0.0",
        ]
    head = ["title  x", "format pdffit", "scale   1.0", "sharp   0.0, 0.0, 1.0, 0.0", "spcgr   P1",
            f"cell  {lengths}", "dcell   0, 0, 0, 0, 0, 0",
            f"ncell   1, 1, 1, {len(structure.elements)}", "atoms"]  # fmt: skip
    return "\n".join([*head, *atoms]) + "\n"
