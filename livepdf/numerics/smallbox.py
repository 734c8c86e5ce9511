"""F(Q) of domains of a crystal with exact X-ray weights, and its analytic derivatives."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import partial

import numpy as np
from numpy.typing import NDArray

from livepdf.numerics.bulk import soft_end
from livepdf.numerics.envelopes import EXTRA, Form, envelope, longest
from livepdf.numerics.lattice import LatticeKind
from livepdf.numerics.pair_classes import PairClasses, evenly_oriented
from livepdf.numerics.pair_grid import blurred, deposit, deposit_shifted
from livepdf.numerics.transform import ExactTransform, exact_transform

Floats = NDArray[np.float64]

_FINEST = 0.04
"""Å, of the distance grid: half of the narrowest thermal spread."""
_PER_QMAX = 0.8
"""Step times Qmax: a cubic B-spline then holds a sine to 5e-4 at Qmax."""
_CLOSEST = 1.7
"""Å; below, correlated motion stays as it is there."""
_LEAST_MOTION = 0.1
"""Part of U_a + U_b that two neighbours keep against one another, however they move together."""
_TAIL = 10.0
"""Å over which distances fade where the domain is larger than what is known of the crystal."""
_MARGIN = 1.5
"""Å that peaks reach beyond the last distance."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class SmallBox:
    """A crystal made ready; the parameters of `evaluate` are in the order of ``names``.

    Diameter (Å), free lattice parameters (Å, degrees), U of each species (Å²; where directions
    count first across, then along c), δ2 (Å²), shift of each followed shell (Å), and what
    the form of the domains has beside its diameter.
    """

    q: Floats
    """(n_q,) Å⁻¹, equidistant."""
    kind: LatticeKind
    angles: tuple[float, float, float]
    """Degrees, for what the lattice fixes."""
    classes: PairClasses
    amount: Floats
    """(n,) of the classes; zero for those of followed shells."""
    shell_classes: NDArray[np.int64]
    """(m,) the classes of followed shells."""
    shell_number: NDArray[np.int64]
    """(m,) which shell each belongs to."""
    shells: int
    species: tuple[str, ...]
    weights: Floats
    """(n_pairs, n_q) Re(f_a f_b*)/⟨f⟩²."""
    even: Floats
    """(n_pairs,) atoms per cell that a medium without structure has of each pair: taken off, so
    that there is no small-angle scattering, which in a real sample is not that of spheres."""
    qdamp: float
    qbroad: float
    form: Form
    anisotropic: bool
    """Whether atoms move differently along c than across."""
    step: float
    """Å, of the distance grid."""
    transform: ExactTransform
    restored: Floats
    """(n_q,) undoes what the B-spline does to sines."""

    @property
    def names(self) -> tuple[str, ...]:
        """Of the parameters."""
        return (
            "diameter",
            *self.kind.names,
            *(f"{u}({s})" for u in self.motions for s in self.species),
            "delta2",
            *(f"shift {k}" for k in range(self.shells)),
            *EXTRA[self.form],
        )

    @property
    def motions(self) -> tuple[str, ...]:
        """Displacements of each species: across and along c where directions count."""
        return ("U11", "U33") if self.anisotropic else ("U",)

    @property
    def r_max(self) -> float:
        """Å, longest distance that is known."""
        return float(self.transform.q[-1]) - _MARGIN

    def evaluate(self, values: Floats) -> tuple[Floats, Floats]:
        """Return F(Q) for a scale of one, (n_q,) Å⁻¹, and its derivatives, (n_values, n_q)."""
        return _evaluate(self, values)


