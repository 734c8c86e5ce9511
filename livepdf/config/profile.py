"""The profile: what stays the same at one instrument, as people write it in TOML."""

import ipaddress
import re
from pathlib import Path
from typing import Annotated, Literal

from pydantic import Field, ValidationInfo, field_validator, model_validator

from livepdf.config.publish import Publish
from livepdf.config.slow import SlowList
from livepdf.config.sources import Source
from livepdf.config.table import Positive, Table
from livepdf.config.tiles import Tiles

_TCP = r"^tcp://(\d+\.\d+\.\d+\.\d+|[A-Za-z][\w.-]*|\[[0-9a-fA-F:]+\]):\d+$"
_FOLDER_FIELDS = ("proposal", "sample", "composition", "instrument", "date", "series", "run")
_DEEPEST = 8
Flip = Literal["none", "ud", "lr", "udlr"]


class Instrument(Table):
    """Who and where."""

    name: str = Field(description="Beamline and endstation, e.g. 'P02.1'.")
    facility: str = Field(default="", description="E.g. 'PETRA III'.")


class DeadTime(Table):
    """How long a pixel of a counting detector is busy after each count."""

    seconds: Positive | None = Field(default=None, description="s, of one pixel.")
    kind: Literal["non-paralysable", "paralysable"] = Field(
        default="non-paralysable", description="Whether a count during that time prolongs it."
    )
    table: Path | None = Field(
        default=None,
        description="In place of seconds: the maker's table, measured and true counts per s and "
        "pixel, two rising columns.",
    )

    @model_validator(mode="after")
    def _one_of_both(self) -> "DeadTime":
        if (self.seconds is None) == (self.table is None):
            raise ValueError("exactly one of seconds and table")
        return self


class Detector(Table):
    """Geometry and what is wrong with the pixels. Images below are in the order as read."""

    poni: Path = Field(description="Calibration by pyFAI (pyFAI-calib2).")
    masks: list[Path] = Field(
        default=[], description="Mask images, non-zero = ignore (pyFAI-drawmask); added up."
    )
    flip: Flip = Field(
        default="none",
        description="What turns an image as read into the one that was calibrated: "
        "ud = upside down, lr = left to right.",
    )
    sentinels: Literal["mask", "keep"] = Field(
        default="mask", description="'mask' ignores negative and dtype-maximum pixels per frame."
    )
    dark: Path | None = Field(default=None, description="Dark image, subtracted.")
    flat: Path | None = Field(default=None, description="Flat field, divided by.")
    saturation: Positive | None = Field(
        default=None, description="Counts at and above which a pixel is ignored."
    )
    gain: Positive = Field(
        default=1.0, description="Detector units per photon; the Poisson variance is gain × counts."
    )
    dead_time: DeadTime | None = Field(
        default=None,
        description="Put back the counts that pixels miss, ring by ring; frames then need their "
        "exposure time. Not for single pulses, nor where the detector does it itself.",
    )
    tiles: Tiles | None = Field(
        default=None,
        description="For tiled detectors that read charge: pedestal, gain and common mode of each "
        "shot, in place of dark, flat and gain.",
    )

    @model_validator(mode="after")
    def _tiles_alone(self) -> "Detector":
        told = self.dark is not None or self.flat is not None or self.gain != 1.0
        if self.tiles is not None and (told or self.dead_time is not None):
            raise ValueError("detector.tiles without dark, flat, gain and dead_time beside it")
        if self.tiles is not None and self.flip != "none":
            raise ValueError("flip = 'none' with detector.tiles")
        return self


class Integration(Table):
    """From pixels to I(Q)."""

    bins: Annotated[int, Field(ge=16, le=65_000)] = 2000
    qmin: Annotated[float, Field(ge=0)] | None = Field(
        default=None,
        description="Å⁻¹, lower edge of the first bin; the detector's own if left out.",
    )
    qmax: Positive | None = Field(default=None, description="Å⁻¹, upper edge of the last bin.")
    split: Literal["no", "bbox", "full"] = Field(
        default="no", description="Pixel splitting; it correlates bins and misstates σ."
    )
    polarization: Annotated[float, Field(ge=-1, le=1)] | None = Field(
        default=0.99, description="Horizontal polarization factor."
    )
    solid_angle: bool = True


class Resolution(Table):
    """Q resolution of the instrument, from a standard; sizes are withheld while it is unknown."""

    qdamp: Annotated[float, Field(ge=0)] | None = Field(default=None, description="Å⁻¹")
    qdamp_sigma: Annotated[float, Field(ge=0)] = Field(default=0.0, description="Å⁻¹")
    qbroad: Annotated[float, Field(ge=0)] | None = Field(
        default=None,
        description="Å⁻¹, how peaks of G(r) broaden with r; written into every .gr for refinement.",
    )


def is_loopback(address: str) -> bool:
    """Whether only this machine can reach what is bound to ``tcp://host:port``."""
    host = address.partition("://")[2].rpartition(":")[0].strip("[]")
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


