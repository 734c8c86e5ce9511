"""Profile and recipe become a pipeline; everything wrong with them is said at once."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TypeVar, cast

import numpy as np
from numpy.typing import NDArray

from livepdf.analysis.trends import Analysis
from livepdf.config.load import load_profile, load_recipe
from livepdf.config.profile import Profile
from livepdf.config.recipe import Recipe
from livepdf.daemon.detector import (
    DetectorFiles,
    detector_integrator,
    detector_tiles,
    geometry_for,
    ignored_pixels,
    read_detector,
)
from livepdf.daemon.given import pattern_geometry, pattern_integrator
from livepdf.daemon.samples import (
    SampleFiles,
    reach_complaints,
    read_sample,
    sample_analysis,
    sample_bond,
    sample_plan,
)
from livepdf.errors import Complaint, ConfigError
from livepdf.model.frame import Integrated, RunStart
from livepdf.numerics.compton import HC
from livepdf.numerics.geometry import Geometry
from livepdf.numerics.tile_correction import TileCorrection
from livepdf.reduction.integrator import Integrator
from livepdf.reduction.plan import Plan

Mask = NDArray[np.bool_]
Floats = NDArray[np.float64]
Shape = tuple[int, int]
Loaded = TypeVar("Loaded", Profile, Recipe)


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Settings:
    """Both files as people wrote them."""

    profile: Profile
    recipe: Recipe
    profile_file: Path
    recipe_file: Path
    profile_text: str
    recipe_text: str


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Pipeline:
    """All that turns frames of one detector into results; shared by all threads, never changed."""

    settings: Settings
    geometry: Geometry
    integrator: Integrator
    plan: Plan
    analysis: Analysis
    bond: float | None
    """Å, shortest distance between atoms that the recipe tells of; None where it tells of none."""
    ignored: Mask
    """(ny, nx), True = ignore, as read: gaps of the detector model, mask files, the run's mask."""
    tiles: TileCorrection | None = None
    """What turns readings into photons first, for detectors of tiles that read charge."""

    @property
    def profile(self) -> Profile:
        """The instrument's settings."""
        return self.settings.profile

    @property
    def recipe(self) -> Recipe:
        """The sample's and the experiment's settings."""
        return self.settings.recipe

    def with_mask(self, extra: Mask) -> "Pipeline":
        """Return the same with more pixels ignored; ValueError for a mask of another shape.

        A mask of pixels that are ignored anyway changes nothing: the first frames of a series need
        not wait for it.
        """
        if extra.shape == self.ignored.shape and not (extra & ~self.ignored).any():
            return self
        integrator = self.integrator.with_mask(extra)
        return replace(self, integrator=integrator, ignored=self.ignored | extra)

    def with_saturation(self, limit: float) -> "Pipeline":
        """Return the same with pixels at and above ``limit`` ignored; the lower limit counts."""
        if self.tiles is not None:
            least = min(limit, self.tiles.saturation)
            return replace(self, tiles=replace(self.tiles, saturation=least))
        own = self.integrator.saturation
        lower = limit if own is None else min(own, limit)
        return replace(self, integrator=replace(self.integrator, saturation=lower))


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Prepared:
    """Settings with all their files read; the pipeline may wait for the first image's shape."""

    settings: Settings
    detector: DetectorFiles
    sample: SampleFiles
    pipeline: Pipeline | None
    """None while only the images can tell the shape."""
    revision: int = 1
    """Number of the plans that are made from it."""

    def for_shape(self, shape: Shape) -> Pipeline:
        """Return the pipeline for images of this shape.

        Raises
        ------
        ConfigError
            When the settings do not fit such images.
        ValueError
            When the calibration is for images of another shape.
        """
        profile, file = self.settings.profile, self.settings.profile_file
        geometry = geometry_for(self.detector, profile, shape)
        if self.pipeline is not None:
            return self.pipeline
        complaints: list[Complaint] = []
        seen = _see(profile, file, self.detector, geometry, complaints)
        if seen is not None:
            recipe, recipe_file = self.settings.recipe, self.settings.recipe_file
            complaints += reach_complaints(recipe, recipe_file, seen.integrator.q)
        if complaints or seen is None:
            raise ConfigError(complaints)
        return _pipeline(self.settings, self.sample, seen, self.revision)

    def for_series(self, start: RunStart, shape: Shape) -> Pipeline:
        """Return the pipeline for frames of a series: with its own mask and saturation.

        Where they are patterns already, what makes sums of them stands in for the integrator.

        Raises
        ------
        ConfigError, ValueError
            As :meth:`for_shape`, and where the mask of the series has another shape.
        """
        if start.integrated is not None:
            return self._for_patterns(start.integrated)
        pipeline = self.for_shape(shape)
        if start.mask is not None:
            pipeline = pipeline.with_mask(start.mask)
        return pipeline if start.saturation is None else pipeline.with_saturation(start.saturation)

    def _for_patterns(self, integrated: Integrated) -> Pipeline:
        profile = self.settings.profile
        integrator = pattern_integrator(self.detector, profile, integrated)
        recipe, recipe_file = self.settings.recipe, self.settings.recipe_file
        complaints = reach_complaints(recipe, recipe_file, integrator.q)
        if complaints:
            raise ConfigError(complaints)
        seen = _Seen(
            geometry=pattern_geometry(self.detector, profile),
            integrator=integrator,
            ignored=np.zeros(integrator.shape, dtype=np.bool_),
        )
        return _pipeline(self.settings, self.sample, seen, self.revision)


