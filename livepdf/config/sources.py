"""Where frames come from: one table per kind of source, told apart by ``kind``.

A new kind is a class here, its name in ``Source``, and one line in ``sources/open_source.py``.
"""

from pathlib import Path
from typing import Annotated, Literal

from pydantic import Field

from livepdf.config.table import Positive, Table


class DectrisStreamV2(Table):
    """DECTRIS Stream V2: CBOR messages pushed by the detector control unit."""

    kind: Literal["dectris-stream-v2"]
    endpoint: str = Field(
        pattern=r"^(tcp|ipc|inproc)://.+",
        description="Address to connect to, e.g. 'tcp://dcu.example:31001'. "
        "A pushed stream has one reader: never share it with a file writer.",
    )
    channel: str | None = Field(
        default=None, description="Threshold channel; the first announced one when left out."
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


Source = Annotated[
    DectrisStreamV2 | Directory,
    Field(discriminator="kind"),
]
