"""Shots that destroy their sample, against a bank of shots of samples that nothing happened to."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

FEWEST = 8
"""Shots without the laser below which their scatter is not known."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Bank:
    """What intact samples look like, and how much one differs from the next."""

    mean: NDArray[np.float64]
    """(n_q,) of the curves, each divided by its own I0 or band."""
    scatter: NDArray[np.float64]
    """(n_q,) standard deviation from sample to sample; counting noise is part of it."""
    shots: int
    order: tuple[float, float]
    """Mean and standard deviation of `Compared.order` of the shots themselves, each against the
    mean of all others."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Compared:
    """A destroyed sample against the bank."""

    difference: NDArray[np.float64]
    """(n_q,)"""
    sigma: NDArray[np.float64]
    """(n_q,) from sample to sample: nothing pairs this sample with one of the bank."""
    order: float
    """How much of the oscillations of an intact sample is left: 1 all, 0 none."""
    order_sigma: float


def make_bank(curves: NDArray[np.float64], *, smooth: NDArray[np.float64]) -> Bank:
    """Return the bank of shots without the laser.

    Parameters
    ----------
    curves : (n_shots, n_q) float64
        Each divided by its I0 or its mean over a band.
    smooth : (n_smooth, n_q) float64
        Curves that are no order: the self-scattering, a background, low powers of Q.

    Raises
    ------
    ValueError
        With fewer than eight shots, or where a curve has empty bins.
    """
    if len(curves) < FEWEST:
        raise ValueError(f"{len(curves)} shots without the laser; their scatter needs {FEWEST}")
    if not np.isfinite(curves).all():
        raise ValueError("curves with empty bins: limit Q to where every shot has some")
    mean, n = curves.mean(axis=0), len(curves)
    others = (n * mean - curves) / (n - 1)
    orders = np.array(
        [_order(one, other, smooth) for one, other in zip(curves, others, strict=True)]
    )
    return Bank(
        mean=mean,
        scatter=curves.std(axis=0, ddof=1),
        shots=n,
        order=(float(orders.mean()), float(orders.std(ddof=1))),
    )


def compare(bank: Bank, curve: NDArray[np.float64], *, smooth: NDArray[np.float64]) -> Compared:
    """Return what is left of a sample.

    The order is the amplitude of the bank's oscillations in the curve, by linear least squares
    beside ``smooth``; its σ is the scatter of intact samples, which a broken one exceeds only by
    what it has become.
    """
    wider = np.sqrt(1 + 1 / bank.shots)
    return Compared(
        difference=curve - bank.mean,
        sigma=bank.scatter * wider,
        order=_order(curve, bank.mean, smooth) / bank.order[0],
        order_sigma=bank.order[1] / bank.order[0] * wider,
    )


def _order(
    curve: NDArray[np.float64], intact: NDArray[np.float64], smooth: NDArray[np.float64]
) -> float:
    basis = np.linalg.qr(smooth.T)[0]
    template = intact - basis @ (basis.T @ intact)
    return float(template @ curve / (template @ template))
