"""What recipes for single shots have in common: their beam, their photon energy, their laser."""

from typing import Literal

from pydantic import Field

from livepdf.config.pump_probe import Flag, Gate
from livepdf.config.table import Positive, Table

Parity = Literal["even", "odd"]


class Shots(Table):
    """How a shot is told from another."""

    i0: Gate = Field(description="Incident intensity and the limits between which it counts.")
    energy: Gate | None = Field(
        default=None,
        description="keV of each shot and the limits between which it counts; each then has a Q "
        "axis of its own. Left out: that of the calibration for all.",
    )
    xrays: list[Flag] = Field(
        default=[], description="All must agree, e.g. the open and the closed switch of a shutter."
    )
    interval: Positive = Field(default=2.0, description="s between two reports.")
