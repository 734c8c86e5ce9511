"""One candidate crystal, made ready for the fit."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import partial

import numpy as np
from numpy.typing import NDArray

from livepdf.analysis.estimator.candidate import Candidate, NamedShell, Priors
from livepdf.model.structure import Structure
from livepdf.numerics.envelopes import EXTRA, Form
from livepdf.numerics.form_factors import dispersion, form_factor, mean_form_factors
from livepdf.numerics.lattice import LATTICES
from livepdf.numerics.pair_classes import PairClasses, oriented, pair_classes
from livepdf.numerics.smallbox import SmallBox, small_box, with_form

Floats = NDArray[np.float64]

UNIQUE_AXIS = ("hexagonal", "tetragonal")
"""Lattices with an axis c unlike the others."""
STRAIN_LIMIT = 0.03
_ANGLE_LIMIT = 2.0
"""Degrees."""
_DEFAULT_UISO = 0.005
"""Å², where the structure gives none: near that of most solids at room temperature."""
_LARGEST_UISO = 0.3
"""Å²; disorder beyond is no crystal."""
_LARGEST_DELTA2 = 0.95
"""Times the square of the shortest distance: nearest neighbours keep some of their motion."""
_LEAST_UISO = 0.0002
_USUAL_UISO = (0.001, 0.03)
"""Å²; some files carry a placeholder far outside, from which no fit would start."""
_STRAIN_STARTS = (-0.006, 0.0, 0.006)
"""The fit finds a lattice within about 0.4 % of where it starts; these cover ±1 %."""
_SIZE_RATIO = 1.15
_MOST_SIZES = 18
_GAP = 0.13
"""Å; distances of one pair of species closer than this are one shell."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class FollowedShell:
    """A named shell in the crystal."""

    name: str
    classes: NDArray[np.int64]
    """(m,) numbers of its classes of pairs."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Phase:
    """A candidate with its model, limits, priors and templates."""

    candidate: Candidate
    box: SmallBox
    reference: Floats
    """(n_values,) the model's parameters as they are expected."""
    prior_sigma: Floats
    """(n_values,) of what is expected; inf where nothing is expected."""
    lower: Floats
    upper: Floats
    """(n_values,)"""
    shells: tuple[FollowedShell, ...]
    formed_box: SmallBox
    formed_shells: tuple[FollowedShell, ...]
    """The same crystal for domains that are no spheres: with directions where c is unique."""
    diameters: Floats
    """(n_d,) Å, of the templates."""
    starts: Floats
    """(n_starts, n_values) where a fit may begin: sizes for each of three lattices; the middle
    third is the reference lattice."""
    templates: Floats
    """(n_starts, n_q) F(Q) of each, scale one."""

    @property
    def name(self) -> str:
        """Of the structure."""
        return self.candidate.structure.name

    @property
    def names(self) -> tuple[str, ...]:
        """Of the model's parameters."""
        return self.box.names

    def at_reference(self) -> tuple[Floats, Floats]:
        """Return diameters, (n_d,) Å, and templates, (n_d, n_q), of the reference lattice."""
        n = len(self.diameters)
        return self.diameters, self.templates[n : 2 * n]

    def expected(self, diameter: float) -> Floats:
        """Return F(Q) of spheres of the reference lattice, scale one, (n_q,): two are mixed."""
        diameters, templates = self.at_reference()
        place = float(np.interp(diameter, diameters, np.arange(len(diameters))))
        low = min(int(place), len(diameters) - 2)
        share = place - low
        return np.asarray((1.0 - share) * templates[low] + share * templates[low + 1])

    def distance(self, shell: int, values: Floats) -> tuple[float, Floats]:
        """Return the mean distance of a followed shell in Å, and its change with each value."""
        box, own = self.box, self.shells[shell].classes
        free = len(box.kind.names)
        metric, by_free = box.kind.metric(values[1 : 1 + free], angles=box.angles)
        keys, share = box.classes.keys[own], box.classes.amount[own]
        share = share / share.sum()
        r = np.sqrt(keys @ metric)
        change = np.zeros(len(values))
        change[1 : 1 + free] = (share / (2.0 * r)) @ (keys @ by_free)
        place = self.names.index(f"shift {shell}")
        change[place] = 1.0
        return float(share @ r + values[place]), change


