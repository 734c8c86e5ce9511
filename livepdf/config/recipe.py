"""The recipe: the sample and how this experiment is evaluated, as people write it in TOML."""

from pathlib import Path
from typing import Annotated, Literal

from pydantic import Field, model_validator

from livepdf.config.breakdown import Breakdown
from livepdf.config.pump_probe import PumpProbe
from livepdf.config.quality import Quality
from livepdf.config.serial import Serial
from livepdf.config.table import Positive, Table

NonNegative = Annotated[float, Field(ge=0)]


_MOST_POINTS = 20_000
"""Of G(r)."""


class Sample(Table):
    """What is in the cell."""

    name: str = Field(default="", max_length=400)
    composition: str = Field(
        min_length=1, max_length=400, description="Chemical formula, e.g. 'HfO2'."
    )
    density: Positive | None = Field(
        default=None, description="g/cm³ of the scattering substance; for scale = 'absolute'."
    )


class Reduction(Table):
    """From I(Q) to G(r); names as in PDFgetX3."""

    qmin: NonNegative = Field(default=0.8, description="Å⁻¹, lower limit of the transform.")
    qmax: Positive = Field(default=20.0, description="Å⁻¹, upper limit of the transform.")
    qmaxinst: Positive | None = Field(
        default=None, description="Å⁻¹, last meaningful intensity; qmax when left out."
    )
    rpoly: Annotated[float, Field(ge=0, le=20)] = Field(
        default=0.9, description="Å; the correction polynomial eats all below. Keep under the bond."
    )
    rmin: NonNegative = Field(default=0.0, description="Å")
    rmax: Positive = Field(default=60.0, description="Å")
    rstep: Positive = Field(default=0.02, description="Å")
    scale: Literal[
        "lsq", "mean", "high-q", "absolute", "solute", "fixed", "monitor", "reference"
    ] = Field(
        default="mean",
        description="How I(Q) is put on the scale of f²: 'lsq' as PDFgetX3 does (drifts while a "
        "sample crystallises), 'mean' and 'high-q' do not, 'absolute' is Krogh-Moe and Norman's "
        "(needs sample.density and energy). 'solute': what analysis.precursor, measured like the "
        "run, tells of free atoms beside the backgrounds, one scale for the whole run: conversion "
        "is then absolute for a solution. With scale_value: 'fixed', 'monitor' (electron units "
        "per I0-normalised intensity), 'reference' (what another pattern gave).",
    )
    scale_value: Positive | None = Field(
        default=None, description="Only with scale = 'fixed', 'monitor' or 'reference'."
    )
    scale_from: Path | None = Field(
        default=None,
        description="With scale = 'reference', in place of scale_value: a pattern (Q in Å⁻¹, I "
        "and, where known, σ, backgrounds not subtracted) whose 'mean' scale all others get.",
    )
    scale_sigma: NonNegative = Field(
        default=0.0, description="One standard uncertainty of scale_value; goes into every σ."
    )
    mode: Literal["xray", "neutron"] = "xray"
    energy: Positive | None = Field(
        default=None,
        description="keV, of the photons; the calibration's when left out. For the recoil of "
        "Compton scattering (scale = 'absolute', fitted backgrounds), dispersion and absorption.",
    )
    dispersion: bool = Field(
        default=False,
        description="Add f' and f'' at that energy to the form factors; near an absorption edge.",
    )
    taper: Literal["none", "lorch", "lorch-pdfgetx3", "cosine"] = "none"
    transform: Literal["exact", "fft"] = Field(
        default="exact", description="'fft' copies PDFgetX3's FFT with interpolation."
    )

    @model_validator(mode="after")
    def _limits_are_in_order(self) -> "Reduction":
        if not self.qmin < self.qmax:
            raise ValueError(f"qmin {self.qmin} below qmax {self.qmax}")
        if self.qmaxinst is not None and self.qmaxinst < self.qmax:
            raise ValueError(f"qmaxinst {self.qmaxinst} not below qmax {self.qmax}")
        if not self.rmin < self.rmax:
            raise ValueError(f"rmin {self.rmin} below rmax {self.rmax}")
        if (self.rmax - self.rmin) / self.rstep > _MOST_POINTS:
            raise ValueError(f"at most {_MOST_POINTS} steps of rstep from rmin to rmax")
        told = self.scale in ("fixed", "monitor", "reference")
        if self.scale_from is not None and (self.scale != "reference" or self.scale_value):
            raise ValueError("scale_from with scale = 'reference' alone, in place of scale_value")
        if told != (self.scale_value is not None or self.scale_from is not None):
            raise ValueError("scale_value exactly when scale = 'fixed', 'monitor' or 'reference'")
        if self.scale_sigma > 0 and not told:
            raise ValueError("scale_sigma only beside scale_value")
        if self.dispersion and self.mode != "xray":
            raise ValueError("dispersion with mode = 'xray' alone")
        return self


