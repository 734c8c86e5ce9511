"""Size by the breadth of Bragg peaks: Scherrer, and Williamson and Hall, in F(Q)."""

import math
from dataclasses import dataclass, replace
from functools import partial

import numpy as np
from numba import njit
from numpy.typing import NDArray

from livepdf.analysis.least_squares import Minimum, minimise, slow_terms
from livepdf.model.structure import Structure
from livepdf.numerics.form_factors import form_factor
from livepdf.numerics.reflections import powder_reflections

Floats = NDArray[np.float64]
Places = NDArray[np.int64]

KNOWN_BIAS = 0.08
"""Share of the size by which this reads too large for spheres that are simulated atom by atom: a
pseudo-Voigt has not the shape of a sphere's peak. It is in every σ."""
SPHERE = 6.9533
"""FWHM, Å⁻¹, of the peaks of spheres times their diameter: Scherrer's constant is 1.107."""
_UNTIL = 6.5
"""Å⁻¹; beyond, peaks of small crystals are no peaks any more."""
_FROM = 1.5
"""Å⁻¹; below lies the small-angle scattering of the spheres."""
_APART = 0.35
"""Of the breadth: what lies closer is drawn with the ratio that the structure gives."""
_SLOW = 2
"""Degree of what is smooth below the peaks."""
_STEP = 0.03
"""Å⁻¹, of the points that are fitted."""
_BEYOND = 0.3
"""Å⁻¹, that the tails of the last lines reach."""
_MOST_LINES = 40
_FEWEST = 40
_STRONG = 0.05
_CROWDED = "the peaks overlap too much to tell size from strain"
_LARGEST = 1e12
"""σ; numbers beyond it are no data."""
_VAGUE = 0.2
_VISIBLE = 10.0
_STARTS = 7
_SHAPES = (0.15, 0.15)
"""Lorentzian share, to begin with, and where it is held for the first look."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Rings:
    """Lines of a crystal, those that cannot be told apart in groups."""

    q: Floats
    """(n,) Å⁻¹"""
    strength: Floats
    """(n,) within its group, adding up to 1."""
    group: Places
    """(n,)"""
    groups: int


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Bragg:
    """What does not change from window to window; see `build_bragg`."""

    part: slice
    """Of F(Q), where peaks are looked at."""
    each: int
    """Neighbours whose mean is one point: peaks of nanometres are no sharper."""
    q: Floats
    """(n,) Å⁻¹ of the means."""
    slow: Floats
    """(n, k) what may lie below the peaks."""
    diameters: Floats
    """(starts,) Å"""
    rings: tuple[Rings, ...]
    """At each of them."""
    qdamp: float
    qbroad: float
    density: float
    """Å, strong lines in the range over its length."""


@dataclass(frozen=True, slots=True, kw_only=True)
class BraggSize:
    """What the breadths say; NaN where there is a reason."""

    scherrer: float
    """Å, diameter of spheres whose peaks are so broad, if nothing else broadens them."""
    scherrer_sigma: float
    hall: float
    """Å, the same where strain may broaden peaks in proportion to Q."""
    hall_sigma: float
    strain: float
    """ε, half the slope of the breadth over Q: an upper limit of the mean of |Δd|/d."""
    strain_sigma: float
    reason: str = ""
    hall_reason: str = ""

    @classmethod
    def withheld(cls, reason: str) -> "BraggSize":
        """Return that there is none, and why."""
        nan = float("nan")
        return cls(
            scherrer=nan,
            scherrer_sigma=nan,
            hall=nan,
            hall_sigma=nan,
            strain=nan,
            strain_sigma=nan,
            reason=reason,
            hall_reason=reason,
        )


def build_bragg(
    structure: Structure,
    *,
    q: Floats,
    qdamp: float,
    qbroad: float = 0.0,
    nuisances: Floats | None = None,
    diameters: tuple[float, float] = (10.0, 100.0),
) -> Bragg | None:
    """List the lines and make the rest ready; None where no line lies in the range of Q.

    Parameters
    ----------
    q : (n_q,) float64, Å⁻¹
        Where F(Q) is given.
    qdamp, qbroad : float, Å⁻¹
        Resolution of the instrument: it broadens peaks too.
    nuisances : (n_q, k) float64, optional
        What may be in F(Q) beside the crystal.
    diameters : (float, float), Å
        Smallest and largest that are looked for.
    """
    lines = powder_reflections(
        cell=structure.cell,
        positions=structure.positions,
        species=structure.species_index,
        amplitudes=np.array([form_factor(q=q, element=e) for e in structure.species]),
        amplitudes_q=q,
        q_max=min(float(q[-1]), _UNTIL) + 0.5,
    )
    seen = np.flatnonzero((lines.q > max(float(q[0]), _FROM)) & (lines.q < q[-1]))
    if not seen.size:
        return None
    until = min(_UNTIL, float(lines.q[seen[min(_MOST_LINES, seen.size) - 1]]) + _BEYOND)
    start, stop = np.searchsorted(q, [_FROM, until])
    each = max(1, int(_STEP / (q[1] - q[0])))
    part = slice(int(start), int(start + (stop - start) // each * each))
    if part.stop - part.start < _FEWEST * each:
        return None
    inside = _mean(q[part], each)
    shown = lines.q < inside[-1] + _BEYOND
    sizes = np.geomspace(1.2 * diameters[0], 0.8 * diameters[1], _STARTS)
    columns = slow_terms(inside, degree=_SLOW)
    given = np.empty((inside.size, 0)) if nuisances is None else _mean(nuisances[part], each)
    return Bragg(
        part=part,
        each=each,
        q=inside,
        slow=np.hstack([columns, given]),
        diameters=sizes,
        rings=tuple(
            _grouped(lines.q[shown], lines.strength[shown], _breadth(size)) for size in sizes
        ),
        qdamp=qdamp,
        qbroad=qbroad,
        density=float(np.sum(lines.strength[shown] > _STRONG * lines.strength.max()))
        / float(inside[-1] - inside[0]),
    )


def bragg_size(bragg: Bragg, *, fq: Floats, sigma: Floats) -> BraggSize:
    r"""Fit all peaks at once: areas free, one pseudo-Voigt, one law for the breadths β.

    .. math:: \beta(Q) = \beta_0 + 2\varepsilon Q, \quad
        D = \frac{1.107 \cdot 2\pi}{\mathrm{FWHM}(\beta_0)}

    with Scherrer's constant of spheres. With ε = 0 it is his size, with ε free that of Williamson
    and Hall. The instrument is taken off by β_obs² = β² + β_inst²: peaks of spheres are nearly
    Gaussian. In F(Q) a peak of a powder of spheres is symmetric: neither the
    fall of f² nor the Lorentz factor moves or skews it.

    Parameters
    ----------
    fq, sigma : (n_q,) float64, Å⁻¹
    """
    y, noise = _mean(fq[bragg.part], bragg.each), sigma[bragg.part]
    with np.errstate(over="ignore"):
        noise = np.sqrt(_mean(noise**2, bragg.each) / bragg.each)
    if not (np.isfinite(y).all() and np.isfinite(noise).all() and (noise > 0.0).all()):
        return BraggSize.withheld("F(Q) has gaps or no σ")
    with np.errstate(all="ignore"):
        data, slow = y / noise, _basis(bragg.slow / noise[:, None])
        rest = data - slow @ (slow.T @ data)
    if not (np.isfinite(rest).all() and np.abs(rest).max() < _LARGEST):
        return BraggSize.withheld("numbers out of all bounds")
    try:
        return _sized(bragg, rest, slow, 1.0 / noise)
    except (ValueError, FloatingPointError) as error:  # numpy's LinAlgError is one
        return BraggSize.withheld(f"the fit failed: {error}")


def _sized(bragg: Bragg, data: Floats, slow: Floats, weight: Floats) -> BraggSize:
    looks = [_solve(bragg, data, slow, weight, k, (d, *_SHAPES[1:], 0.0, 0.0)) for k, d in
             enumerate(bragg.diameters)]  # fmt: skip
    # Finer groups describe anything better: two for each as in Akaike's criterion.
    costs = [look.chi2 + 2.0 * bragg.rings[k].groups for k, look in enumerate(looks)]
    start = int(np.argmin(costs))
    gain = float(data @ data) - looks[start].chi2
    if not (gain > _VISIBLE**2 and looks[start].areas.sum() > 0.0):
        return BraggSize.withheld("no Bragg peaks above the noise")
    first = (float(bragg.diameters[start]), _SHAPES[0], 0.0, 0.0)
    plain = _fit(bragg, data, slow, weight, start, first, strained=False)
    size, spread, why = _judged(plain, len(data))
    if why:
        return BraggSize.withheld(why)
    if bragg.density * _breadth(size) > 1.0:
        return replace(
            BraggSize.withheld(_CROWDED), scherrer=size, scherrer_sigma=spread, reason=""
        )
    begin = (float(plain.parameters[0]), float(plain.parameters[1]), 0.0, 0.0)
    strained = _fit(bragg, data, slow, weight, start, begin, strained=True)
    hall, hall_spread, hall_why = _judged(strained, len(data))
    strain, nan = float(strained.parameters[3]), float("nan")
    found = (nan, nan, nan, nan) if hall_why else (
        hall, hall_spread, strain, _scaled(strained, 3, len(data)))  # fmt: skip
    return BraggSize(
        scherrer=size,
        scherrer_sigma=spread,
        hall=found[0],
        hall_sigma=found[1],
        strain=found[2],
        strain_sigma=found[3],
        hall_reason=hall_why,
    )


def _judged(found: Minimum, points: int) -> tuple[float, float, str]:
    # By the width at half height: tails are lost in what is smooth, and areas with them.
    factor = SPHERE / (_half_height(float(found.parameters[1])) * _breadth(1.0))
    size, spread = factor * float(found.parameters[0]), factor * _scaled(found, 0, points)
    if not found.converged or found.at_limit[0] or not math.isfinite(spread):
        return size, spread, "the breadths of the peaks do not tell a size"
    if not spread < _VAGUE * size:
        return size, spread, "the peaks overlap or are too weak: uncertainty above 20 %"
    return size, math.hypot(spread, KNOWN_BIAS * size), ""


def _scaled(found: Minimum, place: int, points: int) -> float:
    red = found.chi2 / max(points - 10, 1)
    variance = float(found.covariance[place, place]) * max(1.0, red)
    return math.sqrt(variance) if variance >= 0.0 else float("nan")


def _fit(
    bragg: Bragg,
    data: Floats,
    slow: Floats,
    weight: Floats,
    level: int,
    start: tuple[float, float, float, float],
    *,
    strained: bool,
) -> Minimum:
    low, high = bragg.diameters[0] / 1.5, bragg.diameters[-1] * 1.5
    slope = 0.03 if strained else 0.0
    return minimise(
        partial(_residuals, bragg, data, slow, weight, level),
        start=np.array(start),
        lower=np.array([low, -0.5, -0.02, -slope / 3]),
        upper=np.array([high, 1.0, 0.02, slope]),
    )


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class _Solved:
    chi2: float
    areas: Floats
    rest: Floats
    slopes: Floats


def _residuals(
    bragg: Bragg, data: Floats, slow: Floats, weight: Floats, level: int, parameters: Floats
) -> tuple[Floats, Floats]:
    told = tuple(float(p) for p in parameters)
    solved = _solve(bragg, data, slow, weight, level, told)
    return solved.rest, solved.slopes


def _solve(
    bragg: Bragg,
    data: Floats,
    slow: Floats,
    weight: Floats,
    level: int,
    parameters: tuple[float, ...],
) -> _Solved:
    """Return what is left with the best areas, and how it changes with the others (Kaufman)."""
    rings = bragg.rings[level]
    out = np.zeros((5, rings.groups, len(bragg.q)))
    diameter, share, shift, strain = parameters
    _draw(
        bragg.q,
        rings.q,
        rings.strength,
        rings.group,
        _breadth(diameter),
        share,
        shift,
        strain,
        bragg.qdamp,
        bragg.qbroad,
        out,
    )
    out[1] *= -_breadth(diameter) / diameter
    out *= weight
    seen = out - (out @ slow) @ slow.T
    # Lines at the ends of the range hardly show: without their size they would say anything.
    size = np.maximum(np.linalg.norm(seen[0], axis=1), 1e-30)
    seen /= size[:, None]
    basis, right = np.linalg.qr(seen[0].T)
    areas = np.linalg.lstsq(right, basis.T @ data, rcond=1e-6)[0]
    rest = basis @ (right @ areas) - data
    moved = np.einsum("pgq,g->qp", seen[1:], areas)
    slopes = moved - basis @ (basis.T @ moved)
    return _Solved(chi2=float(rest @ rest), areas=areas, rest=rest, slopes=slopes)


@njit(cache=True, nogil=True)
def _draw(  # type: ignore[no-untyped-def]
    q, line, strength, group, breadth, share, shift, strain, qdamp, qbroad, out
):
    for k in range(line.size):
        place = line[k] * (1.0 - shift)
        pure = max(breadth + 2.0 * strain * line[k], 0.1 * breadth)
        machine2 = 2.0 * np.pi * (qdamp**2 + (qbroad * line[k]) ** 2)
        seen = np.sqrt(pure**2 + machine2)
        by_pure = pure / seen
        g = group[k]
        for i in range(q.size):
            x = q[i] - place
            x2 = x * x
            wide = seen * seen + np.pi**2 * x2
            lorentz = seen / wide
            gauss = np.exp(-np.pi * x2 / (seen * seen)) / seen
            by_breadth = share * (np.pi**2 * x2 - seen * seen) / (wide * wide) + (1.0 - share) * (
                gauss * (2.0 * np.pi * x2 / (seen * seen) - 1.0) / seen
            )
            by_x = -share * 2.0 * np.pi**2 * x * seen / (wide * wide) - (1.0 - share) * (
                2.0 * np.pi * x / (seen * seen) * gauss
            )
            out[0, g, i] += strength[k] * (share * lorentz + (1.0 - share) * gauss)
            out[1, g, i] += strength[k] * by_breadth * by_pure
            out[2, g, i] += strength[k] * (lorentz - gauss)
            out[3, g, i] += strength[k] * by_x * line[k]
            out[4, g, i] += strength[k] * by_breadth * by_pure * 2.0 * line[k]


def _half_height(share: float) -> float:
    """Return FWHM over integral breadth of a pseudo-Voigt, by its Lorentzian share."""
    gauss, lorentz = 2.0 * math.sqrt(math.log(2.0) / math.pi), 2.0 / math.pi
    low, high = lorentz / 2.0, gauss / 2.0
    for _ in range(40):
        x = 0.5 * (low + high)
        height = share / (1.0 + (math.pi * x) ** 2) + (1.0 - share) * math.exp(-math.pi * x**2)
        low, high = (x, high) if height > 0.5 else (low, x)
    return low + high


def _mean(values: Floats, each: int) -> Floats:
    return np.asarray(values.reshape(-1, each, *values.shape[1:]).mean(axis=1))


def _breadth(diameter: float) -> float:
    return 8.0 * math.pi / (3.0 * diameter)


def _grouped(q: Floats, strength: Floats, breadth: float) -> Rings:
    group = np.zeros(len(q), dtype=np.int64)
    first = 0
    for k in range(1, len(q)):
        apart = q[k] - q[first] > _APART * breadth
        first = k if apart else first
        group[k] = group[k - 1] + int(apart)
    total = np.bincount(group, weights=strength)
    return Rings(q=q, strength=strength / total[group], group=group, groups=int(group[-1]) + 1)


def _basis(columns: Floats) -> Floats:
    size = np.linalg.norm(columns, axis=0)
    columns = columns[:, size > 0.0] / size[size > 0.0]
    q, r = np.linalg.qr(columns)
    return np.asarray(q[:, np.abs(np.diag(r)) > 1e-9])
