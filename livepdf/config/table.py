"""A table of a settings file, and the kinds of numbers that several tables share."""

from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field

Positive = Annotated[float, Field(gt=0)]


class Table(BaseModel):
    """A table of a settings file: unknown keys are complaints, values never change."""

    model_config = ConfigDict(extra="forbid", frozen=True, allow_inf_nan=False)
