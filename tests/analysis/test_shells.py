import pytest

from livepdf.analysis.shells import NearShell, near_shell
from livepdf.files.structures import read_structure
from livepdf.numerics.pairs import crystal_pairs
from tests.analysis.particles import particle


def shell_near(name: str, near: float, *, qmax: float = 20.0) -> NearShell | None:
    structure = read_structure(name)
    sample = particle(name, diameter=8.0, centres=1)
    return near_shell(
        crystal_pairs(
            cell=structure.cell,
            positions=structure.positions,
            species=structure.species_index,
            r_max=6.0,
        ),
        fractions=sample.fractions,
        amplitudes=sample.amplitudes[:, len(sample.q) // 2],
        near=near,
        reach=0.3,
        qmax=qmax,
    )


@pytest.mark.parametrize(
    ("name", "near", "distance", "species"),
    [
        ("hfo2-monoclinic", 2.13, 2.145, (0, 1)),
        ("hfo2-monoclinic", 3.44, 3.436, (0, 0)),
        ("hfo2-monoclinic", 3.95, 3.955, (0, 0)),
        ("sno2-rutile", 2.05, 2.054, (0, 1)),
        ("sno2-rutile", 3.71, 3.710, (0, 0)),
        ("tio2-anatase", 1.95, 1.949, (0, 1)),
        ("tio2-anatase", 3.04, 3.039, (0, 0)),
        ("pt", 2.77, 2.774, (0, 0)),
        ("ceo2", 3.83, 3.826, (0, 0)),
    ],
)
def test_published_shell_distances_are_met(
    name: str, near: float, distance: float, species: tuple[int, int]
) -> None:
    shell = shell_near(name, near)

    assert shell is not None
    assert shell.distance == pytest.approx(distance, abs=0.003)
    assert shell.species == species


def test_a_first_shell_of_a_metal_stands_alone_at_any_qmax() -> None:
    for qmax in (8.0, 20.0):
        shell = shell_near("pt", 2.77, qmax=qmax)
        assert shell is not None
        assert shell.isolated


def test_titanium_shell_with_oxygen_inside_is_unresolved() -> None:
    shell = shell_near("tio2-anatase", 3.78)

    assert shell is not None
    assert not shell.isolated


def test_low_qmax_merges_the_two_hafnium_shells() -> None:
    sharp, blurred = (shell_near("hfo2-monoclinic", 3.44, qmax=q) for q in (20.0, 6.0))

    assert sharp is not None
    assert blurred is not None
    assert sharp.isolated
    assert not blurred.isolated


def test_where_the_crystal_has_no_distance_there_is_no_shell() -> None:
    assert shell_near("pt", 1.5) is None