class RampPoint(Table):
    """One blank of a series over temperature."""

    temperature: float = Field(description="In the unit that the frames tell theirs in.")
    file: Path = Field(description="Columns Q (Å⁻¹), I and, where known, σ.")


class Background(Table):
    """One pattern that is not the sample: cell, solvent, air."""

    name: str = "background"
    file: Path | None = Field(
        default=None,
        description="Columns Q (Å⁻¹), I and, where known, σ; or an earlier run: RUN.nxs, or "
        "RUN.nxs#100-299 for its windows within frames 100 to 299. Or else a ramp.",
    )
    points: Annotated[int, Field(ge=2, le=50)] | None = Field(
        default=None,
        description="With file = an earlier run of blanks along a ramp of temperature: gather its "
        "windows at so many temperatures (8 or so) and use them as a ramp.",
    )
    ramp: list[RampPoint] = Field(
        default=[],
        max_length=200,
        description="In place of file: the same blank at several temperatures, all of one "
        "exposure or divided by it.",
    )
    match: str = Field(
        default="temperature",
        min_length=1,
        description="Which number of the frames' surroundings says where in the ramp they are; "
        "'fit': none, the mean and its changes are fitted to every pattern.",
    )
    components: Annotated[int, Field(ge=0, le=4)] = Field(
        default=4,
        description="At most so many kinds of change with temperature, of those that "
        "stand above noise.",
    )
    denoise: Positive | None = Field(
        default=None,
        description="Å; leave only what distances up to this make. For liquids, 24 or so.",
    )
    cell: bool = Field(
        default=False,
        description="The sample's own empty capillary, which the sample shades; with [absorption].",
    )
    scale: NonNegative | Literal["fit", "monitor"] = Field(
        default=1.0,
        description="A number; 'fit': found in every pattern beside the sample's own scattering; "
        "'monitor': one over the monitor below, for frames that are divided by I0.",
    )
    monitor: Positive | None = Field(
        default=None, description="I0 counts of the file's exposure; only with scale = 'monitor'."
    )

    @model_validator(mode="after")
    def _monitor_where_needed(self) -> "Background":
        if (self.scale == "monitor") != (self.monitor is not None):
            raise ValueError("monitor exactly when scale = 'monitor'")
        return self

    @model_validator(mode="after")
    def _file_or_ramp(self) -> "Background":
        if (self.file is None) != bool(self.ramp):
            raise ValueError("exactly one of file and ramp")
        if len({point.temperature for point in self.ramp}) != len(self.ramp):
            raise ValueError("every temperature of the ramp once")
        if len(self.ramp) == 1:
            raise ValueError("two temperatures or more in a ramp")
        if self.points is not None and self.file is None:
            raise ValueError("points with file = RUN.nxs alone")
        if self.match == "fit" and self.scale != "fit":
            raise ValueError("scale = 'fit' with match = 'fit'")
        return self

    @property
    def files(self) -> list[Path]:
        """Return the file, or those of the ramp."""
        return [point.file for point in self.ramp] if self.file is None else [self.file]