def small_box(
    *,
    q: Floats,
    kind: LatticeKind,
    angles: tuple[float, float, float],
    classes: PairClasses,
    species: tuple[str, ...],
    atoms: Floats,
    amplitudes: NDArray[np.complex128],
    mean_square: Floats,
    r_max: float,
    qdamp: float = 0.0,
    qbroad: float = 0.0,
    shells: Sequence[NDArray[np.int64]] = (),
    form: Form = "sphere",
    anisotropic: bool = False,
) -> SmallBox:
    """Make a crystal ready.

    Parameters
    ----------
    q : (n_q,) float64, Å⁻¹
        Equidistant, rising.
    kind, angles : as the structure has them
    classes : PairClasses
        Out to ``r_max`` and what the lattice may shrink.
    species, atoms : (kinds,)
        Names, and atoms of each in the cell.
    amplitudes : (kinds, n_q) complex128
        f(Q) of each species, electrons.
    mean_square : (n_q,) float64
        |⟨f⟩|² that F(Q) was divided by.
    r_max : float, Å
        Distances that count; domains wider than that fade over its last 10 Å.
    qdamp, qbroad : float, Å⁻¹
        Resolution: distances fade as exp(−(qdamp·r)²/2), peaks widen by U·(qbroad·r)², as PDFgui
        defines them.
    shells : of (m,) int64
        Numbers of the classes that each followed shell consists of.
    form : Form
        Of the domains: its axis is c where the classes are oriented; else it lies in all
        directions.
    anisotropic : bool
        Whether atoms move differently along c than across; the classes must be oriented.
    """
    step = min(_FINEST, _PER_QMAX / q[-1])
    n = int(np.ceil((r_max + _MARGIN) / step)) + 4
    amount = classes.amount.copy()
    chosen = np.concatenate([np.empty(0, dtype=np.int64), *shells]).astype(np.int64)
    amount[chosen] = 0.0
    total = atoms.sum()
    even = [atoms[a] * atoms[b] / total * (1.0 if a == b else 2.0) for a, b in classes.pairs]
    if classes.along:
        even = [e * s for e, s in zip(even, evenly_oriented(classes.along), strict=True)]
    products = [(amplitudes[a] * amplitudes[b].conj()).real for a, b in classes.pairs]
    grid = np.asarray(step * np.arange(n), dtype=np.float64)
    return SmallBox(
        q=q,
        kind=kind,
        angles=angles,
        classes=classes,
        amount=amount,
        shell_classes=chosen,
        shell_number=np.repeat(np.arange(len(shells)), [len(s) for s in shells]),
        shells=len(shells),
        species=species,
        weights=np.array(products) / mean_square,
        even=np.array(even),
        qdamp=qdamp,
        qbroad=qbroad,
        form=form,
        anisotropic=anisotropic,
        step=step,
        transform=exact_transform(q=grid, r=q),
        restored=0.5 * np.pi / step / np.sinc(q * step / (2 * np.pi)) ** 4,
    )


def with_form(box: SmallBox, form: Form) -> SmallBox:
    """Return the same crystal in domains of another form."""
    return replace(box, form=form)


def with_resolution(box: SmallBox, *, qdamp: float) -> SmallBox:
    """Return the same crystal seen with another resolution."""
    return replace(box, qdamp=qdamp)


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class _Values:
    diameter: float
    lattice: Floats
    uiso: Floats
    """(motions, kinds)"""
    delta2: float
    shifts: Floats
    extra: float

    @classmethod
    def of(cls, box: SmallBox, values: Floats) -> "_Values":
        free, kinds = len(box.kind.names), len(box.species)
        motions = len(box.motions)
        ends = np.cumsum([1, free, motions * kinds, 1, box.shells])
        parts = np.split(values, ends)
        return cls(
            diameter=float(parts[0][0]),
            lattice=parts[1],
            uiso=parts[2].reshape(motions, kinds),
            delta2=float(parts[3][0]),
            shifts=parts[4],
            extra=float(parts[5][0]) if EXTRA[box.form] else 1.0,
        )

    def spread(self, box: SmallBox, row: int) -> float:
        """Return U_a + U_b of a pair, in its direction where that counts."""
        a, b = box.classes.pairs[row]
        return float(_directed(box, row) @ (self.uiso[:, a] + self.uiso[:, b]))


def _directed(box: SmallBox, row: int) -> Floats:
    # How much each motion counts for a pair.
    if not box.anisotropic:
        return np.ones(1)
    return np.array([1.0 - box.classes.along[row], box.classes.along[row]])


def _evaluate(box: SmallBox, values: Floats) -> tuple[Floats, Floats]:
    now = _Values.of(box, values)
    grid, by_shift = _laid_out(box, now)
    r = np.asarray(box.step * np.arange(grid.shape[1]), dtype=np.float64)
    envelopes = _envelopes(box, now, r)
    q2 = 0.5 * box.q**2
    fq = np.zeros(box.q.shape)
    jacobian = np.zeros((len(values), len(box.q)))
    free, kinds = len(now.lattice), len(box.species)
    motions = now.uiso.size
    per_pair = _transformed(box, now, grid, envelopes, r)
    for row, (a, b) in enumerate(box.classes.pairs):
        seen = per_pair[row] * box.weights[row]
        fq += seen[0]
        jacobian[0] += seen[1]
        jacobian[1 : 1 + free] += seen[2 : 2 + free]
        thermal = q2 * seen[-1]
        for number, part in enumerate(_directed(box, row)):
            jacobian[1 + free + number * kinds + a] -= part * thermal
            jacobian[1 + free + number * kinds + b] -= part * thermal
        jacobian[1 + free + motions] += q2 * now.spread(box, row) * seen[-2]
        if EXTRA[box.form]:
            jacobian[-1] += seen[2 + free]
    if box.shells:
        first = 2 + free + motions
        jacobian[first : first + box.shells] = _by_shifts(box, now, by_shift, envelopes, r)
    return fq, jacobian


