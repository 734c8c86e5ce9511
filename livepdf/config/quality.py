"""When a frame is flagged, and which flags keep it out of the windows."""

from typing import Annotated, Literal

from pydantic import Field

from livepdf.config.table import Positive, Table

Flag = Literal[
    "beam lost",
    "beam low",
    "monitor jump",
    "bubble",
    "capillary shift",
    "background drift",
    "saturation",
    "dead modules",
    "spotty rings",
    "texture",
    "zingers",
]
Share = Annotated[float, Field(ge=0, le=1)]


class Quality(Table):
    """What is measured of every frame, and from where on it raises a flag."""

    leave_out: list[Flag] = Field(
        default=[],
        max_length=11,
        description="Flags whose frames go into no window; they are counted as left out.",
    )
    beam_lost: Share = Field(default=0.1, description="Of the usual counts or I0; below: lost.")
    beam_low: Share = Field(default=0.7, description="Of the usual counts or I0; below: low.")
    monitor_jump: Positive = Field(default=0.1, description="Relative change of I0.")
    bubble: Positive = Field(default=0.1, description="Share of the sample that is gone.")
    capillary_shift: Positive = Field(
        default=0.05,
        description="Relative change of the pattern's shape under its peaks, or of what the first "
        "background (the cell's, where one is) has in it.",
    )
    background_drift: Positive = Field(
        default=0.25,
        description="Intensity of a background that came or went since the run began, over that "
        "of its first frames; growth of the sample moves it too.",
    )
    saturation: Positive = Field(
        default=1e-4,
        description="Share of the pixels at the limit: lacking in every frame, counted in images.",
    )
    dead_modules: Positive = Field(
        default=0.01, description="Share of the pixels that are lacking or silent."
    )
    spotty_rings: Positive = Field(
        default=1.5, description="χ²/dof around the worst rings over that of the first looks."
    )
    texture: Positive = Field(
        default=8.0, description="Amplitude of cos 2χ (1 % at least) over its σ, worst ring."
    )
    zingers: Positive = Field(default=3.0, description="Bins of I(Q) that stand alone.")
    memory: Annotated[int, Field(ge=3, le=1000)] = Field(
        default=10, description="Frames that make up what is usual."
    )
    look_every: Positive = Field(
        default=2.0,
        description="s of exposure between two frames whose image is looked at: spotty rings, "
        "texture, silent modules. Taken as a stride, the nearest power of two, by the number of "
        "the frame; exposures below 4 ms count as 4 ms.",
    )
    look_stride: Annotated[int, Field(ge=1, le=1_000_000)] = Field(
        default=512,
        description="Frames between two whose image is looked at where they tell no exposure; the "
        "nearest power of two is taken.",
    )
