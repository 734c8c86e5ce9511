"""Sources behind a control system or a message broker, one table per kind."""

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
