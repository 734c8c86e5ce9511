from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from livepdf.daemon.assemble import check_profile, prepare
from livepdf.errors import ConfigError
from tests.daemon import beamline


def complaints(profile: Path, recipe: Path) -> dict[str, str]:
    with pytest.raises(ConfigError) as caught:
        prepare(profile, recipe)
    return {c.key: str(c) for c in caught.value.complaints}


def test_all_files_of_both_settings_are_complained_about_at_once(tmp_path: Path) -> None:
    short = "\n".join(f"{q:.2f} 1.0" for q in np.linspace(0.5, 10.0, 50))
    (tmp_path / "short.chi").write_text(short)
    np.save(tmp_path / "whole.npy", np.zeros(beamline.SHAPE, bool))
    profile, recipe = beamline.write_settings(
        tmp_path,
        detector='masks = ["whole.npy", "none.edf"]\ndark = "dark.tif"',
        more="""
[[background]]
file = "short.chi"
[[background]]
file = "gone.chi"
[analysis]
structures = ["unobtainium"]
""",
    )
    recipe.write_text(recipe.read_text().replace('"Ni"', '"Xx"', 1))

    said = complaints(profile, recipe)

    assert set(said) == {
        "detector.masks.1",
        "detector.dark",
        "sample.composition",
        "background.0.file",
        "background.1.file",
        "analysis.structures.0",
    }
    assert "Q from 0.500 to 10.000" in said["background.0.file"]
    assert all("found" in line and "wanted" in line for line in said.values())


def test_a_mask_of_another_shape_names_both_shapes(tmp_path: Path) -> None:
    np.save(tmp_path / "small.npy", np.zeros((3, 4), bool))
    settings = beamline.write_settings(tmp_path, detector='masks = ["small.npy"]')

    line = complaints(*settings)["detector.masks.0"]

    assert "(3, 4)" in line
    assert "(120, 100)" in line


def test_q_beyond_the_detector_is_a_complaint_beside_those_about_files(tmp_path: Path) -> None:
    profile, recipe = beamline.write_settings(tmp_path, more='[analysis]\nstructures = ["none"]')
    recipe.write_text(recipe.read_text().replace("qmax = 18.0", "qmax = 40.0"))

    said = complaints(profile, recipe)

    assert set(said) == {"reduction.qmax", "analysis.structures.0"}
    assert "the detector reaches no further" in said["reduction.qmax"]


def test_a_mask_that_leaves_nothing_is_a_complaint(tmp_path: Path) -> None:
    np.save(tmp_path / "all.npy", np.ones(beamline.SHAPE, bool))
    profile, recipe = beamline.write_settings(tmp_path, detector='masks = ["all.npy"]')

    assert "no pixel" in complaints(profile, recipe)["detector"]
    with pytest.raises(ConfigError):
        check_profile(profile)


def test_mistakes_in_both_files_come_together(tmp_path: Path) -> None:
    profile, recipe = beamline.write_settings(tmp_path)
    profile.write_text(profile.read_text().replace("bins = 200", 'bins = "many"'))
    recipe.write_text(recipe.read_text().replace("[reduction]", "[reduction]\nqmaxx = 3"))

    assert set(complaints(profile, recipe)) == {"integration.bins", "reduction.qmaxx"}


def test_a_background_is_taken_off_the_intensity(tmp_path: Path) -> None:
    grid = np.linspace(0.0, 30.0, 3000)
    rows = "\n".join(f"{q:.5f} {5.0 + q:.5f} 0.1" for q in grid)
    (tmp_path / "cell.chi").write_text(rows)
    more = '[[background]]\nfile = "cell.chi"\nscale = 2.0'
    plain = prepare(*beamline.write_settings(tmp_path)).for_shape(beamline.SHAPE)
    reduced = prepare(*beamline.write_settings(tmp_path, more=more)).for_shape(beamline.SHAPE)

    (background,) = reduced.plan.backgrounds
    np.testing.assert_allclose(background.intensity, 5.0 + plain.plan.q, atol=1e-4)
    assert background.scale == 2.0


def test_a_size_that_the_calibration_lacks_is_taken_from_the_mask(tmp_path: Path) -> None:
    np.save(tmp_path / "mask.npy", np.zeros(beamline.SHAPE, bool))
    settings = beamline.write_settings(tmp_path, known_shape=False, detector='masks = ["mask.npy"]')

    prepared = prepare(*settings)

    assert prepared.pipeline is not None
    assert prepared.pipeline.integrator.shape == beamline.SHAPE


def test_images_of_another_shape_are_told_apart(tmp_path: Path) -> None:
    prepared = prepare(*beamline.write_settings(tmp_path))

    with pytest.raises(ValueError, match="as the calibration says"):
        prepared.for_shape((7, 9))


def test_the_recorded_calibration_of_a_beamline_is_taken(
    tmp_path: Path, data_path: Callable[[str], Path]
) -> None:
    profile, recipe = beamline.write_settings(tmp_path)
    poni = data_path("images/xpd_ni/xpd_ni.poni")
    profile.write_text(profile.read_text().replace("geometry.poni", str(poni)))

    assert prepare(profile, recipe).pipeline is not None
