import pytest

from livepdf.numerics.composition import number_density, parse_composition


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("Ni", {"Ni": 1}),
        ("TiO2", {"Ti": 1, "O": 2}),
        ("Ti O2", {"Ti": 1, "O": 2}),
        ("PbTi0.5Zr0.5O3", {"Pb": 1, "Ti": 0.5, "Zr": 0.5, "O": 3}),
        ("Pb 1 Ti 1/2 Zr 1/2 O 3", {"Pb": 1, "Ti": 0.5, "Zr": 0.5, "O": 3}),
        ("Ca(OH)2", {"Ca": 1, "O": 2, "H": 2}),
        ("CH3CH2OH", {"C": 2, "H": 6, "O": 1}),
        ("((Fe2)2O.5)2", {"Fe": 8, "O": 1}),
        ("Co C O", {"Co": 1, "C": 1, "O": 1}),
    ],
)
def test_a_formula_gives_its_atoms(text: str, expected: dict[str, float]) -> None:
    assert parse_composition(text) == pytest.approx(expected)


@pytest.mark.parametrize(
    ("text", "named"),
    [
        ("TiXx2", "Xx"),
        ("2Ti", "2"),
        ("Ti?", r"\?"),
        ("Ca(OH", "never closed"),
        ("Ca)OH", "never opened"),
        ("", "no atoms"),
        ("Ti0", "no atoms"),
        ("Ti1/0", "zero"),
        ("hafnia", "hafnia"),
        ("H" + "9" * 380, "inf H, wanted at most 1000000"),
        ("((H999)999)999", "9.97e.08 H"),
        ("H" + "9" * 320 + "/" + "9" * 320, "no atoms"),
    ],
)
def test_what_cannot_be_read_is_named(text: str, named: str) -> None:
    with pytest.raises(ValueError, match=named):
        parse_composition(text)


def test_the_number_density_is_that_of_the_cell() -> None:
    # Ni: four atoms in 3.5238³ Å³ weigh 8.91 g/cm³.
    assert number_density({"Ni": 1}, density=8.911) == pytest.approx(4 / 3.5238**3, rel=1e-3)
    assert number_density({"H": 2, "O": 1}, density=0.997) == pytest.approx(0.1, rel=1e-3)
    with pytest.raises(ValueError, match="density"):
        number_density({"Ni": 1}, density=0.0)


def test_heavy_hydrogen_is_an_element() -> None:
    assert parse_composition("D2O") == {"D": 2, "O": 1}
