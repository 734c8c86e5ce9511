"""One X-ray pulse on the sample, after integration: what pump-probe and serial work count."""

from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

ShotClass = Literal["on", "off", "laser only", "dark"]
"""X-rays with and without the laser, the laser without X-rays, neither."""
ShotId = tuple[int, int]
"""Train (SACLA: tag) and pulse in the train: what a shot is joined by, never its arrival."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ShotLabel:
    """What the beamline's records say of a shot."""

    kind: ShotClass
    delay: float
    """s, positive when the X-rays come after the laser; NaN where the class has none."""
    i0: float
    """Incident intensity, in any unit that is proportional to photons."""
    energy: float = float("nan")
    """keV, NaN where it is not measured for each shot."""
    arrival: float = float("nan")
    """s, what of the delay the arrival-time tool added; NaN where none did."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Shot:
    """A shot with its label and its pattern."""

    id: ShotId
    label: ShotLabel
    iq: NDArray[np.float64]
    """(n_q,) Σ signal / Σ weight, not divided by I0; NaN where no pixel counts."""
