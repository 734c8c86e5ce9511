"""Where frames come from: one table per kind of source, told apart by ``kind``.

A new kind is a class here, its name in ``Source``, and one line in ``sources/open_source.py``.
"""

from pathlib import Path
from typing import Annotated, Literal, Self

from pydantic import Field, model_validator

from livepdf.config.control_sources import Asapo, BlueskyDocuments, EpicsPva
from livepdf.config.table import Positive, Table

Address = Annotated[str, Field(pattern=r"^(tcp|ipc|inproc)://.+")]
Pattern = Literal["pull", "sub", "req"]
"""How a sender gives its messages away: pushed to one reader, published to all, or on request."""


class Stream(Table):
    """What all streams over ZeroMQ have in common."""

    endpoint: Address = Field(
        description="Address to connect to, e.g. 'tcp://dcu.example:31001'. "
        "A pushed stream has one reader: never share it with a file writer."
    )
    gap_timeout: Positive = Field(
        default=2.0, description="s to wait for a missing frame before it counts as lost."
    )
    idle_timeout: Positive = Field(
        default=60.0, description="s without a message after which a series without an end is over."
    )
    largest_message: Annotated[int, Field(gt=0)] = Field(
        default=512, description="MiB; a larger message is refused and counted."
    )
    republish: Address | None = Field(
        default=None,
        description="Address to bind, e.g. 'tcp://*:31002', where every message is pushed on "
        "unchanged to a file writer; livepdf then is the one reader of the detector.",
    )
    republish_queue: Annotated[int, Field(gt=0)] = Field(
        default=512, description="MiB that may wait for a slow file writer; more is dropped."
    )


class DectrisStreamV2(Stream):
    """DECTRIS Stream V2: CBOR messages pushed by the detector control unit."""

    kind: Literal["dectris-stream-v2"]
    channel: str | None = Field(
        default=None, description="Threshold channel; the first announced one when left out."
    )


class DectrisStreamV1(Stream):
    """DECTRIS legacy stream: JSON and blobs pushed by the detector control unit, port 9999."""

    kind: Literal["dectris-stream-v1"]


class Stins(Stream):
    """MAX IV: what the streaming-receiver pushes on while it writes the files."""

    kind: Literal["stins"]
    module: Annotated[int, Field(ge=0)] | None = Field(
        default=None,
        description="Which image of each message is taken where it holds several (thresholds); "
        "left out, they are stacked in the order sent.",
    )


class Jungfraujoch(Stream):
    """PSI Jungfraujoch: CBOR messages; its Preview socket publishes a part of the images."""

    kind: Literal["jungfraujoch"]
    pattern: Literal["sub", "pull"] = Field(
        default="sub",
        description="'sub' for the Preview socket; 'pull' for an Image socket, whose only reader "
        "livepdf then is: the collection stops when it does not read.",
    )
    channel: str | None = Field(
        default=None, description="Channel; the first announced one when left out."
    )


class KaraboValue(Table):
    """One value of one source of a train."""

    source: str = Field(min_length=1, description="E.g. 'HED_XTD9_XGM/XGM/DOOCS:output'.")
    key: str = Field(min_length=1, description="E.g. 'data.intensityTD'.")


Axis = Literal["pulse", "module", "slow", "fast"]


class KaraboBridge(Stream):
    """European XFEL: trains from a Karabo bridge."""

    kind: Literal["karabo-bridge"]
    pattern: Pattern = Field(
        default="req", description="'req', 'sub' or 'pull', as the bridge is set up."
    )
    image: KaraboValue = Field(description="Where the images are in a train.")
    axes: list[Axis] = Field(
        default=["slow", "fast"],
        min_length=2,
        max_length=4,
        description="What the axes of the image array are, in order, e.g. "
        "['module', 'fast', 'slow', 'pulse']; online and in files it differs, so it is never "
        "guessed. Modules are stacked along the slow axis.",
    )
    monitor: KaraboValue | None = Field(
        default=None, description="I0: one number a train, or one for each pulse."
    )
    environment: dict[str, KaraboValue] = Field(
        default={}, description="Slow values by the name they get, e.g. temperature (K)."
    )

    @model_validator(mode="after")
    def _axes_are_an_image(self) -> Self:
        if len(set(self.axes)) != len(self.axes) or not {"slow", "fast"} <= set(self.axes):
            raise ValueError("axes that name 'slow' and 'fast', and none twice")
        return self


