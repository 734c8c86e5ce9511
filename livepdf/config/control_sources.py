"""Sources behind a control system or a message broker, one table per kind."""

from pathlib import Path
from typing import Annotated, Literal

from pydantic import Field

from livepdf.config.table import Positive, Table


class EpicsPva(Table):
    """Images of an areaDetector (NTNDArray) published by EPICS PVAccess."""

    kind: Literal["epics-pva"]
    channel: str = Field(
        min_length=1, description="Name of the array, e.g. '13PIL1:Pva1:Image'. Many may read it."
    )
    addresses: list[str] = Field(
        default=[],
        description="Hosts that serve it; when left out, EPICS' own variables and broadcast hold.",
    )
    broadcast: bool = Field(default=True, description="Look on the local networks too.")
    attributes: dict[str, str] = Field(
        default={},
        description="Attributes of the array to take, by our name, e.g. "
        "{ monitor = 'IonChamber', temperature = 'SampleTemp', exposure = 'AcquireTime' }.",
    )
    series: str | None = Field(
        default=None, description="Attribute whose change begins a run, e.g. a file name."
    )
    acquire: str | None = Field(
        default=None,
        description="PV that is 1 while the detector runs; a run ends when it falls. It must be "
        "served by PVA.",
    )
    time: Literal["server", "detector"] = Field(
        default="server", description="'server': timeStamp; 'detector': dataTimeStamp."
    )
    gap_timeout: Positive = Field(
        default=0.5, description="s to wait for a missing image before it counts as lost."
    )
    idle_timeout: Positive = Field(
        default=60.0, description="s without an image after which the run is over."
    )
    queue: Annotated[int, Field(ge=1)] = Field(
        default=256, description="MiB of images that may wait for the intake."
    )


class BlueskyDocuments(Table):
    """bluesky documents (JSON or msgpack) that a 0MQ proxy publishes; images come from files."""

    kind: Literal["bluesky-documents"]
    endpoint: str = Field(
        pattern=r"^(tcp|ipc|inproc)://.+",
        description="Where the proxy publishes, e.g. 'tcp://proxy.example:5568'. Many may read it.",
    )
    prefix: str = Field(
        default="", pattern=r"^\S*$", description="The publisher's, where the proxy has several."
    )
    stream: str = Field(default="primary", description="Event stream that holds the images.")
    image: str | None = Field(
        default=None, description="Data key of the images; the first of them when left out."
    )
    values: dict[str, str] = Field(
        default={},
        description="Data keys to take with each image, by our name, e.g. { monitor = 'I0', "
        "temperature = 'cs800' }; every number under its own name when left out.",
    )
    paths: dict[str, str] = Field(
        default={},
        description="Where files of other machines are here: { '/their/data' = '/mnt/data' }.",
    )
    file_timeout: Positive = Field(
        default=10.0, description="s to wait for a file that a document refers to."
    )
    read_timeout: Positive = Field(
        default=20.0, description="s after which a reader that hangs on a file is killed."
    )
    gap_timeout: Positive = Field(
        default=2.0, description="s to wait for a missing image before it counts as lost."
    )
    idle_timeout: Positive = Field(
        default=3600.0, description="s without an image after which a run without a stop is over."
    )
    largest_message: Annotated[int, Field(gt=0)] = Field(
        default=512, description="MiB; a larger document is refused and counted."
    )
    republish: None = Field(default=None, description="A published stream needs none.")
    republish_queue: Annotated[int, Field(gt=0)] = 512


class Asapo(Table):
    """DESY ASAP::O: the newest stream of a data source. Not tested against a real broker."""

    kind: Literal["asapo"]
    server: str = Field(min_length=1, description="host:port of the broker.")
    beamtime: str = Field(min_length=1)
    data_source: str = Field(min_length=1, description="E.g. the name of the detector.")
    token: Path = Field(description="File with the access token.")
    start: Literal["new", "all"] = Field(
        default="new", description="'new': from the next message on; 'all': whole newest stream."
    )
    patience: Positive = Field(default=1.0, description="s that the broker may take to answer.")
    gap_timeout: Positive = Field(
        default=1.0, description="s to wait for a missing message before it counts as lost."
    )
    idle_timeout: Positive = Field(
        default=600.0, description="s without a message after which the run is over."
    )
    read_timeout: Positive = Field(
        default=20.0, description="s after which a reader that hangs on a file is killed."
    )
    queue: Annotated[int, Field(ge=1)] = Field(
        default=256, description="MiB of images that may wait for the intake."
    )
