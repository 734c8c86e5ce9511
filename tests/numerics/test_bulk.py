import io

import numpy as np
import pytest
from diffpy.pdffit2 import PdfFit, redirect_stdout
from numpy.typing import NDArray

from livepdf.files.structures import read_structure
from livepdf.model.structure import Structure
from livepdf.numerics.bulk import bulk_fq, neighbour_grid, sine_sums, soft_end
from livepdf.numerics.form_factors import form_factor
from livepdf.numerics.pairs import PairShells, crystal_pairs
from livepdf.numerics.transform import pair_distribution

Q = np.arange(0.6, 20.0, 0.01)


def shells_of(structure: Structure, r_max: float) -> PairShells:
    return crystal_pairs(
        cell=structure.cell,
        positions=structure.positions,
        species=structure.species_index,
        r_max=r_max,
    )


def fractions_of(structure: Structure) -> NDArray[np.float64]:
    return np.bincount(structure.species_index) / len(structure.elements)


def uiso_of(structure: Structure) -> NDArray[np.float64]:
    kind = structure.species_index
    return np.array([structure.uiso[kind == k].mean() for k in range(kind.max() + 1)])


def amplitudes_of(structure: Structure, q: NDArray[np.float64]) -> NDArray[np.float64]:
    return np.array([form_factor(q=q, element=e) for e in structure.species])


@pytest.mark.parametrize("delta2", [0.0, 2.0])
@pytest.mark.parametrize("name", ["hfo2-monoclinic", "tio2-anatase"])
def test_fq_of_a_crystal_is_the_sum_over_its_shells(name: str, delta2: float) -> None:
    crystal = read_structure(name)
    shells, c, u = shells_of(crystal, 25.0), fractions_of(crystal), uiso_of(crystal)
    q = Q[::40]
    f = amplitudes_of(crystal, q)

    fq = bulk_fq(
        shells,
        q=q,
        fractions=c,
        amplitudes=f,
        uiso=u,
        r_max=20.0,
        tail=5.0,
        qdamp=0.03,
        delta2=delta2,
    )

    a, b, r = shells.species_a, shells.species_b, shells.r
    spread = (u[a] + u[b]) * (1.0 - delta2 / r**2)
    fade = soft_end(r, start=20.0, end=25.0) * np.exp(-0.5 * (0.03 * r) ** 2)
    terms = c[a] * shells.count * fade / r * np.sin(np.outer(q, r))
    weights = (f[a] * f[b]).T / ((c @ f) ** 2)[:, None]
    direct = (terms * weights * np.exp(-0.5 * np.outer(q**2, spread))).sum(axis=1)
    np.testing.assert_allclose(fq, direct, atol=2e-3 * np.abs(direct).max())


@pytest.mark.parametrize(("name", "qdamp"), [("ni", 0.0), ("ni", 0.04), ("pt", 0.03)])
def test_gr_of_a_metal_agrees_with_pdffit2(name: str, qdamp: float) -> None:
    crystal = read_structure(name)
    # Its ripples start and end with its grid, hence the margins.
    wide = np.arange(0.05, 40.0, 0.01)
    r = np.arange(1.5, 20.0, 0.01)
    # Above the small angles of our fading sum, below the first reflection of either metal.
    q = np.arange(0.6, 20.0, 0.01)
    # It talks on a standard output of its own.
    redirect_stdout(io.StringIO())
    other = PdfFit()
    other.read_struct_string(_pdffit_structure(crystal))
    other.alloc("X", 20.0, qdamp, float(wide[0]), float(wide[-1]), len(wide))
    other.calc()

    fq = bulk_fq(
        shells_of(crystal, 120.0),
        q=q,
        fractions=np.ones(1),
        amplitudes=np.ones((1, len(q))),
        uiso=uiso_of(crystal),
        r_max=60.0,
        tail=60.0,
        qdamp=qdamp,
    )
    gr = pair_distribution(q=q, fq=fq, r=r)

    theirs = np.interp(r, np.array(other.getR()), np.array(other.getpdf_fit()))
    assert np.sqrt(np.mean((gr - theirs) ** 2)) < 0.02 * theirs.std()


def _pdffit_structure(crystal: Structure) -> str:
    lines = [
        f"title  {crystal.name}",
        "format pdffit",
        "scale   1.000000",
        "sharp   0.000000,  0.000000,  1.000000,  0.000000",
        "spcgr   P1",
        "cell   " + ", ".join(f"{x:.6f}" for x in (*crystal.lengths, *crystal.angles)),
        "dcell  " + ", ".join(["0.0"] * 6),
        "ncell  1, 1, 1, " + str(len(crystal.elements)),
        "atoms",
    ]
    for element, position, u in zip(crystal.elements, crystal.positions, crystal.uiso, strict=True):
        x, y, z = position
        lines += [
            f"{element.upper():4s} {x:.8f} {y:.8f} {z:.8f} 1.0",
            "     0.0 0.0 0.0 0.0",
            f"     {u:.8f} {u:.8f} {u:.8f}",
            "     0.0 0.0 0.0",
            "     0.0 0.0 0.0",
            "     0.0 0.0 0.0",
        ]
    return "\n".join(lines) + "\n"


def test_one_distance_gives_one_sine() -> None:
    one = np.zeros(1, dtype=np.int64)
    shell = PairShells(species_a=one, species_b=one, r=np.array([2.7743]), count=np.array([12.0]))
    grid = neighbour_grid(shell, fractions=np.ones(1), r_max=5.0)

    q, sums = sine_sums(grid, envelope=np.ones(grid.neighbours.shape[1]), q_max=25.0)

    np.testing.assert_allclose(sums[0], 12.0 / 2.7743 * np.sin(q * 2.7743), atol=0.02)


def test_a_range_beyond_the_grid_is_refused() -> None:
    one = np.zeros(1, dtype=np.int64)
    shell = PairShells(species_a=one, species_b=one, r=np.array([2.0]), count=np.array([1.0]))

    with pytest.raises(ValueError, match="r_max is 400"):
        neighbour_grid(shell, fractions=np.ones(1), r_max=400.0)
