"""Slow values that come beside the images: temperature, monitor, heater, motors."""

from pathlib import Path
from typing import Annotated, Literal

from pydantic import AfterValidator, Field

from livepdf.config.table import Positive, Table


class SlowValue(Table):
    """One value: its name here and there."""

    name: str = Field(
        pattern=r"^[A-Za-z][\w .-]{0,39}$",
        description="E.g. 'temperature' (in K) or 'monitor', which is I0.",
    )
    of: str = Field(min_length=1, description="Its column, dataset, PV or key.")
    scale: float = Field(default=1.0, description="What it is multiplied by.")
    add: float = Field(default=0.0, description="What is added then, e.g. 273.15 to °C.")


class SlowFeed(Table):
    """What all feeds have in common."""

    value: list[SlowValue] = Field(min_length=1, description="What to take from it.")
    join: Literal["last", "nearest", "linear"] = Field(
        default="last",
        description="Which reading belongs to a frame: the last before it, the nearest, or a line "
        "between the two around it.",
    )
    tolerance: Positive = Field(
        default=10.0, description="s that a reading may be away from the frame; beyond it, NaN."
    )
    wait: Annotated[float, Field(ge=0, le=60)] = Field(
        default=0.5, description="s that the sums of a frame wait at most for their reading."
    )
    clock: Literal["estimate", "same"] | float = Field(
        default="estimate",
        description="How the clock of the feed is related to ours: estimated from the times of "
        "receipt, taken to be the same, or s to add to its times.",
    )


class SlowTable(SlowFeed):
    """A table in a text file that grows: CSV or columns, with a line of headings."""

    kind: Literal["table"]
    path: Path = Field(
        description="The file; * in its name stands for anything, the newest counts."
    )
    time: str = Field(default="time", description="Column with the time.")
    time_format: str = Field(
        default="iso",
        description="'iso', 'unix' (s since 1970), or as Python's strptime has it, e.g. "
        "'%d.%m.%Y %H:%M:%S'. Times without a zone are local.",
    )
    frame: str | None = Field(
        default=None, description="Column with the frame's number; joins by it instead of time."
    )
    poll: Positive = Field(default=0.5, description="s between two looks.")


class SlowHdf5(SlowFeed):
    """Datasets of an HDF5 file that may still grow."""

    kind: Literal["hdf5"]
    path: Path = Field(
        description="The file; * in its name stands for anything, the newest counts."
    )
    time: str | None = Field(
        default=None,
        description="Dataset of times, s since 1970; left out, rows are numbered as the frames.",
    )
    poll: Positive = Field(default=1.0, description="s between two looks.")


class SlowPva(SlowFeed):
    """PVs served by EPICS PVAccess; Channel Access is not spoken."""

    kind: Literal["pva"]
    addresses: list[str] = Field(default=[], description="Hosts that serve them, as for images.")
    broadcast: bool = Field(default=True, description="Look on the local networks too.")


class SlowJson(SlowFeed):
    """JSON objects that somebody publishes over ZeroMQ."""

    kind: Literal["json"]
    endpoint: str = Field(
        pattern=r"^(tcp|ipc)://.+", description="Address to subscribe to, e.g. 'tcp://host:5599'."
    )
    time: str = Field(default="time", description="Key of the time, s since 1970.")
    frame: str | None = Field(
        default=None, description="Key of the frame's number; joins by it instead of time."
    )


def _each_name_once(feeds: "list[Slow]") -> "list[Slow]":
    names = [value.name for feed in feeds for value in feed.value]
    twice = sorted({name for name in names if names.count(name) > 1})
    if twice:
        raise ValueError(f"each name of a slow value once, not {', '.join(twice)} twice")
    return feeds


Slow = Annotated[SlowTable | SlowHdf5 | SlowPva | SlowJson, Field(discriminator="kind")]
SlowList = Annotated[list[Slow], AfterValidator(_each_name_once)]
