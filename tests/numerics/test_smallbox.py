import numpy as np
import pytest

from livepdf.files.structures import read_structure
from livepdf.model.structure import Structure
from livepdf.numerics.form_factors import dispersion, form_factor
from livepdf.numerics.lattice import LATTICES
from livepdf.numerics.pair_classes import pair_classes
from livepdf.numerics.smallbox import SmallBox, small_box, with_form

Q = np.arange(1.0, 20.0, 0.02)
ENERGY = 60.0


def amplitudes(structure: Structure) -> np.ndarray:
    return np.array(
        [
            form_factor(q=Q, element=e) + dispersion(element=e, energy=ENERGY)
            for e in structure.species
        ]
    )


def atoms_of(structure: Structure) -> np.ndarray:
    return np.bincount(structure.species_index).astype(float)


def box_of(name: str, *, r_max: float = 45.0, shells: int = 0, **resolution: float) -> SmallBox:
    structure = read_structure(name)
    kind = LATTICES[structure.lattice]
    free = kind.free(structure.lengths, structure.angles)
    classes = pair_classes(
        kind=kind,
        cell=structure.cell,
        positions=structure.positions,
        species=structure.species_index,
        metric=kind.metric(free, angles=structure.angles)[0],
        r_max=1.05 * r_max,
    )
    f, atoms = amplitudes(structure), atoms_of(structure)
    return small_box(
        q=Q,
        kind=kind,
        angles=structure.angles,
        classes=classes,
        species=structure.species,
        atoms=atoms,
        amplitudes=f,
        mean_square=np.abs(atoms @ f / atoms.sum()) ** 2,
        r_max=r_max,
        shells=[np.arange(2 * k, 2 * k + 2) for k in range(shells)],
        **resolution,
    )


def values_of(name: str, *, diameter: float, delta2: float = 1.5, shells: int = 0) -> np.ndarray:
    structure = read_structure(name)
    free = LATTICES[structure.lattice].free(structure.lengths, structure.angles)
    kinds = structure.species_index
    uiso = [structure.uiso[kinds == k].mean() for k in range(kinds.max() + 1)]
    return np.concatenate([[diameter], free, uiso, [delta2], np.full(shells, 0.01)])


def summed_pair_by_pair(name: str, *, diameter: float, delta2: float, qdamp: float) -> np.ndarray:
    """Σ over every pair vector of a sphere, less the even medium: slow, and by the book."""
    structure = read_structure(name)
    f, atoms, kinds = amplitudes(structure), atoms_of(structure), structure.species_index
    mean = np.abs(atoms @ f / atoms.sum()) ** 2
    reach = int(np.ceil(diameter / min(structure.lengths))) + 2
    images = np.stack(np.meshgrid(*3 * [np.arange(-reach, reach + 1)], indexing="ij"), -1)
    images = images.reshape(-1, 3) @ structure.cell
    uiso = [structure.uiso[kinds == k].mean() for k in range(kinds.max() + 1)]
    fq = np.zeros(Q.shape)
    for i, a in enumerate(kinds):
        for j, b in enumerate(kinds):
            shift = (structure.positions[j] - structure.positions[i]) @ structure.cell
            r = np.linalg.norm(images + shift, axis=1)
            r, count = np.unique(np.round(r[(r > 0.1) & (r < diameter)], 9), return_counts=True)
            t = r / diameter
            height = count * (1 - 1.5 * t + 0.5 * t**3) * np.exp(-0.5 * (qdamp * r) ** 2) / r
            variance = (uiso[a] + uiso[b]) * (1 - delta2 / r**2)
            sums = np.zeros(Q.shape)
            for one, h, v in zip(r, height, variance, strict=True):
                sums += h * np.sin(Q * one) * np.exp(-0.5 * v * Q**2)
            fq += (f[a] * f[b].conj()).real / mean * sums / len(kinds)
    return fq


