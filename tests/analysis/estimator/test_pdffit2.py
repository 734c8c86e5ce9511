"""The same G(r), given to pdffit2 and to the estimator's model."""

import numpy as np
import pytest

from livepdf.analysis.estimator.candidate import Candidate, Priors
from livepdf.analysis.estimator.published import LOOSE, Limits, fit_published
from livepdf.files.structures import read_structure
from livepdf.numerics.transform import exact_transform
from tests.analysis.particles import particle

pytest.importorskip("diffpy.pdffit2")

from tests.analysis.estimator.pdffit2_peer import refined

R = np.round(np.arange(1.5, 30.0, 0.05), 10)
LIMITS = Limits(qmin=0.8, qmax=20.0, qmaxinst=20.0, rpoly=0.0)


@pytest.mark.parametrize(("name", "diameter"), [("pt", 30.0), ("sno2-rutile", 40.0)])
def test_pdffit2_finds_the_same_lattice_and_size(name: str, diameter: float) -> None:
    sample = particle(name, diameter=diameter, centres=6)
    gr = exact_transform(q=sample.q, r=R).apply(sample.fq)
    composition = {e: float(sample.structure.elements.count(e)) for e in sample.structure.species}

    theirs = refined(sample.structure, r=R, gr=gr, qmax=20.0, diameter=0.8 * diameter)
    ours = fit_published(
        r=R,
        gr=gr,
        limits=LIMITS,
        candidates=[Candidate(structure=read_structure(name))],
        composition=composition,
        rmin=1.5,
        rmax=30.0,
        qdamp=0.0,
        priors=Priors(lattice=0.01, uiso=(1.0, 1.0), delta2=(1.0, 2.0), diameter=LOOSE.diameter),
    )

    found = dict(zip(ours.parameters, ours.values, strict=True))
    assert found["a"] == pytest.approx(theirs["a"], rel=3e-4)
    assert found.get("c", 0.0) == pytest.approx(theirs.get("c", 0.0), rel=3e-4)
    assert found["diameter"] == pytest.approx(theirs["diameter"], rel=0.015)
    assert found["diameter"] == pytest.approx(diameter, rel=0.01)
