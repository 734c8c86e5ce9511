"""The same G(r), given to pdffit2 and to the estimator's model."""

import os
from pathlib import Path

import numpy as np
import pytest

from livepdf.analysis.estimator.candidate import Candidate, Priors
from livepdf.analysis.estimator.published import LOOSE, Limits, fit_published
from livepdf.files.structures import read_structure
from livepdf.model.structure import Structure
from livepdf.numerics.transform import exact_transform
from tests.analysis.particles import Particle, particle

diffpy = pytest.importorskip("diffpy.pdffit2")

R = np.round(np.arange(1.5, 30.0, 0.05), 10)
LIMITS = Limits(qmin=0.8, qmax=20.0, qmaxinst=20.0, rpoly=0.0)


def gr_of(sample: Particle) -> np.ndarray:
    return exact_transform(q=sample.q, r=R).apply(sample.fq)


def structure_text(structure: Structure) -> str:
    lines = [
        "title x",
        "format pdffit",
        "scale 1.0",
        "sharp 0.0, 0.0, 1.0, 0.0",
        "spcgr P1",
        "cell " + ", ".join(f"{x:.6f}" for x in (*structure.lengths, *structure.angles)),
        "dcell " + ", ".join(["0.0"] * 6),
        f"ncell 1, 1, 1, {len(structure.elements)}",
        "atoms",
    ]
    for element, position, uiso in zip(
        structure.elements, structure.positions, structure.uiso, strict=True
    ):
        x, y, z = position
        lines += [
            f"{element.upper()} {x:.8f} {y:.8f} {z:.8f} 1.0",
            "0 0 0 0",
            f"{uiso:.8f} {uiso:.8f} {uiso:.8f}",
            "0 0 0",
            "0 0 0",
            "0 0 0",
        ]
    return "\n".join(lines) + "\n"


def refined_by_pdffit2(structure: Structure, gr: np.ndarray, start: float) -> np.ndarray:
    """Return a, c and the sphere's diameter."""
    from diffpy.pdffit2 import PdfFit, redirect_stdout

    with Path(os.devnull).open("w") as silent:
        redirect_stdout(silent)
        fit = PdfFit()
        fit.read_struct_string(structure_text(structure))
        fit.read_data_lists("X", LIMITS.qmax, 0.0, R.tolist(), gr.tolist())
        fit.constrain("lat(1)", 1)
        fit.constrain("lat(2)", 1)
        fit.constrain("lat(3)", 1 if structure.lattice == "cubic" else 2)
        fit.constrain("spdiameter", 3)
        fit.constrain("pscale", 4)
        fit.constrain("delta2", 5)
        values = [structure.lengths[0], structure.lengths[2], start, 1.0, 1.0]
        for number, value in enumerate(values, start=1):
            if number != 2 or structure.lattice != "cubic":
                fit.setpar(number, value)
        for atom, element in enumerate(structure.elements, start=1):
            kind = structure.species.index(element)
            for axis in (1, 2, 3):
                fit.constrain(f"u{axis}{axis}({atom})", 10 + kind)
            fit.setpar(10 + kind, float(structure.uiso[atom - 1]))
        fit.pdfrange(1, float(R[0]), float(R[-1]))
        fit.refine(toler=1e-6)
        c = 1 if structure.lattice == "cubic" else 2
        return np.array([fit.getpar(1), fit.getpar(c), fit.getpar(3)])


@pytest.mark.parametrize(("name", "diameter"), [("pt", 30.0), ("sno2-rutile", 40.0)])
def test_pdffit2_finds_the_same_lattice_and_size(name: str, diameter: float) -> None:
    sample = particle(name, diameter=diameter, centres=6)
    gr = gr_of(sample)
    composition = {e: float(sample.structure.elements.count(e)) for e in sample.structure.species}

    theirs = refined_by_pdffit2(sample.structure, gr, start=0.8 * diameter)
    ours = fit_published(
        r=R,
        gr=gr,
        limits=LIMITS,
        candidates=[Candidate(structure=read_structure(name))],
        composition=composition,
        rmin=1.5,
        rmax=30.0,
        qdamp=0.0,
        priors=Priors(lattice=0.01, uiso=1.0, delta2=(1.0, 2.0), diameter=LOOSE.diameter),
    )

    found = dict(zip(ours.parameters, ours.values, strict=True))
    assert found["a"] == pytest.approx(theirs[0], rel=3e-4)
    assert found.get("c", found["a"]) == pytest.approx(theirs[1], rel=3e-4)
    assert found["diameter"] == pytest.approx(theirs[2], rel=0.015)
    assert found["diameter"] == pytest.approx(diameter, rel=0.01)