def build_phase(
    candidate: Candidate,
    *,
    q: Floats,
    composition: Mapping[str, float],
    energy_kev: float | None,
    qdamp: float,
    qbroad: float,
    priors: Priors,
    diameter_limits: tuple[float, float],
    r_max: float | None = None,
) -> Phase:
    """Make a candidate ready; ValueError says what does not fit together.

    ``r_max`` in Å is how far distances count; None for the largest diameter.
    """
    longest = diameter_limits[1] if r_max is None else r_max
    structure = candidate.structure
    kind = LATTICES[structure.lattice]
    free = kind.free(structure.lengths, structure.angles)
    metric, _ = kind.metric(free, angles=structure.angles)
    classes = pair_classes(
        kind=kind,
        cell=structure.cell,
        positions=structure.positions,
        species=structure.species_index,
        metric=metric,
        r_max=longest * (1.0 + 2.0 * STRAIN_LIMIT),
    )
    unique = structure.lattice in UNIQUE_AXIS
    if candidate.anisotropic and not unique:
        raise ValueError(f"{structure.name} is {structure.lattice}: it has no unique axis c")
    aligned = oriented(classes, metric=metric) if unique else classes
    box_of = partial(
        _box,
        candidate,
        q=q,
        composition=composition,
        energy_kev=energy_kev,
        r_max=longest,
        resolution=(qdamp, qbroad),
    )
    box, shells = box_of(aligned if candidate.anisotropic else classes)
    phase = _limited(candidate, box, shells, free, priors, diameter_limits)
    formed = box_of(aligned) if unique and other_forms(candidate) else (box, shells)
    return _with_templates(replace(phase, formed_box=formed[0], formed_shells=formed[1]))


def _box(
    candidate: Candidate,
    classes: PairClasses,
    *,
    q: Floats,
    composition: Mapping[str, float],
    energy_kev: float | None,
    r_max: float,
    resolution: tuple[float, float],
) -> tuple[SmallBox, tuple[FollowedShell, ...]]:
    structure = candidate.structure
    shells = tuple(_followed(shell, structure, classes) for shell in candidate.shells)
    mean, _ = mean_form_factors(q=q, composition=composition, energy=energy_kev)
    box = small_box(
        q=q,
        kind=LATTICES[structure.lattice],
        angles=structure.angles,
        classes=classes,
        species=structure.species,
        atoms=np.bincount(structure.species_index).astype(np.float64),
        amplitudes=np.array([_amplitude(q, e, energy_kev) for e in structure.species]),
        mean_square=mean**2,
        r_max=r_max,
        qdamp=resolution[0],
        qbroad=resolution[1],
        shells=[shell.classes for shell in shells],
        anisotropic=candidate.anisotropic,
    )
    return box, shells


def _amplitude(q: Floats, element: str, energy: float | None) -> NDArray[np.complex128]:
    shift = 0.0 if energy is None else dispersion(element=element, energy=energy)
    return np.asarray(form_factor(q=q, element=element) + shift, dtype=np.complex128)


def _followed(shell: NamedShell, structure: Structure, classes: PairClasses) -> FollowedShell:
    near = np.abs(classes.r - shell.near) <= shell.reach
    if not near.any():
        raise ValueError(
            f"{structure.name} has no atoms {shell.near:g} ± {shell.reach:g} Å apart ({shell.name})"
        )
    electrons = np.array(
        [float(form_factor(q=np.zeros(1), element=e)[0]) for e in structure.species]
    )
    strength = np.array([electrons[a] * electrons[b] for a, b in classes.pairs])[classes.row]
    first = int(np.argmax(np.where(near, classes.amount * strength, 0.0)))
    code = np.array([a * len(electrons) + b for a, b in classes.pairs])[classes.row]
    alike = np.flatnonzero(code == code[first])
    r = classes.r[alike]
    group = np.concatenate(([0], np.cumsum(np.diff(r) > _GAP)))
    own = group[np.searchsorted(alike, first)]
    return FollowedShell(name=shell.name, classes=alike[group == own])