class Absorption(Table):
    """What a filled capillary absorbs of its own scattering."""

    radius: Positive = Field(description="mm, of the sample: the inner one of the capillary.")
    mu: NonNegative | None = Field(
        default=None,
        description="1/mm, linear absorption coefficient of the sample as filled; from "
        "sample.composition, sample.density, packing and the energy when left out.",
    )
    packing: Annotated[float, Field(gt=0, le=1)] = Field(
        default=1.0, description="Share of the volume that is sample, where mu is left out."
    )
    wall: NonNegative = Field(default=0.0, description="mm, thickness of the wall.")
    wall_mu: NonNegative = Field(default=0.0, description="1/mm, of the wall.")


class Normalization(Table):
    """What a frame's counts are divided by beside the pixel corrections."""

    monitor: bool = Field(default=False, description="Divide by I0; frames without are refused.")
    exposure: bool = Field(default=False, description="Divide by the exposure time.")


class Window(Table):
    """How many frames make one point in time."""

    frames: Annotated[int, Field(ge=1)] | None = None
    seconds: Positive | None = Field(default=None, description="By the detector's clock.")

    @model_validator(mode="after")
    def _one_of_both(self) -> "Window":
        if (self.frames is None) == (self.seconds is None):
            raise ValueError("exactly one of frames and seconds")
        return self


class Peak(Table):
    """A peak of G(r) to follow."""

    name: str = Field(min_length=1, description="E.g. 'Hf-O'.")
    near: Positive = Field(description="Å, where it is expected.")
    reach: Positive = Field(default=0.35, description="Å to each side that the fit looks at.")


class Model(Table):
    """A model from elsewhere: how much of it is in every window, and how well it describes it."""

    name: str = Field(min_length=1, description="E.g. 'melt'; shown as 'melt amount'.")
    file: Path = Field(
        description="CIF, XYZ cluster, or a trajectory (extended XYZ, LAMMPS dump, what ASE "
        "reads), whose steps are averaged."
    )
    species: list[str] = Field(
        default=[], max_length=118, description="Elements of LAMMPS types 1, 2, …"
    )
    start: Annotated[int, Field(ge=0)] = Field(default=0, description="First step that is read.")
    every: Annotated[int, Field(ge=1)] = Field(default=1, description="Then every so many steps.")
    uiso: NonNegative | None = Field(
        default=None,
        description="Å², of every atom; what a CIF holds, else 0.005, or 0 for a trajectory, when "
        "left out.",
    )
    diameter: Positive | None = Field(
        default=None, description="Å, of spheres cut from a crystal or box."
    )


class Bond(Table):
    """A shell of neighbours whose distance is fitted inside the structure."""

    name: str = Field(min_length=1, description="E.g. 'Hf-O'; shown as 'Hf-O distance'.")
    near: Positive = Field(description="Å, where the structure has it.")
    reach: Positive = Field(default=0.15, description="Å to each side.")


