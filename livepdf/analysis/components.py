"""Calculated curves from elsewhere as parts of every pattern: how much of each, and how well."""

import math
from dataclasses import dataclass, replace
from typing import ClassVar

import numpy as np
from numpy.typing import NDArray

from livepdf.analysis.declared import FQ, STRUCTURE_FOUND, Declared, Measured, Need
from livepdf.analysis.least_squares import without
from livepdf.model.curve import Trend

Floats = NDArray[np.float64]

_SAME = 1e-9
_COMPARED_FROM = 1.6
"""Å⁻¹; below, data hold small-angle scattering that a model of a few nanometres may not."""

MODELS = Declared(
    name="models from elsewhere",
    gives=("amount", "Rw"),
    takes=(FQ, STRUCTURE_FOUND),
    needs=(Need(what="a model", key="model", table=True),),
    cost=1.0,
)


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Components:
    """Models, and what is fitted beside them."""

    declared: ClassVar[Declared] = MODELS
    names: tuple[str, ...]
    curves: Floats
    """(n_q, k) Å⁻¹, F(Q) of each model as it is."""
    slow: Floats
    """(n_q, m) what the correction polynomial can describe."""
    others: Floats
    """(n_q, l) references that are fitted along."""
    compared: NDArray[np.bool_]
    """(n_q,)"""

    def follow(self, found: Measured) -> Measured:
        """Add amount and Rw of each model; what was fitted is the model where no structure is."""
        trends, fitted = self.evaluate(fq=found.fq, sigma=found.sigma, crystal=found.crystal_fq)
        model = fitted if found.model_fq is None else found.model_fq
        return replace(found, trends=(*found.trends, *trends), model_fq=model)

    def evaluate(
        self, *, fq: Floats, sigma: Floats, crystal: Floats | None = None
    ) -> tuple[tuple[Trend, ...], Floats]:
        r"""Return amount and Rw of each model, and the sum of all that was fitted.

        The amounts are signed and linear in the data; their σ allows for all that is fitted
        beside, the crystals' scale among it, and grows with the misfit. Rw is that of the model
        alone at its best scale, slow terms taken out of both:

        .. math:: R_w = \sqrt{\sum (F - sM)^2 / \sigma^2 \, / \, \sum F^2 / \sigma^2}

        Parameters
        ----------
        fq, sigma : (n_q,) float64, Å⁻¹
        crystal : (n_q,) float64, optional, Å⁻¹
            What the fitted crystals make.
        """
        nothing = np.full(fq.shape, np.nan)
        used = self.compared & np.isfinite(fq) & np.isfinite(sigma) & (sigma > 0.0)
        if used.sum() < 0.5 * self.compared.sum():
            reason = "fewer than half of the points of F(Q) have a value and its uncertainty"
            return self._withheld(reason), nothing
        parts = [self.curves, self.slow, self.others]
        if crystal is not None and np.isfinite(crystal).all():
            parts.append(crystal[:, None])
        columns = np.hstack(parts)
        with np.errstate(all="ignore"):
            weighted = columns[used] / sigma[used, None]
            size = np.linalg.norm(weighted, axis=0)
            size[~(size > 0.0)] = 1.0
            data = fq[used] / sigma[used]
        if not (np.isfinite(weighted).all() and np.isfinite(data).all()) or size.max() > 1e100:
            return self._withheld("numbers out of all bounds"), nothing
        inverse = np.linalg.pinv(weighted / size, rcond=_SAME)
        with np.errstate(all="ignore"):
            amounts = inverse @ data / size
            left = data - weighted @ amounts
            freedom = max(len(data) - columns.shape[1], 1)
            spread = np.linalg.norm(inverse, axis=1) / size
            spread = spread * math.sqrt(max(1.0, float(left @ left) / freedom))
        if not (np.isfinite(amounts).all() and np.isfinite(spread).all()):
            return self._withheld("numbers out of all bounds"), nothing
        rw = self._misfits(data, 1.0 / sigma[used], used)
        trends = [
            trend
            for k, name in enumerate(self.names)
            for trend in (
                Trend(
                    name=f"{name} amount", unit="", value=float(amounts[k]), sigma=float(spread[k])
                ),
                _rw(name, rw[k]),
            )
        ]
        return tuple(trends), columns @ amounts

    def _misfits(
        self, weighted: Floats, inverse_sigma: Floats, used: NDArray[np.bool_]
    ) -> list[float]:
        basis = np.linalg.qr(self.slow[used] * inverse_sigma[:, None])[0]
        data = without(weighted, basis)
        models = without(self.curves[used].T * inverse_sigma, basis)
        whole = float(data @ data)
        found = []
        for model in models:
            square = float(model @ model)
            known = square > 0.0 and 0.0 < whole < math.inf
            share = float(model @ data) ** 2 / (square * whole) if known else math.nan
            found.append(math.sqrt(max(0.0, 1.0 - share)) if share == share else math.nan)
        return found

    def _withheld(self, reason: str) -> tuple[Trend, ...]:
        nan = float("nan")
        return tuple(
            Trend(name=f"{name} {what}", unit="", value=nan, sigma=nan, reason=reason)
            for name in self.names
            for what in ("amount", "Rw")
        )


def build_components(
    *, q: Floats, names: tuple[str, ...], curves: Floats, slow: Floats, others: Floats
) -> Components:
    """Make models ready; all arrays on ``q``, (n_q,) Å⁻¹, see `Components`."""
    return Components(
        names=names, curves=curves, slow=slow, others=others, compared=q >= _COMPARED_FROM
    )


def _rw(name: str, value: float) -> Trend:
    if math.isfinite(value):
        return Trend(name=f"{name} Rw", unit="", value=value, sigma=0.0)
    nan = float("nan")
    return Trend(name=f"{name} Rw", unit="", value=nan, sigma=nan, reason="no signal to compare")
