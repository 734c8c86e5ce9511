"""What a person chooses of the reduction, and whether it makes sense."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from livepdf.numerics.adhoc import GIVEN, SCALES, ScaleKind
from livepdf.numerics.capillary import Capillary, check_capillary
from livepdf.numerics.tapers import TaperKind
from livepdf.numerics.transform import TRANSFORMS, TransformKind, spacing
from livepdf.reduction.background import Background

Mode = Literal["xray", "neutron"]
MODES: tuple[Mode, ...] = ("xray", "neutron")
Floats = NDArray[np.float64]


@dataclass(frozen=True, slots=True, kw_only=True)
class Parameters:
    """What a person chose; names as in PDFgetX3."""

    composition: Mapping[str, float]
    """Atoms per formula unit by element."""
    qmin: float
    qmax: float
    qmaxinst: float
    rpoly: float
    rmin: float
    rmax: float
    rstep: float
    scale: ScaleKind
    scale_value: float | None
    taper: TaperKind
    transform: TransformKind
    mode: Mode = "xray"
    scale_sigma: float = 0.0
    """One standard uncertainty of scale_value."""
    density: float | None = None
    """Atoms per Å³, for the scale ``absolute``."""
    energy: float | None = None
    """keV, for Compton's recoil, for f′ and f″, and for the angles of a capillary."""
    dispersion: bool = False
    """Whether f′ and f″ belong to the form factors."""
    capillary: Capillary | None = None
    """What absorbs; None leaves absorption out."""
    correlation: tuple[float, ...] = ()
    """Of the noise of intensities 1, 2, … bins apart, where they share some."""
    own_taper: bool = False
    """A termination function without a name took the place of ``taper``."""


def r_grid(*, rmin: float, rmax: float, rstep: float) -> Floats:
    """Return rmin, rmin + rstep, … up to rmax, (n_r,) Å."""
    count = int(np.floor((rmax - rmin) / rstep + 1e-6)) + 1
    return np.asarray(rmin + rstep * np.arange(count), dtype=np.float64)


def check(parameters: Parameters, *, q: Floats, backgrounds: Sequence[Background]) -> None:
    """Raise ValueError where a parameter has no meaning or asks for Q that the grid lacks."""
    step = spacing(q)
    p = parameters
    if not 0 <= p.qmin < p.qmax <= p.qmaxinst:
        raise ValueError(
            f"wanted 0 <= qmin < qmax <= qmaxinst, found {p.qmin}, {p.qmax}, {p.qmaxinst}"
        )
    if p.qmaxinst > q[-1] + step:
        raise ValueError(f"qmaxinst is {p.qmaxinst}, but the data end at {q[-1]:.4f} 1/A")
    if not (0 <= p.rmin < p.rmax and 0 < p.rstep <= p.rmax - p.rmin):
        raise ValueError(
            f"wanted 0 <= rmin < rmax and a smaller rstep, found {p.rmin}, {p.rmax}, {p.rstep}"
        )
    if p.rpoly < 0:
        raise ValueError(f"rpoly is {p.rpoly}, wanted 0 or more")
    if p.scale not in SCALES:
        raise ValueError(f"scale is {p.scale!r}, wanted one of {', '.join(SCALES)}")
    _check_scale(p)
    if p.mode not in MODES:
        raise ValueError(f"mode is {p.mode!r}, wanted one of {', '.join(MODES)}")
    _check_energy(p)
    if p.transform not in TRANSFORMS:
        raise ValueError(f"transform is {p.transform!r}, wanted one of {', '.join(TRANSFORMS)}")
    for background in backgrounds:
        if background.intensity.shape != q.shape or background.sigma.shape != q.shape:
            raise ValueError(f"background {background.name} is not on the plan's grid of {q.size}")
        if np.isinf(background.factor):
            raise ValueError(f"background {background.name} has the scale {background.factor}")


def _check_scale(p: Parameters) -> None:
    if not p.scale_sigma >= 0:
        raise ValueError(f"scale_sigma is {p.scale_sigma}, wanted 0 or more")
    if p.scale in GIVEN and (p.scale_value is None or not p.scale_value > 0):
        raise ValueError(f"scale {p.scale} needs a positive scale_value, found {p.scale_value}")
    if p.scale == "absolute":
        if p.density is None or not p.density > 0:
            raise ValueError(f"scale absolute needs the density of the sample, found {p.density}")
        if p.mode == "xray" and p.energy is None:
            raise ValueError("scale absolute needs the photon energy for Compton's recoil")


def _check_energy(p: Parameters) -> None:
    for wanted, what in ((p.dispersion, "dispersion"), (p.capillary is not None, "absorption")):
        if wanted and (p.energy is None or p.mode != "xray"):
            raise ValueError(
                f"{what} needs X-rays and their energy, found {p.mode}, {p.energy} keV"
            )
    if p.capillary is not None:
        check_capillary(p.capillary)