def even_medium(name: str, *, diameter: float, qdamp: float) -> np.ndarray:
    structure = read_structure(name)
    r = np.arange(0.0, diameter, 0.005)
    t = r / diameter
    height = 4 * np.pi * r * (1 - 1.5 * t + 0.5 * t**3) * np.exp(-0.5 * (qdamp * r) ** 2)
    sums = np.trapezoid(height * np.sin(np.outer(Q, r)), r, axis=1)
    return sums * len(structure.elements) / structure.volume


@pytest.mark.parametrize(("name", "diameter"), [("pt", 40.0), ("sno2-rutile", 24.0)])
def test_fq_is_the_sum_over_all_pairs(name: str, diameter: float) -> None:
    box = box_of(name, qdamp=0.03)

    fq, _ = box.evaluate(values_of(name, diameter=diameter))

    slow = summed_pair_by_pair(name, diameter=diameter, delta2=1.5, qdamp=0.03)
    slow -= even_medium(name, diameter=diameter, qdamp=0.03)
    beyond = Q > 1.5  # an even medium of pairs has no exact weights, but hardly reaches there
    assert np.abs(fq - slow)[beyond].max() < 1.5e-3 * np.abs(slow).max()


def test_far_distances_are_not_damped_by_the_grid_of_the_transform() -> None:
    # Interpolated linearly between steps of 0.019 Å⁻¹, the sines of 50 Å would lose a tenth.
    box = box_of("pt", r_max=70.0)
    large, small = (box.evaluate(values_of("pt", diameter=d))[0] for d in (60.0, 59.0))
    slow = [
        summed_pair_by_pair("pt", diameter=d, delta2=1.5, qdamp=0.0)
        - even_medium("pt", diameter=d, qdamp=0.0)
        for d in (60.0, 59.0)
    ]
    seen, wanted = large - small, slow[0] - slow[1]
    beyond = Q > 1.5
    assert (seen @ wanted) / (wanted @ wanted) == pytest.approx(1.0, abs=0.01)
    assert np.abs(seen - wanted)[beyond].max() < 0.01 * np.abs(wanted).max()


@pytest.mark.parametrize(
    "name", ["pt", "sno2-rutile", "tio2-anatase", "hfo2-monoclinic", "sio2-cristobalite"]
)
def test_derivatives_are_those_of_finite_differences(name: str) -> None:
    box = with_form(box_of(name, r_max=36.0, shells=2, qdamp=0.03, qbroad=0.02), "spheres")
    values = np.append(values_of(name, diameter=25.0, shells=2), 0.1)

    _, jacobian = box.evaluate(values)

    for k, label in enumerate(box.names):
        step = np.zeros(len(values))
        step[k] = (2e-5 if label in "abcbetadiameter" else 1e-3) * max(abs(values[k]), 0.01)
        change = (box.evaluate(values + step)[0] - box.evaluate(values - step)[0]) / (2 * step[k])
        error = np.abs(jacobian[k] - change).max() / np.abs(change).max()
        assert error < 3e-4, label


def test_the_lattice_also_moves_atoms_towards_the_edge_of_the_domain() -> None:
    # Without dγ/dr the lattice columns were 1 to 2 % off.
    box = box_of("sno2-rutile", r_max=30.0)
    values = values_of("sno2-rutile", diameter=20.0)
    step = 1e-4 * np.eye(len(values))[2]

    _, jacobian = box.evaluate(values)

    change = (box.evaluate(values + step)[0] - box.evaluate(values - step)[0]) / 2e-4
    assert np.abs(jacobian[2] - change).max() < 1e-3 * np.abs(change).max()


def test_equal_q_steps_are_demanded() -> None:
    structure = read_structure("pt")
    box = box_of("pt", r_max=12.0)
    with pytest.raises(ValueError, match="equidistant"):
        small_box(
            q=Q**1.1,
            kind=LATTICES["cubic"],
            angles=structure.angles,
            classes=box.classes,
            species=structure.species,
            atoms=atoms_of(structure),
            amplitudes=amplitudes(structure),
            mean_square=np.ones(Q.shape),
            r_max=12.0,
        )
