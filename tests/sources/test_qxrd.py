"""The metadata files of QXRD, two real ones and some hostile ones."""

import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from livepdf.sources.qxrd import Sidecar, read_sidecar


@pytest.fixture
def with_sidecar(tmp_path: Path, data_path: Callable[[str], Path]) -> Callable[[str], Sidecar]:
    def read(name: str) -> Sidecar:
        shutil.copy(data_path(f"protocols/{name}"), tmp_path / "image.tif.metadata")
        return read_sidecar(tmp_path / "image.tif")

    return read


def test_a_new_file_gives_total_exposure_time_and_positions(
    with_sidecar: Callable[[str], Sidecar],
) -> None:
    sidecar = with_sidecar("qxrd_Si_free_dc1000_1-00000.tif.metadata")

    assert sidecar.exposure == 10.0
    assert sidecar.time == 1529526716.01
    assert sidecar.environment["samh"] == -85.025
    assert sidecar.environment["extra input 1"] == pytest.approx(-107.73, abs=0.01)


def test_an_old_file_gives_its_exposure_and_no_time(
    with_sidecar: Callable[[str], Sidecar],
) -> None:
    sidecar = with_sidecar("qxrd_La_hex_+45deg-00015.tif.metadata")

    assert sidecar.exposure == 20.0
    assert sidecar.time is None


@pytest.mark.parametrize(
    "text", ["", "[metadata]\n", "[metadata]\nexposureTime=1\nsummedE", "\xff\x00", "[other]\na=1"]
)
def test_a_cut_or_empty_file_is_not_found(text: str, tmp_path: Path) -> None:
    (tmp_path / "a.tif.metadata").write_text(text, encoding="latin-1")

    assert not read_sidecar(tmp_path / "a.tif").found


def test_a_temperature_is_taken_when_it_is_there(tmp_path: Path) -> None:
    (tmp_path / "a.tif.metadata").write_text(
        "[metadata]\nexposureTime=0.5\nsummedExposures=4\nTemperature=523.5\n"
    )

    sidecar = read_sidecar(tmp_path / "a.tif")

    assert sidecar.exposure == 2.0
    assert sidecar.environment == {"temperature": 523.5}
