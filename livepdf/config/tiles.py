"""The part of a profile for detectors of tiles that read charge instead of counts."""

from pathlib import Path
from typing import Annotated

from pydantic import Field

from livepdf.config.table import Positive, Table


class Tiles(Table):
    """From what is read to photons: pedestal, then gain, then common mode, in every shot.

    Pixels at the detector's saturation are left out of that shot, and their share of each bin is
    watched. Give `dark`, `flat` and `gain` of the detector here instead.
    """

    rows: Annotated[int, Field(ge=1)] = Field(
        description="Of a tile; images hold tiles of that height one below the other."
    )
    pedestal: Path | float = Field(description="Detector units without light: image or number.")
    gain: Path | Positive = Field(description="Detector units per photon: image or number.")
    common_mode: bool = Field(
        default=True,
        description="Subtract from each tile the median of its dark pixels, in every shot.",
    )
    dark_below: Positive = Field(
        default=0.5, description="Photons; what reads less tells the common mode."
    )
