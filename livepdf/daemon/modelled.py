"""G(r) of a cluster or a trajectory as the recipe in use would show it."""

import tempfile
from itertools import chain
from pathlib import Path

import numpy as np

from livepdf.analysis.ensemble import TAIL, build_ensemble, ensemble_fq, xray_amplitudes
from livepdf.daemon.assemble import Pipeline
from livepdf.files.snapshots import read_snapshots
from livepdf.model.curve import Curve
from livepdf.numerics.form_factors import mean_form_factors
from livepdf.numerics.neutron import mean_scattering_lengths
from livepdf.reduction.curves import window_model
from livepdf.reduction.plan import build_plan

_STILL = 0.005
"""Å², Uiso of a model of one step, which does not move: that of most solids."""
_MOST_ATOMS = 20_000


def model_curves(name: str, text: str, pipeline: Pipeline) -> tuple[Curve, ...]:
    """Calculate F(Q) and G(r) of the mean of all steps, in the window of the recipe.

    Raises
    ------
    FileError
        When the text cannot be read.
    ValueError
        When it is too large, or the steps do not belong together.
    """
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / Path(name).name
        path.write_text(text, encoding="utf-8")
        steps = read_snapshots(path)
        first = next(steps)
        if len(first.elements) > _MOST_ATOMS:
            raise ValueError(f"{len(first.elements)} atoms, wanted at most {_MOST_ATOMS}")
        p = pipeline.plan.parameters
        ensemble = build_ensemble(chain([first], steps), r_max=p.rmax)
    # fine enough that nothing within twice the range of r folds back
    step = min(0.01, np.pi / (2 * (p.rmax + TAIL)))
    plan = build_plan(
        q=np.asarray(step * np.arange(int(p.qmaxinst / step) + 2), dtype=np.float64),
        composition=p.composition,
        qmin=p.qmin,
        qmax=p.qmax,
        qmaxinst=p.qmaxinst,
        rpoly=p.rpoly,
        rmin=p.rmin,
        rmax=p.rmax,
        rstep=p.rstep,
        taper=p.taper,
        mode=p.mode,
        energy=p.energy,
        dispersion=p.dispersion,
        errors=False,
    )
    q = np.maximum(plan.q, 1e-3)
    energy = p.energy if p.dispersion else None
    if p.mode == "neutron":
        each = [mean_scattering_lengths(q=q, composition={e: 1.0})[0] for e in ensemble.species]
        amplitudes = np.array(each, dtype=np.complex128)
        mean = mean_scattering_lengths(q=q, composition=p.composition)[0]
    else:
        amplitudes = xray_amplitudes(ensemble.species, q, energy=energy)
        mean = mean_form_factors(q=q, composition=p.composition, energy=energy)[0]
    qdamp = pipeline.profile.resolution.qdamp
    fq = ensemble_fq(
        ensemble,
        q=q,
        amplitudes=amplitudes,
        mean_f2=mean**2,
        uiso=np.full(len(ensemble.species), _STILL if ensemble.snapshots == 1 else 0.0),
        qdamp=0.0 if qdamp is None else qdamp,
    )
    gr, part = window_model(plan, fq, project=True), plan.window
    return (
        Curve(kind="gr", x=plan.r, y=gr, sigma=np.full(gr.shape, np.nan)),
        Curve(kind="fq", x=plan.q[part], y=fq[part], sigma=np.full(fq[part].shape, np.nan)),
    )
