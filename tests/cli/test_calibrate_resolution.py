"""Oracles: fits that others published with DiffPy-CMI and PDFgui, and simulated standards."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from click.testing import CliRunner, Result

from livepdf.cli.calibrate_resolution import calibrate_resolution
from livepdf.cli.pdf import pdf
from livepdf.config.load import load_profile
from livepdf.errors import ConfigError, FileError
from livepdf.files.structures import read_structure
from livepdf.numerics.bulk import bulk_fq
from livepdf.numerics.compton import mean_compton
from livepdf.numerics.form_factors import form_factor, mean_form_factors
from livepdf.numerics.pairs import crystal_pairs

Find = Callable[[str], Path]
PETRA = "refs/ni_kapton_petra/20200702_090847_PDF_Ni_kapton_retake_6617-6636_0.gr"
RECIPE = """
[sample]
composition = "CeO2"
[reduction]
qmin = 0.8
qmax = 22.0
rmax = 60.0
rstep = 0.02
"""


def _run(*arguments: object) -> Result:
    return CliRunner().invoke(calibrate_resolution, [str(argument) for argument in arguments])


def _found(*arguments: object) -> dict[str, Any]:
    result = _run(*arguments, "--json")
    assert result.exit_code == 0, (result.output, result.exception)
    found: dict[str, Any] = json.loads(result.output)
    return found


def test_nickel_fitted_with_diffpy_cmi_is_found_again(data_path: Find) -> None:
    # Published for qbroad 0.02: a 3.52477, Biso 0.4518, delta2 1.705, scale 0.4417, qdamp 0.04797.
    gr = data_path("refs/ni_pt_cmi/Ni.gr")

    found = _found(gr, "-s", "ni", "--rmax", 20, "--qbroad", 0.02)

    assert found["qdamp"] == pytest.approx(0.04797, rel=0.01)
    assert found["lattice"][0] == pytest.approx(3.52477, abs=2e-4)
    assert found["uiso"]["Ni"] == pytest.approx(0.4518 / (8 * np.pi**2), rel=0.01)
    assert found["scale"] == pytest.approx(0.4417, rel=0.01)
    assert found["rw"] < 0.0218


def test_over_a_long_range_qdamp_and_qbroad_are_those_its_authors_went_on_with(
    data_path: Find,
) -> None:
    # They fixed 0.0453 and 0.0168 for the nanoparticles measured beside it.
    found = _found(data_path("refs/ni_pt_cmi/Ni.gr"), "-s", "ni")

    assert found["qdamp"] == pytest.approx(0.0453, rel=0.03)
    assert found["qbroad"] == pytest.approx(0.0168, rel=0.03)
    assert found["warnings"] == []


def test_nickel_fitted_with_pdfgui_is_found_again(data_path: Find) -> None:
    # Published: a 3.52578(14), U 0.00440(11), delta2 2.6(3), scale 0.326(5), qdamp 0.0359(6).
    found = _found(data_path(PETRA), "-s", "ni", "--qbroad", 0)

    assert found["qdamp"] == pytest.approx(0.0359197, rel=0.03)
    assert found["lattice"][0] == pytest.approx(3.52578, abs=2.8e-4)
    assert found["uiso"]["Ni"] == pytest.approx(0.00440, abs=2.2e-4)
    assert found["scale"] == pytest.approx(0.326, abs=0.01)
    assert found["rw"] < 0.0766


def _write_standard(
    folder: Path, name: str, composition: dict[str, float], uiso: list[float], reach: float
) -> Path:
    """I(Q) of a standard at qdamp 0.035 1/Å, with Compton and noise."""
    structure = read_structure(name)
    q = 0.0125 * np.arange(8, 2000)
    amplitudes = np.array([form_factor(q=q, element=element) for element in structure.species])
    atoms = np.array([composition[element] for element in structure.species])
    shells = crystal_pairs(
        cell=structure.cell,
        positions=structure.positions,
        species=structure.species_index,
        r_max=reach + 20,
    )
    fq = bulk_fq(
        shells,
        q=q,
        fractions=atoms / atoms.sum(),
        amplitudes=amplitudes,
        uiso=np.array(uiso),
        r_max=reach,
        tail=20.0,
        qdamp=0.035,
    )
    mean_f, mean_f2 = mean_form_factors(q=q, composition=composition)
    electrons = mean_f**2 * fq / q + mean_f2
    electrons += mean_compton(q=q, composition=composition, energy=60.0)
    counts = np.random.default_rng(2).poisson(50 * np.maximum(electrons, 0.0))
    path = folder / f"{name}.chi"
    np.savetxt(path, np.column_stack([q, counts, np.sqrt(np.maximum(counts, 1))]))
    formula = "".join(f"{element}{count:g}" for element, count in composition.items())
    (folder / "recipe.toml").write_text(RECIPE.replace("CeO2", formula), encoding="utf-8")
    return path


@pytest.fixture(scope="module")
def ceria(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """I(Q) of CeO2."""
    folder = tmp_path_factory.mktemp("ceria")
    return _write_standard(folder, "ceo2", {"Ce": 1, "O": 2}, [0.003, 0.006], 130.0)


@pytest.mark.parametrize(
    ("name", "composition", "uiso"),
    [("ni", {"Ni": 1.0}, [0.005]), ("lab6", {"La": 1.0, "B": 6.0}, [0.006, 0.0045])],
)
def test_the_other_standards_give_back_what_they_were_made_with_from_i_and_from_g(
    tmp_path: Path, name: str, composition: dict[str, float], uiso: list[float]
) -> None:
    path = _write_standard(tmp_path, name, composition, uiso, 80.0)
    recipe = tmp_path / "recipe.toml"
    made = CliRunner().invoke(pdf, [str(path), "-c", str(recipe), "-o", str(tmp_path / "s.gr")])
    assert made.exit_code == 0, made.exception

    for more in ((path, "-c", recipe), (tmp_path / "s.gr",)):
        found = _found(*more, "-s", name, "--rmax", 60, "--qbroad", 0)

        assert found["qdamp"] == pytest.approx(0.035, rel=0.03)
        assert found["lattice"][0] == pytest.approx(read_structure(name).lengths[0], rel=5e-5)
        assert found["warnings"] == []


def test_simulated_ceria_gives_back_what_it_was_made_with(ceria: Path) -> None:
    found = _found(ceria, "-s", "ceo2", "-c", ceria.parent / "recipe.toml")

    assert found["qdamp"] == pytest.approx(0.035, rel=0.03)
    assert found["qbroad"] < 0.004
    assert found["lattice"][0] == pytest.approx(5.4111, rel=2e-5)
    assert found["uiso"]["Ce"] == pytest.approx(0.003, rel=0.05)


def test_the_lines_go_into_a_profile(ceria: Path, tmp_path: Path) -> None:
    output = _run(ceria, "-s", "ceo2", "-c", ceria.parent / "recipe.toml", "--qbroad", 0).output
    path = tmp_path / "p.toml"
    path.write_text(
        '[instrument]\nname = "h"\n[source]\nkind = "directory"\npath = "in"\n'
        f'[detector]\nponi = "a.poni"\n{output}',
        encoding="utf-8",
    )

    resolution = load_profile(path).resolution

    assert resolution.qdamp == pytest.approx(0.035, rel=0.03)
    assert 0 < resolution.qdamp_sigma < 0.001
    assert resolution.qbroad == 0.0


def test_another_substance_is_called_out(ceria: Path) -> None:
    found = _found(ceria, "-s", "ni", "-c", ceria.parent / "recipe.toml", "--rmax", 30)

    assert any("not this standard" in warning for warning in found["warnings"])


def test_an_intensity_needs_a_config_and_a_range_needs_points(ceria: Path) -> None:
    recipe = ceria.parent / "recipe.toml"

    assert isinstance(_run(ceria, "-s", "ceo2").exception, ConfigError)
    short = _run(ceria, "-s", "ceo2", "-c", recipe, "--rmax", 4).exception
    assert isinstance(short, FileError)
    assert "independent points" in str(short)