class Hidra(Table):
    """DESY HiDRA: files that it sends over the network as they are written."""

    kind: Literal["hidra"]
    signal: Address = Field(description="Where it takes orders, e.g. 'tcp://hidra.example:50000'.")
    listen: str = Field(
        pattern=r"^[^:/]+:\d+$",
        description="host:port of this machine where it shall send the files, e.g. "
        "'pdf-pc.example:51000'; port 0 takes a free one.",
    )
    pattern: str = Field(
        default=r".*\.(tif|tiff|cbf|edf|h5|nxs)$",
        description="Regular expression of the files wanted.",
    )
    application: str = Field(default="livepdf", description="By which HiDRA knows this reader.")
    version: str = Field(
        default="4.4.3", pattern=r"^\d+\.\d+\.\d+$", description="Only the first number counts."
    )
    keep: Annotated[int, Field(gt=0)] = Field(
        default=2048, description="MiB of files kept on local disk until they are read."
    )
    idle_timeout: Positive = Field(
        default=60.0, description="s without a new file after which the run is over."
    )
    read_timeout: Positive = Field(
        default=5.0,
        description="s after which a hanging reader is killed; reception waits for it.",
    )


class Directory(Table):
    """Image files that appear in a directory tree."""

    kind: Literal["directory"]
    path: Path = Field(description="Directory to watch, with everything below it.")
    patterns: list[str] = Field(
        default=["*.tif", "*.tiff", "*.cbf", "*.edf", "*.h5", "*.nxs"],
        min_length=1,
        description="File names to take.",
    )
    ignore: list[str] = Field(
        default=["*.tmp", "*.part", ".*", "*.dark.tif", "*_data_*.h5"],
        description="File names to leave: temporary files, darks, and data files that a DECTRIS "
        "master names (they are read through their master).",
    )
    layout: Literal["files", "extra-data"] = Field(
        default="files",
        description="'extra-data': folders of runs of the European XFEL, with one file per "
        "detector module; each folder is one series and `patterns` has no meaning.",
    )
    dataset: str | None = Field(
        default=None,
        description="Where the images are, for HDF5 files and run folders that hold several: "
        "'/entry/instrument/pilatus/data', or the name of the detector in a run folder.",
    )
    start: Literal["new", "all"] = Field(
        default="new", description="'new': only files that appear from now on; 'all': everything."
    )
    poll: Positive = Field(default=0.5, description="s between two looks (network file systems).")
    notify: bool = Field(
        default=True, description="Let the kernel's file events shorten the wait (local disks)."
    )
    settle: Annotated[int, Field(ge=1)] = Field(
        default=2, description="Looks during which size and time of a file must stay the same."
    )
    metadata: Literal["none", "qxrd"] = Field(
        default="none", description="'qxrd': wait for NAME.tif.metadata written after the image."
    )
    metadata_timeout: Positive = Field(default=5.0, description="s to wait for that file.")
    read_timeout: Positive = Field(
        default=20.0, description="s after which a reader that hangs on a file is killed."
    )
    retries: Annotated[int, Field(ge=0)] = Field(
        default=3, description="Further attempts at a file that could not be read."
    )
    idle_timeout: Positive = Field(
        default=60.0, description="s without a new file after which the run is over."
    )


# fmt: off
Source = Annotated[
    Asapo
    | BlueskyDocuments
    | DectrisStreamV1
    | DectrisStreamV2
    | Directory
    | EpicsPva
    | Hidra
    | Jungfraujoch
    | KaraboBridge
    | Stins,
    Field(discriminator="kind"),
]
# fmt: on