def _laid_out(box: SmallBox, now: _Values) -> tuple[Floats, Floats]:
    # (n_pairs, n_r, 1 + n_free): neighbours per r, and their change with the free parameters.
    metric, by_free = box.kind.metric(now.lattice, angles=box.angles)
    classes, n = box.classes, len(box.transform.q)
    raw = np.zeros((len(classes.pairs), n, 1 + len(metric)))
    by_shift = np.zeros((box.shells, n))
    # Classes are sorted by r of the reference, from which the lattice differs by little.
    count = int(np.searchsorted(classes.r, 1.06 * _reach(box, now) + box.step))
    deposit(classes.keys, box.amount, classes.row, count, metric, 1.0 / box.step, raw)
    if box.shells:
        own = box.shell_classes
        deposit_shifted(
            classes.keys[own],
            classes.amount[own],
            classes.row[own],
            box.shell_number,
            now.shifts,
            metric,
            1.0 / box.step,
            raw,
            by_shift,
        )
    grid = np.concatenate([raw[:, :, :1], raw[:, :, 1:] @ by_free], axis=2)
    volume, change = box.kind.volume(now.lattice, angles=box.angles)
    r = box.step * np.arange(n)
    even = 4.0 * np.pi * box.step / volume * np.outer(box.even, r)
    grid[:, :, 0] -= even
    grid[:, :, 1:] += even[:, :, None] * change
    return grid, by_shift


def _widest(box: SmallBox, now: _Values) -> float:
    # Nothing is farther apart than the largest domain is wide.
    return longest(box.form, diameter=now.diameter, extra=now.extra)


def _reach(box: SmallBox, now: _Values) -> float:
    return min(_widest(box, now), box.r_max)


def _envelopes(box: SmallBox, now: _Values, r: Floats) -> list[Floats]:
    # For each pair γ(r) with the resolution, its change with the diameter and with what else the
    # form has.
    way = partial(envelope, box.form, r, diameter=now.diameter, extra=now.extra)
    seen = np.exp(-0.5 * (box.qdamp * r) ** 2)
    if _widest(box, now) > box.r_max:
        seen *= soft_end(r, start=box.r_max - _TAIL, end=box.r_max)
    if box.form in ("sphere", "spheres", "cube") or not box.classes.along:
        return [way() * seen] * len(box.classes.pairs)
    angles = {x: way(cosine=float(np.sqrt(x))) * seen for x in set(box.classes.along)}
    return [angles[x] for x in box.classes.along]


def _relative_motion(box: SmallBox, now: _Values, r: Floats) -> tuple[Floats, Floats]:
    # 1 − δ2/r² + (qbroad·r)², bent smoothly so that it never falls below a tenth, and how fast δ2
    # takes it off: a kink would hold up the fit.
    near = np.maximum(r, _CLOSEST)
    straight = 1.0 - now.delta2 / near**2 + (box.qbroad * near) ** 2
    bent = np.clip(straight / (2.0 * _LEAST_MOTION), 0.0, 1.0)
    relative = np.where(bent < 1.0, _LEAST_MOTION * (1.0 + bent**2), straight)
    return relative, bent / near**2


def _variance(box: SmallBox, now: _Values, spread: float, r: Floats) -> Floats:
    relative, _ = _relative_motion(box, now, r)
    return np.maximum(spread * relative, (0.8 * box.step) ** 2)


def _transformed(
    box: SmallBox, now: _Values, grid: Floats, envelopes: list[Floats], r: Floats
) -> Floats:
    # (n_pairs, m, n_q): F, ∂D, ∂lattice, ∂spread where there is one, then F by what δ2
    # takes off and by the relative motion.
    n = min(int((_reach(box, now) + _MARGIN) / box.step) + 2, len(r))
    r = r[:n]
    relative, taken = _relative_motion(box, now, r)
    rows = []
    for row, height in enumerate(grid[:, :n]):
        gamma = envelopes[row][0, :n]
        factors = [*envelopes[row][:, :n], gamma * taken, gamma * relative]
        plain = height[:, :1]
        parts = [
            plain * factors[0][:, None],
            plain * factors[1][:, None],
            height[:, 1:] * gamma[:, None],
            *(plain * factor[:, None] for factor in factors[2:]),
        ]
        variance = _variance(box, now, now.spread(box, row), r)
        rows.append(blurred(np.hstack(parts), variance=variance, step=box.step).T)
    return _sines(box, np.array(rows))


def _by_shifts(
    box: SmallBox, now: _Values, by_shift: Floats, envelopes: list[Floats], r: Floats
) -> Floats:
    rows = np.empty_like(by_shift)
    weights = np.empty((box.shells, len(box.q)))
    for k in range(box.shells):
        row = box.classes.row[box.shell_classes[box.shell_number == k][0]]
        variance = _variance(box, now, now.spread(box, int(row)), r)
        height = (by_shift[k] * envelopes[row][0])[:, None]
        rows[k] = blurred(height, variance=variance, step=box.step)[:, 0]
        weights[k] = box.weights[row]
    return weights * _sines(box, rows)


def _sines(box: SmallBox, rows: Floats) -> Floats:
    whole = np.zeros((*rows.shape[:-1], len(box.transform.q)))
    whole[..., : rows.shape[-1]] = rows
    return box.transform.apply(whole) * box.restored
