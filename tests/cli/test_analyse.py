"""A finished run, analysed again and written as a table."""

import csv
import io
import json
from pathlib import Path

import fabio.tifimage
import h5py
import numpy as np
import pytest

from livepdf.cli.main import main
from livepdf.sinks.nexus_run import StoredRun
from tests.daemon import beamline

SECOND = '[[peak]]\nname = "far"\nnear = 15.2\nreach = 0.2\n'


def call(*arguments: str | Path) -> int:
    with pytest.raises(SystemExit) as left:
        main([str(a) for a in arguments])
    return int(left.value.code or 0)


@pytest.fixture(scope="module")
def finished(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("run")
    profile, recipe = beamline.write_settings(folder, more=SECOND)
    images = []
    for index in range(3):
        path = folder / f"image{index}.tif"
        fabio.tifimage.TifImage(data=beamline.counts(index)).write(str(path))
        images.append(path)
    options = ["--profile", profile, "--recipe", recipe, "--out", folder / "out"]
    assert call("process", *images, *options) == 0
    return folder / "out" / "run.nxs"


def test_a_finished_run_analysed_again_gives_the_numbers_that_it_gave(
    finished: Path, tmp_path: Path
) -> None:
    again = tmp_path / "again.nxs"

    assert call("analyse", finished, "--out", again) == 0

    with h5py.File(finished) as one, h5py.File(again) as other:
        for name in one["entry/trends"]:
            for column in ("value", "value_errors", "reason"):
                np.testing.assert_array_equal(
                    other[f"entry/trends/{name}/{column}"][:],
                    one[f"entry/trends/{name}/{column}"][:],
                )
        np.testing.assert_array_equal(other["entry/pdf/G"][:], one["entry/pdf/G"][:])


def test_a_run_analysed_by_another_recipe_keeps_its_own_file(
    finished: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    other = tmp_path / "other.toml"
    other.write_text('[sample]\ncomposition = "Ni"\n[reduction]\nqmin = 1.0\nqmax = 12.0\n')
    before = finished.read_bytes()
    again = tmp_path / "again.nxs"

    assert call("analyse", finished, "--recipe", other, "--out", again, "--json") == 0

    assert json.loads(capsys.readouterr().out)["windows"] == 3
    assert finished.read_bytes() == before
    with StoredRun(again) as run:
        assert "qmax = 12.0" in run.recipe
        assert run.revision == 2
    assert call("analyse", finished, "--recipe", other, "--out", again) == 1


def test_the_table_names_units_and_gives_each_gap_its_reason(
    finished: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert call("trends", finished, "--csv") == 0

    rows = list(csv.DictReader(io.StringIO(capsys.readouterr().out)))
    assert [row["window"] for row in rows] == ["0", "1", "2"]
    assert "time (s)" in rows[0]
    gaps = 0
    for row in rows:
        for name in (n.removeprefix("why no ") for n in row if n.startswith("why no ")):
            value = next(k for k in row if k == name or k.startswith(f"{name} ("))
            sigma = f"σ of {value}"
            assert (row[value] == "") == (row[f"why no {name}"] != ""), name
            assert row[value] == "" or float(row[sigma]) >= 0.0
            gaps += row[value] == ""
    assert gaps


def test_a_trend_that_is_not_there_is_named_with_those_that_are(
    finished: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert call("trends", finished, "--name", "colour") == 2
    assert "S(Q) tail" in capsys.readouterr().err


def test_a_file_that_holds_no_run_is_refused_in_words(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    stranger = tmp_path / "x.nxs"
    with h5py.File(stranger, "w") as file:
        file["entry/data"] = np.zeros(3)

    assert call("trends", stranger) == 1
    assert "no results of livepdf" in capsys.readouterr().err
