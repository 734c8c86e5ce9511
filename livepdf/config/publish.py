"""Where results are published beside the wire: [[publish]] tables of the profile, off without."""

from typing import Annotated, Any, Literal

from pydantic import Field, model_validator

from livepdf.config.quality import Flag
from livepdf.config.table import Positive, Table

Happening = Literal[
    "onset", "finding", "target", "run start", "run end", "mark", "recipe", "warning", "error"
]


class PvaPublish(Table):
    """Trends, curves, flags and the state as PVs that EPICS PVAccess serves, read-only."""

    kind: Literal["pva"]
    prefix: str = Field(pattern=r"^[\w:.-]{1,60}$", description="Of every PV, e.g. 'P02:PDF:'.")
    interface: str = Field(
        default="127.0.0.1",
        pattern=r"^\d+\.\d+\.\d+\.\d+$",
        description="Address to serve on; whoever reaches it can read, as EPICS knows no keys.",
    )
    port: Annotated[int, Field(ge=0, le=65535)] = Field(
        default=5075, description="TCP port; 0 takes a free one."
    )


class BlueskyPublish(Table):
    """Documents after bluesky's event model: one run each, one event a window."""

    kind: Literal["bluesky"]
    address: str = Field(
        pattern=r"^tcp://[\w.-]+:\d+$",
        description="Input of bluesky's 0MQ proxy, e.g. 'tcp://127.0.0.1:5577'.",
    )
    prefix: str = Field(default="livepdf", pattern=r"^[\w.-]*$", description="Of every message.")


class Target(Table):
    """A trend is beyond a value, for certain."""

    trend: str = Field(min_length=1, description="Its name, e.g. 'domain size'.")
    above: float = Field(description="In the trend's unit.")
    windows: Annotated[int, Field(ge=1, le=100)] = Field(
        default=3, description="In a row, none of them flagged, each 1.64 σ above (95 %)."
    )


class Occasions(Table):
    """When something is done."""

    on: list[Happening | Flag] = Field(
        min_length=1, max_length=20, description="E.g. ['onset', 'target', 'beam lost']."
    )
    target: Target | None = Field(default=None, description="Only with 'target'.")
    timeout: Positive = Field(default=10.0, description="s that it may take.")
    pause: Annotated[float, Field(ge=0)] = Field(
        default=1.0, description="s after which the same happening counts again."
    )

    @model_validator(mode="after")
    def _target_where_wanted(self) -> "Occasions":
        if ("target" in self.on) != (self.target is not None):
            raise ValueError("target exactly with on = ['target', …]")
        return self


class WebhookPublish(Occasions):
    """A POST with JSON."""

    kind: Literal["webhook"]
    url: str = Field(pattern=r"^https?://\S+$", description="Where to.")


class CommandPublish(Occasions):
    """A program of this machine; it reads JSON on its standard input. No shell is involved."""

    kind: Literal["command"]
    command: list[str] = Field(min_length=1, max_length=50, description="Program and words.")


class PluginPublish(Table):
    """A sink of another package, found by its entry point in the group `livepdf.sinks`."""

    kind: Literal["plugin"]
    name: str = Field(min_length=1, description="Of the entry point.")
    settings: dict[str, Any] = Field(default={}, description="For the plugin.")


Publish = Annotated[
    PvaPublish | BlueskyPublish | WebhookPublish | CommandPublish | PluginPublish,
    Field(discriminator="kind"),
]
