"""Size without a fit of the structure: how G(r) fades against that of the same crystal in bulk."""

from dataclasses import dataclass
from functools import partial

import numpy as np
from numpy.typing import NDArray

from livepdf.analysis.least_squares import minimise
from livepdf.model.structure import Structure
from livepdf.numerics.bulk import bulk_fq
from livepdf.numerics.form_factors import form_factor
from livepdf.numerics.pairs import crystal_pairs
from livepdf.numerics.transform import exact_transform

Floats = NDArray[np.float64]

_STEP = 0.05
"""Å, of G."""
_WIDTH = 1.5
"""Å, standard deviation of the stretch that each mean square is taken over."""
_APART = 2.5
"""Å between two of them: nearly independent."""
_FROM = 8.0
"""Å; below, a dissolved precursor has order too."""
_MODEL = 0.06
"""What other displacements than the reference's do to a mean square, as a share of it."""
_TAIL = 10.0
_VAGUE = 0.2
_SCALES = (1e-4, 1e3)
"""Limits of the scale's square."""
_SCANNED = 48
"""Diameters that are tried before one is fitted."""
_UISO = 0.005
"""Å², where the structure gives none."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Envelope:
    """The bulk reference, made ready."""

    to_r: Floats
    """(n_r, n_q) sine transform."""
    smooth: Floats
    """(n_nodes, n_r) mean over a stretch."""
    noise: Floats
    """(n_nodes, n_q) from the variance of F to the mean square of its noise in G."""
    nodes: Floats
    """(n_nodes,) Å"""
    bulk: Floats
    """(n_nodes,) mean square of G of the bulk."""
    independent: float
    """Independent points of G in a stretch."""


@dataclass(frozen=True, slots=True, kw_only=True)
class EnvelopeSize:
    """What the envelope says; NaN where there is a reason."""

    diameter: float
    """Å"""
    sigma: float
    reason: str = ""


def build_envelope(
    structure: Structure, *, q: Floats, qdamp: float, largest: float = 100.0
) -> Envelope:
    """Make the bulk reference for F(Q) on ``q``; sizes up to ``largest`` Å can be told."""
    kind = structure.species_index
    given = np.where(np.isfinite(structure.uiso), structure.uiso, _UISO)
    shells = crystal_pairs(
        cell=structure.cell, positions=structure.positions, species=kind, r_max=largest + _TAIL
    )
    fq = bulk_fq(
        shells,
        q=q,
        fractions=np.bincount(kind) / len(kind),
        amplitudes=np.array([form_factor(q=q, element=e) for e in structure.species]),
        uiso=np.array([given[kind == k].mean() for k in range(len(structure.species))]),
        r_max=largest,
        tail=_TAIL,
        qdamp=qdamp,
    )
    r = np.arange(_FROM - 2 * _WIDTH, largest, _STEP)
    nodes = np.arange(_FROM, largest - 2 * _WIDTH, _APART)
    weight = np.exp(-0.5 * ((nodes[:, None] - r[None, :]) / _WIDTH) ** 2)
    smooth = weight / weight.sum(axis=1, keepdims=True)
    to_r = exact_transform(q=q, r=r).rows(r)
    return Envelope(
        to_r=to_r,
        smooth=smooth,
        noise=smooth @ to_r**2,
        nodes=nodes,
        bulk=smooth @ (to_r @ fq) ** 2,
        independent=2.0 * np.sqrt(np.pi) * _WIDTH * float(q[-1]) / np.pi,
    )


def envelope_size(envelope: Envelope, *, fq: Floats, sigma: Floats) -> EnvelopeSize:
    r"""Fit the scale s and the diameter D of a sphere to the mean squares of G.

    .. math:: \langle G^2\rangle - \langle\sigma_G^2\rangle = s^2\,\gamma(r; D)^2\,
        \langle G_{bulk}^2\rangle, \quad \gamma = 1 - \tfrac{3r}{2D} + \tfrac{r^3}{2D^3}

    Without the bulk the envelope of a crystal's own shells makes sizes up to 11 % wrong.

    Parameters
    ----------
    fq, sigma : (n_q,) float64, Å⁻¹
    """
    nan = float("nan")
    if not (np.isfinite(fq).all() and np.isfinite(sigma).all() and (sigma > 0).all()):
        return EnvelopeSize(diameter=nan, sigma=nan, reason="F(Q) has gaps or no σ")
    with np.errstate(over="ignore", invalid="ignore"):
        square = envelope.smooth @ (envelope.to_r @ fq) ** 2
        noise = envelope.noise @ sigma**2
        data = square - noise
        spread2 = 4.0 * np.maximum(data, 0.0) * noise + 2.0 * noise**2
        error = np.sqrt(spread2 / envelope.independent)
    error = np.hypot(error, _MODEL * np.maximum(data, 0.0))
    error = np.maximum(error, 1e-12 * square.max() + 1e-300)
    if not (np.isfinite(error).all() and np.isfinite(data / error).all()):
        return EnvelopeSize(diameter=nan, sigma=nan, reason="numbers out of all bounds")
    largest = float(envelope.nodes[-1])
    best = minimise(
        partial(_residuals, envelope, data, error),
        start=_start(envelope, data, error),
        lower=np.array([_SCALES[0], 0.6 * _FROM]),
        upper=np.array([_SCALES[1], largest]),
    )
    diameter = float(best.parameters[1])
    spread = float(np.sqrt(best.covariance[1, 1] * max(1.0, best.chi2 / (len(data) - 2))))
    reason = ""
    if not best.converged or best.at_limit.any() or not np.isfinite(spread):
        reason = "the envelope does not tell a size"
    elif not spread < _VAGUE * diameter:
        reason = f"uncertainty above {100 * _VAGUE:.0f} %"
    if reason:
        return EnvelopeSize(diameter=nan, sigma=nan, reason=reason)
    return EnvelopeSize(diameter=diameter, sigma=spread)


def _start(envelope: Envelope, data: Floats, error: Floats) -> Floats:
    """Return the best of many diameters, each with its best scale: nothing to be iterated."""
    diameters = np.geomspace(0.6 * _FROM, float(envelope.nodes[-1]), _SCANNED)
    t = np.minimum(envelope.nodes / diameters[:, None], 1.0)
    models = (1.0 - 1.5 * t + 0.5 * t**3) ** 2 * (envelope.bulk / error)
    wanted = data / error
    # A diameter that ends before the first node makes nothing at all.
    strength = np.maximum(np.einsum("dn,dn->d", models, models), 1e-300)
    scales = np.clip(models @ wanted / strength, *_SCALES)
    left = scales[:, None] * models - wanted
    best = int(np.argmin(np.einsum("dn,dn->d", left, left)))
    return np.array([scales[best], diameters[best]])


def _residuals(
    envelope: Envelope, data: Floats, error: Floats, parameters: Floats
) -> tuple[Floats, Floats]:
    square, diameter = parameters
    t = np.minimum(envelope.nodes / diameter, 1.0)
    gamma = 1.0 - 1.5 * t + 0.5 * t**3
    by_diameter = (1.5 * t - 1.5 * t**3) / diameter
    model = gamma**2 * envelope.bulk
    columns = np.column_stack([model, square * 2.0 * gamma * by_diameter * envelope.bulk])
    return (square * model - data) / error, columns / error[:, None]
