"""What the estimator says about one window."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from livepdf.model.curve import Trend


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Warm:
    """Where a fit ended: the next window may start there. Tied to the estimator that made it."""

    phases: tuple[int, ...]
    """Numbers of the candidates that took part."""
    values: NDArray[np.float64]
    """(p,) parameters, in the order of the fit."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Left:
    """What a fit leaves of a window, for who adds up windows."""

    waves: NDArray[np.float64]
    """(m,) data minus model in units of σ (whitened where points are correlated), without what the
    nuisances describe, as amounts of orthonormal waves over Q: the slow ones, that is those which
    distances within domains can make."""
    freedom: int
    """Their number less nuisances and fitted parameters, all of which are slow."""
    common: NDArray[np.float64]
    """(k,) norm in σ of the noise of each reference, by its signed amount: in all windows the same
    noise, which the σ of the values hold already."""
    described: float
    """Norm of what the crystals describe, in the same units and as free of nuisances."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Estimate:
    """Every value with its σ or the reason why there is none, and what it rests on."""

    trends: tuple[Trend, ...]
    """Always the same names in the same order, whatever the data."""
    chi2: float
    """Reduced χ²: near 1 where the model holds; NaN where nothing was fitted."""
    model_fq: NDArray[np.float64]
    """(n_q,) Å⁻¹, crystals and nuisances: what the data are compared with; NaN where nothing was
    fitted."""
    crystal_fq: NDArray[np.float64]
    """(n_q,) Å⁻¹, the crystals alone."""
    parameters: tuple[str, ...]
    """(p,) names of the fitted parameters, without units."""
    values: NDArray[np.float64]
    """(p,) Å, Å² or none; also those that the trends withhold."""
    covariance: NDArray[np.float64]
    """(p, p), already multiplied by χ² where that is above 1; NaN for a parameter on its limit."""
    amplitude_z: float
    """Signed scale of the template of fixed diameter over its σ: linear in the data."""
    structure: str
    """Name of the candidate that describes the data best; empty where none does."""
    form: str
    """Of the domains that describe the data best: sphere unless the data ask for another; spheres
    are a distribution of sizes; empty where nothing was fitted."""
    warm: Warm | None
    """To start the next window from; None where this one does not help."""
    left: Left | None = None
    """None where nothing was fitted."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Amplitude:
    """How much of a template of fixed diameter is in a window: linear in the data, signed."""

    scale: float
    sigma: float
    z: float
    """scale/σ."""
