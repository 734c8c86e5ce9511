"""The same refinement by pdffit2: lattice, size, scale, δ2 and one U for each element."""

import os
from pathlib import Path

import numpy as np

from livepdf.model.structure import Structure
from livepdf.numerics.lattice import LATTICES


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


def refined(
    structure: Structure, *, r: np.ndarray, gr: np.ndarray, qmax: float, diameter: float
) -> dict[str, float]:
    """Refine from the reference structure and a start of the diameter."""
    from diffpy.pdffit2 import PdfFit, redirect_stdout

    kind = LATTICES[structure.lattice]
    with Path(os.devnull).open("w") as silent:
        redirect_stdout(silent)
        fit = PdfFit()
        fit.read_struct_string(structure_text(structure))
        fit.read_data_lists("X", qmax, 0.0, r.tolist(), gr.tolist())
        for place, tie in enumerate(kind.ties, start=1):
            if tie >= 0:
                fit.constrain(f"lat({place})", 1 + tie)
        for number, value in enumerate(kind.free(structure.lengths, structure.angles), start=1):
            fit.setpar(number, float(value))
        for number, (name, value) in enumerate(
            (("spdiameter", diameter), ("pscale", 1.0), ("delta2", 1.0)), start=21
        ):
            fit.constrain(name, number)
            fit.setpar(number, value)
        for atom, element in enumerate(structure.elements, start=1):
            number = 31 + structure.species.index(element)
            for axis in (1, 2, 3):
                fit.constrain(f"u{axis}{axis}({atom})", number)
            fit.setpar(number, float(structure.uiso[atom - 1]))
        fit.pdfrange(1, float(r[0]), float(r[-1]))
        fit.refine(toler=1e-6)
        found = {name: fit.getpar(number) for number, name in enumerate(kind.names, start=1)}
        return found | {"diameter": fit.getpar(21), "delta2": fit.getpar(23)}