class Wire(Table):
    """Addresses for viewers and control. Only loopback until keys are set up."""

    keys: Path | None = Field(
        default=None,
        description="Directory that `livepdf keys` filled; nobody then comes in without a key.",
    )
    requests: str = Field(
        default="tcp://127.0.0.1:5600",
        pattern=_TCP,
        description="Address that clients are given; port 0 takes a free one. Any that others can "
        "reach needs keys.",
    )
    results: str = Field(
        default="tcp://127.0.0.1:0",
        pattern=_TCP,
        description="Address of the published results; clients learn it from the first.",
    )
    clients: Annotated[int, Field(ge=1, le=1000)] = Field(
        default=64, description="That may be connected at once."
    )
    rate: Positive = Field(default=100.0, description="Requests per s that each may make for long.")

    @field_validator("requests", "results")
    @classmethod
    def _none_but_this_machine_without_keys(cls, address: str, info: ValidationInfo) -> str:
        if info.data.get("keys") is None and not is_loopback(address):
            raise ValueError("an address of this machine alone (127.0.0.1), or wire.keys")
        return address


class Metrics(Table):
    """Numbers for Prometheus, on this machine alone."""

    port: Annotated[int, Field(ge=0, le=65535)] = Field(
        default=9600, description="Of http://127.0.0.1:PORT/metrics; 0 takes a free one."
    )


class Limits(Table):
    """What the daemon may use."""

    workers: Annotated[int, Field(ge=1, le=64)] = Field(
        default=2, description="That unpack and integrate, each on one core."
    )
    worker_kind: Literal["auto", "threads", "processes"] = Field(
        default="auto",
        description="'auto': threads up to 4, processes beyond; each takes 250 MB or more.",
    )
    queue: Annotated[int, Field(ge=1)] = Field(default=512, description="MiB of waiting frames.")
    history: Annotated[int, Field(ge=16)] = Field(
        default=1024, description="MiB of windows kept for late viewers."
    )
    spool: Annotated[int, Field(ge=64)] = Field(
        default=65_536, description="MiB of frames that may wait on disk; then they are refused."
    )


class Output(Table):
    """Where results go."""

    directory: Path = Field(default=Path("livepdf-output"), description="Made when missing.")
    folders: str = Field(
        default="",
        description="Folders below it for the files of each run, e.g. '{proposal}/{sample}'; of "
        "{proposal}, {sample}, {composition}, {instrument}, {date}, {series} and {run}.",
    )
    proposal: str = Field(default="", max_length=100, description="What {proposal} stands for.")
    flush: Positive = Field(default=1.0, description="s between two flushes to disk.")
    spool: Path | None = Field(
        default=None,
        description="Where frames wait on disk: a fast local one. The directory of the results "
        "where it is left out.",
    )
    journal: bool = Field(
        default=False,
        description="Write every frame to the spool before it is worked on, so that none is lost "
        "with a killed process.",
    )
    reserve: Annotated[int, Field(ge=0)] = Field(
        default=512, description="MiB that waiting frames leave free on the disk, for results."
    )
    warn_hours: Annotated[float, Field(ge=0)] = Field(
        default=2.0,
        description="h: say so when a disk will be full sooner, at the pace of the last minutes.",
    )
    warn_free: Annotated[int, Field(ge=0)] = Field(
        default=2048, description="MiB: say so when less is free on a disk."
    )
    record: bool = Field(
        default=False,
        description="Also write every message of the stream, byte for byte, to a recording "
        "(.mcap) in the directory, for `livepdf replay`.",
    )

    @model_validator(mode="after")
    def _folders_stay_below(self) -> "Output":
        if trouble := _wrong_folders(self.folders):
            raise ValueError(trouble)
        if "{proposal}" in self.folders and not self.proposal:
            raise ValueError("output.proposal, as folders name {proposal}")
        return self


def _wrong_folders(template: str) -> str:
    """Return what is wanted of a template of folders where it is wrong; empty where it is not."""
    bare = re.sub(r"\{(\w+)\}", lambda found: "x" if found[1] in _FOLDER_FIELDS else "{", template)
    if "{" in bare or "}" in bare:
        return f"folders of {', '.join(f'{{{name}}}' for name in _FOLDER_FIELDS)}"
    parts = bare.split("/") if bare else []
    if len(parts) > _DEEPEST:
        return f"at most {_DEEPEST} folders in one another"
    if not all(re.fullmatch(r"[\w+-][\w.+-]*", part) for part in parts):
        return "folders below the directory: no '..', none that is absolute, hidden or empty"
    return ""


class Profile(Table):
    """A whole profile file."""

    instrument: Instrument
    source: Source
    detector: Detector
    integration: Integration = Integration()
    resolution: Resolution = Resolution()
    wire: Wire = Wire()
    publish: list[Publish] = Field(
        default=[], max_length=20, description="Where results go beside the wire: [[publish]]."
    )
    metrics: Metrics | None = Field(default=None, description="Off without this table.")
    limits: Limits = Limits()
    output: Output = Output()
    slow: SlowList = Field(
        default=[], description="Feeds of slow values beside the images: [[slow]] for each."
    )
