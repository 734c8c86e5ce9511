import json
from collections.abc import Callable
from pathlib import Path
from xml.etree import ElementTree

import numpy as np
import pytest
from click.testing import CliRunner

from livepdf.cli.main import livepdf
from livepdf.errors import ConfigError, FileError
from livepdf.numerics.transform import exact_transform
from tests.analysis.particles import particle

DataPath = Callable[[str], Path]


@pytest.fixture(scope="module")
def platinum(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a G(r) of spheres of 30 Å whose header tells its limits."""
    sample = particle("pt", diameter=30.0, qmax=20.0, centres=3, step=0.02)
    r = np.round(np.arange(0.05, 45.0, 0.05), 10)
    gr = exact_transform(q=sample.q, r=r).apply(sample.fq)
    path = tmp_path_factory.mktemp("gr") / "pt.gr"
    header = "[PDF]\ncomposition = Pt\nqmin = 0.8\nqmax = 20.0\nqmaxinst = 20.0\nrpoly = 0\n"
    header += "qdamp = 0.0\n#### start data\n#S 1\n#L r  G\n"
    np.savetxt(path, np.column_stack([r, gr]), header=header, comments="")
    return path


def run(*arguments: str | Path) -> str:
    done = CliRunner().invoke(livepdf, ["analyse", *map(str, arguments)], catch_exceptions=False)
    assert done.exit_code == 0
    return done.output


def test_values_are_printed_with_their_errors(platinum: Path) -> None:
    said = run(platinum, "--structure", "pt")

    assert "domain size" in said
    assert "±" in said
    assert "lattice a" in said


def test_json_holds_values_errors_and_reasons(platinum: Path) -> None:
    found = json.loads(run(platinum, "-s", "pt", "--json"))

    assert found["structure"] == "pt"
    assert found["trends"]["domain size"]["value"] == pytest.approx(30.0, rel=0.01)
    assert found["trends"]["lattice a"]["value"] == pytest.approx(3.9231, abs=1e-3)
    assert found["rw"] < 0.02


def test_of_several_structures_each_has_its_share_and_is_named_once(
    platinum: Path, tmp_path: Path
) -> None:
    found = json.loads(run(platinum, "-s", "pt", "-s", "ni", "--rmax", "15", "--json"))

    share = found["trends"]["ni fraction"]
    assert share["value"] == pytest.approx(0.0, abs=3 * share["sigma"])
    with pytest.raises(ConfigError, match="pt twice"):
        run(platinum, "-s", "pt", "-s", "pt")
    bare = tmp_path / "bare.gr"
    bare.write_text(platinum.read_text().replace("composition = Pt\n", ""))
    with pytest.raises(ConfigError, match="--composition: found none, and pt, ni differ"):
        run(bare, "-s", "pt", "-s", "ni")


def test_data_model_and_difference_are_written_and_drawn(platinum: Path, tmp_path: Path) -> None:
    curves, plot = tmp_path / "pt.txt", tmp_path / "pt.svg"

    run(platinum, "-s", "pt", "--rmax", "30", "--out", curves, "--plot", plot)

    r, gr, model, rest = np.loadtxt(curves, unpack=True)
    np.testing.assert_allclose(gr - model, rest, atol=1e-4)
    assert r[-1] == pytest.approx(30.0)
    root = ElementTree.fromstring(plot.read_text(encoding="utf-8"))
    lines = [one for one in root if one.tag.endswith("polyline")]
    assert len(lines) == 3
    assert all(len(one.attrib["points"].split()) == len(r) for one in lines)


def test_a_file_without_limits_asks_for_them(data_path: DataPath) -> None:
    path = data_path("refs/tio2_cdse_sizes/CdSe_586.gr")
    with pytest.raises(ConfigError, match="--qmax"):
        run(path, "-s", data_path("cif/CdSe-Wurtzite.cif"))


def test_the_limits_of_an_older_program_are_read_from_its_header(data_path: DataPath) -> None:
    path = data_path("series/ni_temperature/Ni-140mm-280K.gr")

    found = json.loads(run(path, "-s", "ni", "--rmax", "30", "--json"))

    assert found["trends"]["lattice a"]["value"] == pytest.approx(3.5272, abs=0.002)
    assert "not given" in found["trends"]["domain size"]["reason"]


def test_a_structure_is_demanded(platinum: Path) -> None:
    with pytest.raises(ConfigError, match="--structure"):
        run(platinum)


def test_a_range_without_data_is_refused_in_words(platinum: Path) -> None:
    with pytest.raises(FileError, match="independent points"):
        run(platinum, "-s", "pt", "--rmin", "40", "--rmax", "41")
