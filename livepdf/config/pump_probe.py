"""The part of a recipe that tells shots with and without a laser apart."""

from typing import Annotated, Literal

from pydantic import Field, model_validator

from livepdf.config.table import Positive, Table

Unit = Literal["s", "ms", "us", "ns", "ps", "fs", "m", "mm", "um"]
TimeUnit = Literal["s", "ms", "us", "ns", "ps", "fs"]
_MONITOR = "'monitor' is the frame's I0, everything else a slow value."


class Flag(Table):
    """A number of every shot that says yes or no."""

    name: str = Field(min_length=1, description=f"Of the value; {_MONITOR}")
    yes: list[float] = Field(default=[1.0], min_length=1)
    no: list[float] = Field(default=[0.0], min_length=1)


class Gate(Table):
    """Limits between which a number of every shot is believed."""

    name: str = Field(min_length=1, description=f"Of the value; {_MONITOR}")
    low: float | None = None
    high: float | None = None

    @model_validator(mode="after")
    def _in_order(self) -> "Gate":
        if self.low is not None and self.high is not None and not self.low < self.high:
            raise ValueError(f"low {self.low} below high {self.high}")
        return self


class DelayPart(Table):
    """One of the values that add up to the delay between laser and X-rays."""

    name: str = Field(min_length=1, description="Of the slow value.")
    unit: Unit = Field(description="A time, or the place of a stage that light passes twice.")
    sign: Literal[-1, 1] = Field(
        description="1 where a larger value brings the X-rays later after the laser."
    )
    reference: float = Field(description="The value at time zero, in the same unit.")


class Bins(Table):
    """How the delay is divided."""

    edges: list[float] = Field(min_length=2, description="Increasing limits of the bins.")
    unit: TimeUnit

    @model_validator(mode="after")
    def _increase(self) -> "Bins":
        if any(a >= b for a, b in zip(self.edges, self.edges[1:], strict=False)):
            raise ValueError("edges that increase")
        return self


class PumpProbe(Table):
    """Shots with and without a laser: ΔI(Q) and ΔG(r) over the delay."""

    laser: Flag | Literal["even", "odd"] = Field(
        description="A flag, or the parity of the frame's number at which the laser fires."
    )
    i0: Gate = Field(description="Incident intensity and the limits between which it counts.")
    delay: list[DelayPart] = Field(min_length=1, description="All add up.")
    arrival: DelayPart | None = Field(
        default=None, description="The arrival-time tool, added for shots with the laser alone."
    )
    arrival_gates: list[Gate] = Field(
        default=[], description="Amplitude, width, position between which the tool is believed."
    )
    energy: Gate | None = Field(
        default=None,
        description="keV of each shot and the limits between which it counts; each then has a Q "
        "axis of its own. Left out: that of the calibration for all.",
    )
    xrays: list[Flag] = Field(
        default=[], description="All must agree, e.g. the open and the closed switch of a shutter."
    )
    darks_first: bool = Field(
        default=False, description="Believe darks only before the first lit shot."
    )
    bins: Bins
    normalise: Literal["i0", "band", "regression"] = Field(
        default="i0",
        description="By I0, by the mean over a band of Q where nothing changes, or by the slope of "
        "I against I0, where the I0 meter has an offset.",
    )
    band: Annotated[list[Positive], Field(min_length=2, max_length=2)] | None = Field(
        default=None, description="Å⁻¹, low and high; with normalise = 'band'."
    )
    interval: Positive = Field(default=2.0, description="s between two looks at the differences.")

    @model_validator(mode="after")
    def _band_where_needed(self) -> "PumpProbe":
        if (self.normalise == "band") != (self.band is not None):
            raise ValueError("band exactly when normalise = 'band'")
        if self.band is not None and not self.band[0] < self.band[1]:
            raise ValueError(f"band {self.band[0]} below {self.band[1]}")
        if self.arrival_gates and self.arrival is None:
            raise ValueError("arrival beside arrival_gates")
        return self
