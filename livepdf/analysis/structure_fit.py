"""The estimator as one of the analyses of a window: its scale is told as conversion."""

import math
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import ClassVar

import numpy as np
from numpy.typing import NDArray

from livepdf.analysis.declared import (
    FQ,
    QDAMP,
    STRUCTURE,
    Declared,
    Measured,
    More,
    Need,
)
from livepdf.analysis.estimator.build import Estimator
from livepdf.analysis.estimator.candidate import Candidate
from livepdf.model.curve import Trend

Floats = NDArray[np.float64]

SCALE = "crystalline scale"
CONVERSION = "conversion"
"""The scale as it is shown: over that of a sample that has wholly reacted."""
_SIZE = "domain size"
_GROWN = 40.0
"""Å, of the crystals whose pattern levels one that has wholly reacted; it hardly matters."""

STRUCTURE_FIT = Declared(
    name="structure fit",
    gives=(CONVERSION, "lattice", "U of each element", "δ2", "reduced χ²"),
    takes=(FQ, "blanks and precursors, where there are any"),
    needs=(STRUCTURE,),
    more=(
        More(gives=_SIZE, need=QDAMP),
        More(gives="distances", need=Need(what="bonds to follow", key="analysis.bond", table=True)),
    ),
    cost=25.0,
)
AMPLITUDE = Declared(
    name="crystalline amplitude",
    gives=("crystalline amplitude",),
    takes=(FQ,),
    needs=(STRUCTURE,),
    cost=0.5,
)
"""No window has to do without, however busy the daemon is."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class WantedCrystals:
    """Crystals that may grow, and what is known beside them."""

    candidates: tuple[Candidate, ...]
    diameters: tuple[float, float] = (10.0, 100.0)
    """Å, smallest and largest that are looked for."""
    template: float = 20.0
    """Å, of the template whose amplitude finds the onset."""
    full_scale: float = 1.0
    """Scale of a sample that has wholly reacted."""
    scale_error: float = 0.0
    """Relative σ of the scale of the reduction, common to all windows."""
    levelled: Callable[[Floats], float] | None = None
    """The same from F(Q) of the crystal, (n_q,), where the reduction levels every pattern."""
    energy: float | None = None
    """keV, where the reduction had f′ and f″ in its form factors."""
    cross_checks: bool = True
    """Whether the size is also told without the fit."""
    nuisances: Floats | None = None
    """(k, n_q) references on the scale of F(Q)."""
    names: tuple[str, ...] = ()
    """Of the nuisances."""
    noise: tuple[Floats, ...] = ()
    """(m, n_q) what noise each of them holds; none where it is not known."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class StructureFit:
    """The estimator, and what its scale is compared with."""

    declared: ClassVar[Declared] = STRUCTURE_FIT
    estimator: Estimator
    template: float
    full_scale: float
    scale_error: float

    def follow(self, found: Measured) -> Measured:
        """Add what the structure says; cross-checks and models take its size and its curve."""
        estimate = self.estimator.evaluate(fq=found.fq, sigma=found.sigma)
        return replace(
            found,
            trends=(*found.trends, *(self._shown(value) for value in estimate.trends)),
            size=next(value for value in estimate.trends if value.name.endswith(_SIZE)),
            crystal_fq=estimate.crystal_fq,
            model_fq=estimate.model_fq,
            left=estimate.left,
        )

    def amplitude(self, *, fq: Floats, sigma: Floats) -> float:
        """Return the amplitude of the template over its σ, signed; NaN where it cannot be had."""
        try:
            found = self.estimator.amplitude(fq=fq, sigma=sigma, diameter=self.template)
        except ValueError:  # too few points; the estimate itself says so in words
            return math.nan
        return found.z

    def _shown(self, value: Trend) -> Trend:
        if not value.name.endswith(SCALE):
            return value
        return replace(
            value,
            name=value.name.replace(SCALE, CONVERSION),
            value=value.value / self.full_scale,
            sigma=math.hypot(value.sigma, value.value * self.scale_error) / self.full_scale,
        )


def structure_fit(crystals: WantedCrystals, estimator: Estimator) -> StructureFit:
    """Make it ready for an estimator of these crystals."""
    full = crystals.full_scale
    if crystals.levelled is not None:
        full = crystals.levelled(estimator.phases[0].expected(_GROWN))
    return StructureFit(
        estimator=estimator,
        template=crystals.template,
        full_scale=full,
        scale_error=crystals.scale_error,
    )
