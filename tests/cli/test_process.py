import json
from collections.abc import Callable
from pathlib import Path

import fabio.tifimage
import h5py
import numpy as np
import pytest
from scipy.signal import argrelmax

from livepdf.cli.main import main
from livepdf.daemon.assemble import prepare
from livepdf.files.columns import read_columns
from livepdf.model.sums import intensity
from tests.daemon import beamline

XPD = """
[instrument]
name = "XPD"
[source]
kind = "directory"
path = "."
[detector]
poni = "{poni}"
"""
NICKEL = """
[sample]
composition = "Ni"
[reduction]
qmin = 0.8
qmax = 24.0
qmaxinst = 24.5
rpoly = 0.9
rmax = 30.0
"""


def call(*arguments: str | Path) -> int:
    with pytest.raises(SystemExit) as left:
        main(["process", *(str(a) for a in arguments)])
    return int(left.value.code or 0)


def options(tmp_path: Path, **settings: object) -> list[str | Path]:
    profile, recipe = beamline.write_settings(tmp_path, **settings)  # type: ignore[arg-type]
    return ["--profile", profile, "--recipe", recipe, "--out", tmp_path / "out"]


def tiff(path: Path, index: int) -> Path:
    fabio.tifimage.TifImage(data=beamline.counts(index)).write(str(path))
    return path


def test_nickel_from_a_beamline_has_its_published_distances(
    tmp_path: Path, data_path: Callable[[str], Path]
) -> None:
    (tmp_path / "p.toml").write_text(XPD.format(poni=data_path("images/xpd_ni/xpd_ni.poni")))
    (tmp_path / "r.toml").write_text(NICKEL)
    image = data_path("images/xpd_ni/xpd_ni.tif")
    more = ["--profile", tmp_path / "p.toml", "--recipe", tmp_path / "r.toml"]

    assert call(image, *more, "--out", tmp_path / "out") == 0

    curve = read_columns(tmp_path / "out" / "xpd_ni.gr")
    peaks = curve.x[argrelmax(curve.y, order=8)[0]]
    for distance in (2.49, 3.52, 4.32, 4.98, 5.57):
        assert np.abs(peaks - distance).min() < 0.03, distance
    for kind in ("iq", "sq", "fq"):
        assert (tmp_path / "out" / f"xpd_ni.{kind}").is_file()
    with h5py.File(tmp_path / "out" / "run.nxs") as file:
        assert file["entry/pdf/G"].shape == (1, 3001 - 1500)


def test_every_image_of_every_file_is_a_window_equal_to_its_direct_integration(
    tmp_path: Path,
) -> None:
    single = tiff(tmp_path / "one.tif", 0)
    stack = tmp_path / "many.h5"
    with h5py.File(stack, "w") as file:
        file["entry/data/data"] = np.array([beamline.counts(n) for n in range(1, 4)])
    more = options(tmp_path)

    assert call(single, stack, *more) == 0

    out = tmp_path / "out"
    names = {path.name for path in out.glob("*.gr")}
    assert names == {"one.gr", "many_00001.gr", "many_00002.gr", "many_00003.gr"}
    pipeline = prepare(tmp_path / "profile.toml", tmp_path / "recipe.toml").pipeline
    assert pipeline is not None
    with h5py.File(out / "run.nxs") as file:
        rows = file["entry/azint1d/data/I"][:]
        assert file["entry/counters/used"][()] == 4
        assert file["entry/complete"][()] == 1
    for n, row in enumerate(rows):
        direct, _ = intensity(pipeline.integrator.integrate(beamline.counts(n)))
        np.testing.assert_array_equal(row, direct.astype(np.float32))


def test_files_that_fail_are_named_and_counted_and_the_others_go_on(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    good = tiff(tmp_path / "good.tif", 0)
    bad = tmp_path / "bad.tif"
    bad.write_bytes(good.read_bytes()[:1000])
    wrong = tmp_path / "wrong.npy"
    np.save(wrong, np.ones((4, 5), np.uint16))
    more = options(tmp_path)

    assert call(bad, wrong, good, tmp_path / "gone.tif", *more, "--json", "--strict") == 5

    told = json.loads(capsys.readouterr().out)
    assert (told["received"], told["used"]) == (4, 1)
    assert sum(told["refused"].values()) == 3
    assert told["refused"]["wrong shape"] == 1
    reasons = {Path(image["file"]).name: image["reason"] for image in told["images"]}
    assert reasons["good.tif"] == ""
    assert all(reasons[name] for name in ("bad.tif", "wrong.npy", "gone.tif"))


def test_results_that_are_there_are_not_overwritten_unasked(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    image = tiff(tmp_path / "one.tif", 0)
    more = options(tmp_path)
    assert call(image, *more) == 0
    capsys.readouterr()

    assert call(image, *more) == 1
    assert "is there already" in capsys.readouterr().err
    assert call(image, *more, "--overwrite") == 0


def test_two_files_of_the_same_name_do_not_share_a_result(tmp_path: Path) -> None:
    files = []
    for n, folder in enumerate(("a", "b")):
        (tmp_path / folder).mkdir()
        files.append(tiff(tmp_path / folder / "x.tif", n))

    assert call(*files, *options(tmp_path)) == 0

    assert {p.name for p in (tmp_path / "out").glob("*.gr")} == {"x.gr", "x-2.gr"}