def _limited(
    candidate: Candidate,
    box: SmallBox,
    shells: tuple[FollowedShell, ...],
    free: Floats,
    priors: Priors,
    diameter_limits: tuple[float, float],
) -> Phase:
    structure = candidate.structure
    kinds = structure.species_index
    given = np.where(np.isfinite(structure.uiso), structure.uiso, _DEFAULT_UISO)
    given = np.clip(given, *_USUAL_UISO)
    uiso = np.array([given[kinds == k].mean() for k in range(len(structure.species))])
    uiso = np.tile(uiso, len(box.motions))
    angle = np.array([name in ("alpha", "beta", "gamma") for name in box.kind.names])
    lattice_sigma = np.where(angle, np.degrees(priors.lattice), priors.lattice * free)
    reach = np.where(angle, _ANGLE_LIMIT, STRAIN_LIMIT * free)
    none = np.zeros(len(shells))
    mean, spread = priors.diameter
    motion, motion_sigma = priors.delta2
    least = np.full(len(uiso), _LEAST_UISO)
    most = np.maximum(10.0 * uiso, _LARGEST_UISO)
    together = _LARGEST_DELTA2 * float(box.classes.r[0]) ** 2
    usual = priors.uiso[1] * np.maximum(uiso, _DEFAULT_UISO)
    low, high = diameter_limits
    return Phase(
        candidate=candidate,
        box=box,
        reference=np.concatenate([[mean], free, priors.uiso[0] * uiso, [motion], none]),
        prior_sigma=np.concatenate(
            [[spread], lattice_sigma, usual, [motion_sigma], none + priors.shift]
        ),
        lower=np.concatenate([[low], free - reach, least, [-1.0], none - 0.3]),
        upper=np.concatenate([[high], free + reach, most, [together], none + 0.3]),
        shells=shells,
        formed_box=box,
        formed_shells=shells,
        diameters=np.empty(0),
        starts=np.empty((0, 0)),
        templates=np.empty((0, 0)),
    )


def _with_templates(phase: Phase) -> Phase:
    low, high = phase.lower[0], phase.upper[0]
    count = int(np.ceil(np.log(high / low) / np.log(_SIZE_RATIO)))
    diameters = np.geomspace(1.001 * low, 0.98 * high, min(max(count, 2), _MOST_SIZES))
    lengths = [not name.startswith(("al", "be", "ga")) for name in phase.box.kind.names]
    starts = []
    for strain in _STRAIN_STARTS:
        for diameter in diameters:
            values = phase.reference.copy()
            values[0] = diameter
            values[1 : 1 + len(lengths)] *= 1.0 + strain * np.array(lengths)
            starts.append(values)
    templates = [phase.box.evaluate(values)[0] for values in starts]
    return replace(
        phase, diameters=diameters, starts=np.array(starts), templates=np.array(templates)
    )


_EXTRA_START: dict[Form, tuple[float, float, float, float]] = {
    "spheres": (0.2, 0.3, 0.02, 0.6),
    "ellipsoid": (1.6, np.inf, 0.2, 5.0),
    "rod": (2.0, np.inf, 0.8, 6.0),
    "plate": (0.5, np.inf, 0.15, 1.0),
}
"""Start (and prior), σ of the prior, least and largest of what a form has beside its diameter."""


def formed_phase(phase: Phase, form: Form) -> Phase:
    """Return the same crystal in domains of another form, without templates."""
    phase = replace(phase, box=with_form(phase.formed_box, form), shells=phase.formed_shells)
    if not EXTRA[form]:
        return phase
    start, sigma, least, largest = _EXTRA_START[form]
    return replace(
        phase,
        reference=np.append(phase.reference, start),
        prior_sigma=np.append(phase.prior_sigma, sigma),
        lower=np.append(phase.lower, least),
        upper=np.append(phase.upper, largest),
    )


def other_forms(candidate: Candidate) -> tuple[Form, ...]:
    """Return the forms that may be tried where spheres do not describe the data."""
    forms: list[Form] = [shape for shape in candidate.shapes if shape != "sphere"]
    return (*forms, "spheres") if candidate.size_distribution else tuple(forms)