class Analysis(Table):
    """What is growing, how big, since when: a structure fitted to F(Q) of every window."""

    structures: list[Annotated[str, Field(max_length=4096)]] = Field(
        min_length=1,
        max_length=20,
        description="Built-in names (see livepdf check) or CIF files, the likeliest first; they "
        "compete, and a second one is added where the data ask for it.",
    )
    smallest: Positive = Field(default=10.0, description="Å, least diameter looked for.")
    largest: Positive = Field(default=100.0, description="Å, largest diameter looked for.")
    shapes: list[Literal["sphere", "ellipsoid", "rod", "plate", "cube"]] = Field(
        default=["sphere"],
        min_length=1,
        max_length=5,
        description="The first is fitted; the others where it does not describe the data.",
    )
    size_distribution: bool = Field(
        default=False, description="Fit the width of the sizes where the data ask for it."
    )
    full_scale: Positive | None = Field(
        default=None,
        description="Crystalline scale of a sample that has wholly reacted: conversion is 1 there. "
        "Left out: what the sample's Compton scattering leaves of 1 with the scale of the "
        "reduction.",
    )
    precursor: list[Path] = Field(
        default=[],
        max_length=20,
        description="Patterns of the solution before it reacts (Q in Å⁻¹, I, σ; 20 frames or "
        "more), as measured, or frames of an earlier run: RUN.nxs#0-199. Fitted along, never taken "
        "for crystals.",
    )
    bond: list[Bond] = Field(default=[], max_length=20, description="Bond lengths to follow.")
    template: Positive = Field(
        default=20.0, description="Å, diameter of the template whose amplitude finds the onset."
    )
    baseline: Annotated[int, Field(ge=5)] = Field(
        default=20, description="Windows before the heater that the onset is judged against."
    )
    heater: str = Field(
        default="heater on", description="Text of the mark that says that the heater goes on."
    )
    temperature: str = Field(
        default="temperature", description="Which slow value is that of the sample, K."
    )
    warming: Positive = Field(
        default=10.0, description="K of rise that say that the heater is on, without any mark."
    )
    kinetics: list[Literal["jmak", "gualtieri", "coarsening"]] = Field(
        default=["jmak", "coarsening"],
        max_length=3,
        description="Laws that conversion and size are fitted by.",
    )
    target_size: Positive | None = Field(
        default=None, description="Å: say when the domains will be that large, and how likely."
    )
    cross_checks: bool = Field(
        default=True, description="Also estimate the size without the fit, and compare."
    )

    @model_validator(mode="after")
    def _sizes_are_in_order(self) -> "Analysis":
        if not self.smallest < self.largest:
            raise ValueError(f"smallest {self.smallest} below largest {self.largest}")
        if not self.smallest <= self.template <= self.largest:
            raise ValueError(f"template {self.template} within smallest and largest")
        return self


class Recipe(Table):
    """A whole recipe file."""

    sample: Sample
    reduction: Reduction = Reduction()
    background: list[Background] = Field(
        default=[], max_length=20, description="Subtracted, scaled each."
    )
    absorption: Absorption | None = None
    normalization: Normalization = Normalization()
    window: Window = Window(frames=10)
    quality: Quality = Quality()
    peak: list[Peak] = Field(default=[], max_length=50, description="Peaks of G(r) to follow.")
    model: list[Model] = Field(
        default=[], max_length=8, description="Models from elsewhere as parts of every pattern."
    )
    analysis: Analysis | None = None
    pump_probe: PumpProbe | None = Field(
        default=None, description="Shots with and without a laser: ΔI(Q) and ΔG(r) over the delay."
    )
    serial: Serial | None = Field(
        default=None, description="Few shots hit a particle: hit rate, powder, sizes."
    )
    breakdown: Breakdown | None = Field(
        default=None, description="Every shot with the laser destroys its sample."
    )

    @model_validator(mode="after")
    def _what_one_table_needs_of_another(self) -> "Recipe":
        tied = self.reduction.scale == "monitor"
        tied = tied or any(background.scale == "monitor" for background in self.background)
        if tied and not self.normalization.monitor:
            raise ValueError("normalization.monitor = true, as a scale is tied to the monitor")
        if self.reduction.scale == "solute" and not (
            self.background and self.analysis is not None and self.analysis.precursor
        ):
            raise ValueError(
                "analysis.precursor and a [[background]] of the solvent with scale = 'solute'"
            )
        if self.reduction.scale == "absolute" and self.sample.density is None:
            raise ValueError("sample.density (g/cm³) with scale = 'absolute'")
        followed = any((b.ramp or b.points) and b.match != "fit" for b in self.background)
        if self.reduction.scale_from is not None and followed:
            raise ValueError("scale_value in place of scale_from, as a background follows a number")
        shots = self.pump_probe or self.serial or self.breakdown
        if shots is not None and self.normalization.monitor:
            raise ValueError(
                "normalization.monitor = false with [pump_probe], [serial] or [breakdown]: these "
                "divide shots by I0 themselves"
            )
        if self.absorption is None and any(background.cell for background in self.background):
            raise ValueError("[absorption] where a background is the cell")
        unknown = self.absorption is not None and self.absorption.mu is None
        if unknown and self.sample.density is None:
            raise ValueError("absorption.mu (1/mm) or sample.density (g/cm³)")
        return self
