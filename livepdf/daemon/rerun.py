"""A run that is over goes through reduction and analysis once more, from its stored sums."""

import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from livepdf.config.load import load_recipe, profile_from_text, recipe_from_text
from livepdf.config.recipe import Recipe
from livepdf.daemon.assemble import Pipeline, Settings
from livepdf.daemon.following import Follower, all_names
from livepdf.daemon.headers import tuned_header
from livepdf.daemon.results import evaluate
from livepdf.daemon.samples import (
    reach_complaints,
    read_sample,
    sample_analysis,
    sample_bond,
    sample_plan,
)
from livepdf.daemon.software import software_versions
from livepdf.errors import ConfigError, FileError
from livepdf.model.curve import Result
from livepdf.model.finding import Finding
from livepdf.model.status import FOUND, Event, News
from livepdf.model.sums import Sums
from livepdf.numerics.compton import HC
from livepdf.numerics.geometry import ORIENTATION, Geometry
from livepdf.reduction.given import given_integrator
from livepdf.sinks.nexus import NexusFile, Revised, RunHeader, WindowRow
from livepdf.sinks.nexus_run import StoredRun


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Again:
    """One window as it came out this time."""

    result: Result
    sums: Sums
    news: tuple[News, ...]
    """What happened with it: onset, breakdown, something new."""
    findings: Callable[[], tuple[Finding, ...]]
    """What the run says up to this window; some tenths of a second."""


def pipeline_of(run: StoredRun, *, recipe: Path | None = None) -> Pipeline:
    """Return what reduces and analyses the windows of a stored run as it was done live.

    Parameters
    ----------
    recipe : Path, optional
        Another recipe than the stored one. Relative paths of the stored one begin where they did
        when the run was measured.

    Raises
    ------
    ConfigError
        With every complaint about settings and the files that they name.
    """
    settings = _settings(run, recipe)
    sample, complaints = read_sample(settings.recipe, settings.recipe_file)
    complaints += reach_complaints(settings.recipe, settings.recipe_file, run.q)
    if sample is None or complaints:
        raise ConfigError(complaints)
    energy = HC / run.wavelength
    plan = sample_plan(
        sample,
        settings.recipe,
        run.q,
        energy=energy,
        correlation=run.correlation,
        revision=run.revision + (recipe is not None),
    )
    integrator = given_integrator(q=run.q)
    return Pipeline(
        settings=settings,
        geometry=Geometry(
            shape=integrator.shape,
            wavelength=run.wavelength,
            orientation=ORIENTATION,
            pyfai_version="",
            pyfai=None,
        ),
        integrator=integrator,
        plan=plan,
        analysis=sample_analysis(sample, settings.profile, settings.recipe, plan, energy=energy),
        bond=sample_bond(sample, settings.recipe),
        ignored=np.zeros(integrator.shape, dtype=np.bool_),
    )


def analyse_run(run: StoredRun, pipeline: Pipeline) -> Iterator[Again]:
    """Yield every window of a stored run with its curves and trends, oldest first."""
    follower = _follower(run, pipeline)
    for stored in run.windows():
        result, news = follower.add(evaluate(pipeline, stored))
        yield Again(result=result, sums=stored.sums, news=news, findings=follower.findings)


def _follower(run: StoredRun, pipeline: Pipeline) -> Follower:
    follower = Follower(pipeline, start=run.start)
    for event in run.events():
        if event.kind == "mark":
            follower.mark(event)
    return follower


def save_again(run: StoredRun, pipeline: Pipeline, path: Path) -> Iterator[Again]:
    """Analyse a stored run, write a file like that of a live one, and yield its windows.

    Raises
    ------
    FileError
        When the file is there already or cannot be written.
    """
    if path.exists():
        raise FileError(f"{path} is there already; choose another name")
    try:
        file = NexusFile(path, _header(run, pipeline))
        try:
            for event in run.events():
                if event.kind not in FOUND:
                    file.event(event)
            findings: Callable[[], tuple[Finding, ...]] = tuple
            for again in analyse_run(run, pipeline):
                file.add([WindowRow(result=again.result, sums=again.sums)])
                for news in again.news:
                    file.event(again_event(again.result, news))
                findings = again.findings
                yield again
            file.findings(findings())
        finally:
            file.close(end=time.time())
    except OSError as error:
        raise FileError(f"{path}: {error}") from None


def again_event(result: Result, news: News) -> Event:
    """Return what happened with a window as the event that a live run would tell."""
    span = result.span
    return Event(kind=news.kind, time=span.end, text=news.text, run=span.run, frame=span.last)


def _settings(run: StoredRun, recipe: Path | None) -> Settings:
    profile_file = run.folder / "profile.toml"
    recipe_file = run.folder / "recipe.toml" if recipe is None else recipe
    read: Recipe
    if recipe is None:
        text = run.recipe
        read = recipe_from_text(text, name=recipe_file)
    else:
        read, text = load_recipe(recipe), recipe.read_text(encoding="utf-8")
    return Settings(
        profile=profile_from_text(run.profile, name=profile_file),
        recipe=read,
        profile_file=profile_file,
        recipe_file=recipe_file,
        profile_text=run.profile,
        recipe_text=text,
    )


def _header(run: StoredRun, pipeline: Pipeline) -> RunHeader:
    old = RunHeader(
        run=run.run,
        start=run.start,
        q=pipeline.plan.q,
        fq_q=pipeline.plan.q[pipeline.plan.window],
        r=pipeline.plan.r,
        trends=all_names(pipeline),
        instrument=pipeline.profile.instrument.name,
        facility=pipeline.profile.instrument.facility,
        wavelength=run.wavelength,
        sample="",
        composition="",
        solid_angle=pipeline.profile.integration.solid_angle,
        polarization=pipeline.profile.integration.polarization,
        normalized=(
            pipeline.recipe.normalization.monitor or pipeline.recipe.normalization.exposure
        ),
        revision=pipeline.plan.revision,
        profile=pipeline.settings.profile_text,
        recipe="",
        folder=str(run.folder),
        correlation=run.correlation,
        source=str(run.path),
        software=software_versions(),
        metadata={},
        first=max(0, int(np.min(run.numbers(), initial=0))),
    )
    revised = Revised(
        number=pipeline.plan.revision,
        time=time.time(),
        changes=f"analysed again from {run.path.name}",
        recipe=pipeline.settings.recipe_text,
    )
    return replace(tuned_header(old, pipeline), revisions=(revised,), follows=run.path.name)
