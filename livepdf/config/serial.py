"""The part of a recipe for runs in which few shots hit a particle."""

from typing import Annotated

from pydantic import Field, model_validator

from livepdf.config.pump_probe import Flag
from livepdf.config.shots import Parity, Shots
from livepdf.config.table import Positive, Table


class Peaks(Table):
    """The search for Bragg peaks, on a declared part of the shots."""

    every: Annotated[int, Field(ge=1)] = Field(
        default=1, description="One shot in so many is searched; reports say n of m."
    )
    snr: Positive = Field(default=5.0, description="σ that a peak stands above its ring.")
    fewest_pixels: Annotated[int, Field(ge=1)] = 2
    most_pixels: Annotated[int, Field(ge=1, le=4096)] = 60
    background_radius: Annotated[int, Field(ge=1, le=50)] = Field(
        default=5, description="Pixels around a peak that tell its background."
    )
    threshold: float = Field(default=0.0, description="Photons that a pixel of a peak has at least")

    @model_validator(mode="after")
    def _pixels_in_order(self) -> "Peaks":
        if self.fewest_pixels > self.most_pixels:
            raise ValueError(f"fewest_pixels up to most_pixels {self.most_pixels}")
        return self


class Sizes(Table):
    """Diameters of single particles, from spheres fitted to hits."""

    smallest: Positive = Field(description="Å")
    largest: Positive = Field(description="Å")
    bins: Annotated[int, Field(ge=2, le=200)] = Field(default=20, description="Of the histogram.")
    qmin: Positive | None = Field(default=None, description="Å⁻¹, from where fringes are fitted.")
    qmax: Positive | None = Field(default=None, description="Å⁻¹")
    goodness: Positive = Field(
        default=1.5, description="χ² per degree of freedom above which it is no sphere."
    )
    blur: Annotated[float, Field(ge=0)] = Field(
        default=0.0, description="Å⁻¹ by which the beam centre may be off: it smears fringes."
    )

    @model_validator(mode="after")
    def _in_order(self) -> "Sizes":
        if not self.smallest < self.largest:
            raise ValueError(f"smallest {self.smallest} below largest {self.largest}")
        if self.qmin is not None and self.qmax is not None and not self.qmin < self.qmax:
            raise ValueError(f"qmin {self.qmin} below qmax {self.qmax}")
        return self


class Serial(Shots):
    """Hits among many shots, their powder, and the sizes of single particles."""

    laser: Flag | Parity | None = Field(
        default=None, description="A flag, or a parity of the frame's number: hit rates apart."
    )
    lit: Positive = Field(default=0.7, description="Photons above which a pixel is lit.")
    hit_from: Annotated[int, Field(ge=1)] = Field(
        description="Lit pixels from which on a shot is a hit."
    )
    recent: Annotated[int, Field(ge=10, le=100_000)] = Field(
        default=200, description="Last shots that the quick hit rate is of."
    )
    peaks: Peaks | None = Field(default=None, description="Search hits and blanks for peaks.")
    sizes: Sizes | None = Field(default=None, description="Fit spheres to hits.")
