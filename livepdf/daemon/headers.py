"""What the file of a run says about it, by its pipeline."""

from collections.abc import Mapping
from dataclasses import replace

import numpy as np

from livepdf.daemon.assemble import Pipeline
from livepdf.daemon.following import all_names
from livepdf.daemon.runs import Run
from livepdf.reduction.advice import rpoly_advice
from livepdf.sinks.nexus import Revised, RunHeader


def with_reduction_of(pipeline: Pipeline, tuned: Pipeline) -> Pipeline:
    """Return a pipeline for its own frames that reduces and analyses as another one does."""
    return replace(
        pipeline,
        settings=tuned.settings,
        plan=tuned.plan,
        analysis=tuned.analysis,
        bond=tuned.bond,
    )


def advice_on(pipeline: Pipeline) -> str:
    """Return what is unwise about the reduction; empty when nothing is."""
    if pipeline.bond is None:
        return ""
    return rpoly_advice(rpoly=pipeline.recipe.reduction.rpoly, bond=pipeline.bond)


def errors_advice(pipeline: Pipeline) -> str:
    """Return which backgrounds leave the curves without errors; nothing where none does."""
    bare = [b.name for b in pipeline.plan.backgrounds if not np.isfinite(b.sigma).any()]
    if not bare:
        return ""
    return (
        f"background {', '.join(bare)} has no σ: no curve has one either, and sizes and "
        "peaks are withheld; give its file a third column"
    )


def wavelength_advice(run: Run, pipeline: Pipeline) -> str:
    """Return how the detector's wavelength differs from the calibrated one; empty when not."""
    told, calibrated = run.start.wavelength, pipeline.geometry.wavelength
    if told is None or abs(told / calibrated - 1) <= 0.01:
        return ""
    return (
        f"the detector was told {told:.5f} Å, the calibration says {calibrated:.5f} Å "
        "and is what counts"
    )


def tuned_header(old: RunHeader, tuned: Pipeline) -> RunHeader:
    """Return the header of the file of another revision of the same run."""
    plan, recipe = tuned.plan, tuned.recipe
    return replace(
        old,
        q=plan.q,
        fq_q=plan.q[plan.window],
        r=plan.r,
        trends=all_names(tuned),
        sample=recipe.sample.name or recipe.sample.composition,
        composition=recipe.sample.composition,
        revision=plan.revision,
        recipe=tuned.settings.recipe_text,
    )


def first_revision(header: RunHeader) -> Revised:
    """Return the recipe that a run began with."""
    return Revised(
        number=header.revision, time=header.start, changes="as it began", recipe=header.recipe
    )


def run_header(
    run: Run, pipeline: Pipeline, *, source: str, software: Mapping[str, str]
) -> RunHeader:
    """Gather what the file of a run says about it."""
    profile, recipe = pipeline.profile, pipeline.recipe
    plan = pipeline.plan
    return RunHeader(
        run=run.name,
        start=run.start.time,
        q=plan.q,
        fq_q=plan.q[plan.window],
        r=plan.r,
        trends=all_names(pipeline),
        instrument=profile.instrument.name,
        facility=profile.instrument.facility,
        wavelength=pipeline.geometry.wavelength,
        sample=recipe.sample.name or recipe.sample.composition,
        composition=recipe.sample.composition,
        solid_angle=profile.integration.solid_angle,
        polarization=profile.integration.polarization,
        normalized=recipe.normalization.monitor or recipe.normalization.exposure,
        revision=plan.revision,
        profile=pipeline.settings.profile_text,
        recipe=pipeline.settings.recipe_text,
        below=run.below,
        folder=str(pipeline.settings.recipe_file.resolve().parent),
        correlation=pipeline.integrator.correlation,
        source=source,
        software=software,
        metadata=run.start.metadata,
    )