def prepare(profile_file: Path, recipe_file: Path) -> Prepared:
    """Read both files and every file that they name, and build what can be built now.

    Raises
    ------
    ConfigError
        With every complaint about both files at once.
    """
    complaints: list[Complaint] = []
    profile = _load(load_profile, profile_file, complaints)
    recipe = _load(load_recipe, recipe_file, complaints)
    detector, seen, sample = None, None, None
    if profile is not None:
        detector, trouble = read_detector(profile, profile_file)
        complaints += trouble
        if detector is not None and detector.geometry is not None:
            seen = _see(profile, profile_file, detector, detector.geometry, complaints)
    if recipe is not None:
        sample, trouble = read_sample(recipe, recipe_file)
        complaints += trouble
        if seen is not None:
            complaints += reach_complaints(recipe, recipe_file, seen.integrator.q)
    if complaints or profile is None or recipe is None or detector is None or sample is None:
        raise ConfigError(complaints)
    settings = Settings(
        profile=profile,
        recipe=recipe,
        profile_file=profile_file,
        recipe_file=recipe_file,
        profile_text=profile_file.read_text(encoding="utf-8"),
        recipe_text=recipe_file.read_text(encoding="utf-8"),
    )
    pipeline = None if seen is None else _pipeline(settings, sample, seen, 1)
    return Prepared(settings=settings, detector=detector, sample=sample, pipeline=pipeline)


def check_profile(profile_file: Path) -> Profile:
    """Read a profile and every file that it names, without any recipe.

    Raises
    ------
    ConfigError
        With every complaint about it.
    """
    complaints: list[Complaint] = []
    profile = _load(load_profile, profile_file, complaints)
    if profile is not None:
        detector, trouble = read_detector(profile, profile_file)
        complaints += trouble
        if detector is not None and detector.geometry is not None:
            _see(profile, profile_file, detector, detector.geometry, complaints)
    if complaints or profile is None:
        raise ConfigError(complaints)
    return profile


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class _Seen:
    geometry: Geometry
    integrator: Integrator
    ignored: Mask
    tiles: TileCorrection | None = None


def _load(load: Callable[[Path], Loaded], file: Path, complaints: list[Complaint]) -> Loaded | None:
    try:
        return load(file)
    except ConfigError as error:
        complaints += error.complaints
        # More may be wrong with what is left, and people want to hear it now.
        return cast("Loaded | None", error.rest)


def _see(
    profile: Profile,
    file: Path,
    detector: DetectorFiles,
    geometry: Geometry,
    complaints: list[Complaint],
) -> _Seen | None:
    ignored = ignored_pixels(detector, geometry, profile.detector.flip)
    try:
        integrator = detector_integrator(detector, profile, geometry, ignored)
        tiles = detector_tiles(detector, profile, geometry.shape)
    except ValueError as error:
        wanted = "a detector that sees something"
        complaints.append(Complaint(str(file), "detector", str(error), wanted))
        return None
    return _Seen(geometry=geometry, integrator=integrator, ignored=ignored, tiles=tiles)


def retuned(
    pipeline: Pipeline, *, settings: Settings, sample: SampleFiles, revision: int
) -> Pipeline:
    """Return the pipeline with another recipe, for the same frames.

    Raises
    ------
    ConfigError
        When the recipe does not fit what the detector sees.
    """
    q = pipeline.integrator.q
    complaints = reach_complaints(settings.recipe, settings.recipe_file, q)
    if complaints:
        raise ConfigError(complaints)
    plan, analysis = _planned(settings, sample, pipeline.integrator, pipeline.geometry, revision)
    bond = sample_bond(sample, settings.recipe)
    return replace(pipeline, settings=settings, plan=plan, analysis=analysis, bond=bond)


def with_dark(prepared: Prepared, dark: NDArray[np.float64], words: str) -> Prepared:
    """Return what the next runs are made from, with another dark, as a revision of its own.

    ``words`` go with the profile into their files. Raises like :meth:`Prepared.for_shape`, and
    ValueError for a dark of another shape than the images.
    """
    settings = prepared.settings
    text = f"{settings.profile_text.rstrip()}\n# while it ran: {words}\n"
    changed = replace(
        prepared,
        settings=replace(settings, profile_text=text),
        detector=replace(prepared.detector, dark=dark),
        revision=prepared.revision + 1,
        pipeline=None,
    )
    rows, columns = dark.shape
    return replace(changed, pipeline=changed.for_shape((rows, columns)))


def _planned(
    settings: Settings,
    sample: SampleFiles,
    integrator: Integrator,
    geometry: Geometry,
    revision: int,
) -> tuple[Plan, Analysis]:
    recipe = settings.recipe
    try:
        energy = HC / geometry.wavelength
        plan = sample_plan(
            sample,
            recipe,
            integrator.q,
            energy=energy,
            correlation=integrator.correlation,
            revision=revision,
        )
        return plan, sample_analysis(sample, settings.profile, recipe, plan, energy=energy)
    except ValueError as error:
        wanted = "settings that the data allow"
        file = str(settings.recipe_file)
        raise ConfigError([Complaint(file, "reduction", str(error), wanted)]) from None


def _pipeline(settings: Settings, sample: SampleFiles, seen: _Seen, revision: int) -> Pipeline:
    plan, analysis = _planned(settings, sample, seen.integrator, seen.geometry, revision)
    return Pipeline(
        settings=settings,
        geometry=seen.geometry,
        integrator=seen.integrator,
        plan=plan,
        analysis=analysis,
        bond=sample_bond(sample, settings.recipe),
        ignored=seen.ignored,
        tiles=seen.tiles,
    )
