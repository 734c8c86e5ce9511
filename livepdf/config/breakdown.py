"""The part of a recipe for runs in which every shot with the laser destroys its sample."""

from typing import Annotated, Literal

from pydantic import Field, model_validator

from livepdf.config.pump_probe import DelayPart, Flag, Gate, TimeUnit
from livepdf.config.shots import Parity, Shots
from livepdf.config.table import Positive, Table


class Along(Table):
    """The axis that samples are put in order by."""

    low: float
    high: float
    bins: Annotated[int, Field(ge=2, le=200)] = 24
    log: bool = Field(default=True, description="Bins of equal ratio instead of equal width.")
    unit: TimeUnit | None = Field(default=None, description="Of low and high; with by = 'delay'.")

    @model_validator(mode="after")
    def _in_order(self) -> "Along":
        if not self.low < self.high:
            raise ValueError(f"low {self.low} below high {self.high}")
        if self.log and not self.low > 0:
            raise ValueError(f"low above 0 (found {self.low}) with log = true")
        return self


class Breakdown(Shots):
    """Destroyed samples against a bank of intact ones: order, lattice and size that are left."""

    laser: Flag | Parity = Field(
        description="A flag, or the parity of the frame's number at which the laser fires."
    )
    by: Literal["delay", "fluence", "shot"] = Field(
        default="delay", description="What samples are put in order by."
    )
    delay: list[DelayPart] = Field(default=[], description="All add up; with by = 'delay'.")
    arrival: DelayPart | None = Field(default=None, description="The arrival-time tool.")
    arrival_gates: list[Gate] = Field(default=[], description="Between which the tool is believed.")
    fluence: str | None = Field(
        default=None, description="Slow value with the fluence in mJ/cm²; with by = 'fluence'."
    )
    along: Along
    size: Positive | None = Field(
        default=None, description="Å, diameter of intact crystals; without it none is told."
    )
    near: Positive = Field(
        default=6.0,
        description="Å; neighbours closer than this do not count as order: a melt has them too.",
    )
    qmin: Positive | None = Field(
        default=None, description="Å⁻¹, from where patterns are compared; reduction.qmin."
    )
    qmax: Positive | None = Field(default=None, description="Å⁻¹; reduction.qmax left out.")
    band: Annotated[list[Positive], Field(min_length=2, max_length=2)] | None = Field(
        default=None,
        description="Å⁻¹, low and high: patterns are divided by their mean there instead of I0.",
    )
    samples: Annotated[int, Field(ge=100, le=100_000)] = Field(
        default=20_000, description="Newest shots whose patterns are kept for comparison."
    )

    @model_validator(mode="after")
    def _what_the_axis_needs(self) -> "Breakdown":
        if (self.by == "delay") != bool(self.delay):
            raise ValueError("delay exactly when by = 'delay'")
        if (self.by == "fluence") != (self.fluence is not None):
            raise ValueError("fluence exactly when by = 'fluence'")
        if (self.by == "delay") != (self.along.unit is not None):
            raise ValueError("along.unit exactly when by = 'delay'")
        if self.arrival is not None and self.by != "delay":
            raise ValueError("arrival with by = 'delay' alone")
        if self.arrival_gates and self.arrival is None:
            raise ValueError("arrival beside arrival_gates")
        if self.band is not None and not self.band[0] < self.band[1]:
            raise ValueError(f"band {self.band[0]} below {self.band[1]}")
        return self
