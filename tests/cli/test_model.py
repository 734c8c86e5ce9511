import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from click.testing import CliRunner, Result

from livepdf.cli.model import model
from livepdf.errors import FileError
from livepdf.files.columns import read_columns

Find = Callable[[str], Path]


def _run(*arguments: object) -> Result:
    return CliRunner().invoke(model, [str(argument) for argument in arguments])


def _done(*arguments: object) -> dict[str, Any]:
    result = _run(*arguments, "--json")
    assert result.exit_code == 0, (result.output, result.exception)
    found: dict[str, Any] = json.loads(result.stdout)
    return found


def test_nickel_in_the_window_of_published_data_describes_them(
    data_path: Find, tmp_path: Path
) -> None:
    # Its authors fitted Biso 0.4518, qdamp 0.048, scale 0.4417 and, beside, delta2 and qbroad.
    data = data_path("refs/ni_pt_cmi/Ni.gr")
    asked = ("--like", data, "--qdamp", 0.048, "--uiso", 0.4518 / (8 * np.pi**2), "--rmax", 20)

    nickel = _done("ni", *asked, "-o", tmp_path / "ni.gr")
    platinum = _done("pt", *asked, "-o", tmp_path / "pt.gr")

    assert nickel["rw"] < 0.1
    assert nickel["scale"] == pytest.approx(0.4417, rel=0.05)
    assert platinum["rw"] > 0.8
    assert "no Pt" in platinum["warnings"][-1]


def test_what_was_written_is_seen_again_through_its_own_window(tmp_path: Path) -> None:
    first, second = tmp_path / "first.gr", tmp_path / "second.gr"
    limits = ("--qmin", 0.9, "--qmax", 14, "--rpoly", 0.9, "--rmax", 15, "--taper", "lorch")
    _done("sno2-rutile", *limits, "--diameter", 30, "-o", first, "--outputs", "gr,fq")

    again = _done("sno2-rutile", "--like", first, "--diameter", 30, "-o", second)

    assert again["rw"] < 1e-3
    fq = read_columns(tmp_path / "first.fq")
    assert fq.x[0] == pytest.approx(0.9, abs=0.01)
    assert fq.x[-1] == pytest.approx(14.0, abs=0.01)
    assert read_columns(first).x.size == 1501


def test_a_cluster_needs_no_box(tmp_path: Path) -> None:
    pytest.importorskip("ase")
    cluster = tmp_path / "pair.xyz"
    cluster.write_text("2\n\nPt 0 0 0\nPt 0 0 2.77\n")

    done = _done(cluster, "--rmax", 8, "--qmin", 0.5, "-o", tmp_path / "pair.gr")

    gr = read_columns(tmp_path / "pair.gr")
    assert gr.x[gr.y.argmax()] == pytest.approx(2.77, abs=0.015)
    assert done["atoms"] == 2
    assert done["steps"] == 1


def test_a_box_smaller_than_the_range_is_told(tmp_path: Path) -> None:
    pytest.importorskip("ase")
    box = tmp_path / "box.xyz"
    box.write_text('1\nLattice="4 0 0 0 4 0 0 0 4" pbc="T T T"\nPt 0 0 0\n')

    result = _run(box, "--rmax", 9, "-o", tmp_path / "box.gr")

    assert "repeats itself beyond 2.0 A" in result.output
    assert "1 atoms of Pt, 1 step" in result.output


@pytest.mark.parametrize("file", ["nothing.xyz", "nothing.cif", "unobtainium"])
def test_a_model_that_is_not_there_is_refused(tmp_path: Path, file: str) -> None:
    result = _run(tmp_path / file, "-o", tmp_path / "out.gr")

    assert isinstance(result.exception, FileError)
    assert not (tmp_path / "out.gr").exists()
