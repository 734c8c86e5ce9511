"""Tiled detectors against EXtra-geom and against light that is known."""

import json
from collections.abc import Callable
from pathlib import Path

import extra_geom
import numpy as np
import pytest
from click.testing import CliRunner
from numpy.typing import NDArray

from livepdf.cli.geometry import geometry as command
from livepdf.errors import FileError
from livepdf.files.crystfel import read_geom
from livepdf.files.poni import read_poni
from livepdf.numerics.geometry import Geometry
from livepdf.numerics.tiles import TiledDetector

DataPath = Callable[[str], Path]
AGIPD, JUNGFRAU = "xfel/geom/agipd_mar18_v11.geom", "xfel/geom/jungfrau4M.geom"
TWO = """
res = 10000
clen = 100 mm
max_fs = 99
max_ss = 79
min_fs = 0
min_ss = 0
a/fs = +1.0x
a/ss = +1.0y
a/corner_x = -100
a/corner_y = 5
a/dim1 = 0
a/dim2 = ss
b/fs = x +0.0y
b/ss = 0.98y +0.2z
b/corner_x = 7
b/corner_y = 5
b/dim1 = 1
b/dim2 = ss
bad_edge/panel = a
bad_edge/min_fs = 0
bad_edge/max_fs = 1
bad_edge/min_ss = 0
bad_edge/max_ss = 79
bad_spot/min_x = 20
bad_spot/max_x = 30
bad_spot/min_y = 20
bad_spot/max_y = 40
"""


def tiles(tmp_path: Path, text: str = TWO) -> TiledDetector:
    path = tmp_path / "two.geom"
    path.write_text(text)
    return read_geom(path)


def as_geometry(tmp_path: Path, geom: Path, *, energy: float, distance: str = "") -> Geometry:
    given = [str(geom), "--energy", str(energy), "-o", str(tmp_path / "made.poni")]
    found = CliRunner().invoke(command, given + (["--distance", distance] if distance else []))
    assert found.exit_code == 0, found.output
    return read_poni(tmp_path / "made.poni")


def centres(detector: TiledDetector) -> NDArray[np.float64]:
    middle: NDArray[np.float64] = detector.corners().mean(axis=2)
    return middle


def test_pixels_are_where_extra_geom_has_them(data_path: DataPath) -> None:
    ours = centres(read_geom(data_path(AGIPD))).reshape(16, 512, 128, 3)
    theirs = extra_geom.AGIPD_1MGeometry.from_crystfel_geom(data_path(AGIPD)).get_pixel_positions()

    np.testing.assert_allclose(ours[..., :2], theirs[..., :2], rtol=0, atol=1e-9)
    # Theirs does not hold the distance of the detector.
    np.testing.assert_allclose(ours[..., 2] - 0.1249, theirs[..., 2], rtol=0, atol=1e-9)


def test_a_jungfrau_has_the_corners_of_its_file(data_path: DataPath) -> None:
    found = read_geom(data_path(JUNGFRAU), distance=0.1)
    corner = next(p for p in found.panels if p.name == "q0a0")

    assert found.shape == (1480, 1552)
    np.testing.assert_allclose(corner.corner[:2] * 9097.52, [443.093698, -29.943585], atol=1e-9)
    assert corner.corner[2] == pytest.approx(0.1 + 0.5824888)


def test_the_calibration_that_is_written_has_the_same_angles(
    data_path: DataPath, tmp_path: Path
) -> None:
    geometry = as_geometry(tmp_path, data_path(AGIPD), energy=24.0)

    place = centres(read_geom(data_path(AGIPD)))
    two_theta = np.arctan2(np.hypot(place[..., 0], place[..., 1]), place[..., 2])
    q = 4 * np.pi * np.sin(two_theta / 2) * 24.0 / 12.398419843320026
    np.testing.assert_allclose(geometry.q(), q, rtol=2e-6)
    # A corner taken for a centre would be off by half a pixel of 0.2 mm.
    assert np.abs(geometry.q() - q).max() < 0.01 * 0.5 * 2e-4 / 0.125 * 12


def test_first_corner_is_not_first_centre(tmp_path: Path) -> None:
    first = tiles(tmp_path).corners()[0, 0]

    np.testing.assert_allclose(first[0], [-100e-4, 5e-4, 0.1])
    np.testing.assert_allclose(first.mean(axis=0), [-99.5e-4, 5.5e-4, 0.1])


def test_solid_angles_of_tilted_tiles_add_up_to_those_of_their_outline(tmp_path: Path) -> None:
    (tmp_path / "two.geom").write_text(TWO)
    geometry = as_geometry(tmp_path, tmp_path / "two.geom", energy=20.0)
    relative = geometry.solid_angle()
    whole = relative[80:].sum() * 1e-4**2 / 0.1**2
    a = np.array([7e-4, 5e-4, 0.1])
    b, c = np.array([100e-4, 0, 0]), np.array([0, 0.98, 0.2]) * 80e-4

    outline = triangle(a, a + b, a + c) + triangle(a + b, a + b + c, a + c)
    assert whole == pytest.approx(outline, rel=1e-5)


def triangle(a: NDArray[np.float64], b: NDArray[np.float64], c: NDArray[np.float64]) -> float:
    """Van Oosterom and Strackee (1983)."""
    la, lb, lc = (float(np.linalg.norm(x)) for x in (a, b, c))
    below = la * lb * lc + (a @ b) * lc + (a @ c) * lb + (b @ c) * la
    return float(abs(2 * np.arctan2(a @ np.cross(b, c), below)))


def test_bad_regions_and_panels_are_masked(tmp_path: Path) -> None:
    mask = tiles(tmp_path, TWO + "b/no_index = 1\n").mask()

    assert mask.shape == (160, 100)
    assert mask[:80, :2].all()
    assert not mask[:80, 2:].any()
    assert mask[80:].all()
    spot = tiles(tmp_path).mask()[80:]
    place = centres(tiles(tmp_path))[80:] * 1e4
    inside = (place[..., 0] >= 20) & (place[..., 0] <= 30)
    inside &= (place[..., 1] >= 20) & (place[..., 1] <= 40)
    np.testing.assert_array_equal(spot, inside)


@pytest.mark.parametrize(
    ("wrong", "said"),
    [
        ("a/fs = +1.0x\n", "panel a: fs missing"),
        ("clen = 100 mm\n", "clen: found 'nothing', wanted a length"),
    ],
)
def test_what_is_missing_is_named(tmp_path: Path, wrong: str, said: str) -> None:
    with pytest.raises(FileError, match=said):
        tiles(tmp_path, TWO.replace(wrong, ""))


def test_a_number_that_is_none_is_named(tmp_path: Path) -> None:
    with pytest.raises(FileError, match="panel a: corner_x: found 'left', wanted a number"):
        tiles(tmp_path, TWO.replace("corner_x = -100", "corner_x = left"))


def test_files_that_are_there_are_kept(tmp_path: Path) -> None:
    (tmp_path / "two.geom").write_text(TWO)
    (tmp_path / "made.poni").write_text("mine")
    given = [str(tmp_path / "two.geom"), "--energy", "20", "-o", str(tmp_path / "made.poni")]

    assert CliRunner().invoke(command, given).exit_code != 0
    assert (tmp_path / "made.poni").read_text() == "mine"
    assert CliRunner().invoke(command, [*given, "--force"]).exit_code == 0
    assert json.loads((tmp_path / "made.poni").read_text().split("_config: ")[1].split("\n")[0])
