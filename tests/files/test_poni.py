from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from pyFAI.detectors import Detector
from pyFAI.integrator.azimuthal import AzimuthalIntegrator

from livepdf.errors import FileError
from livepdf.files.poni import read_poni

VERSION_2 = """\
# a comment: with a colon
poni_version: 2
Detector: Detector
Detector_config: {"pixel1": 2e-4, "pixel2": 2e-4, "max_shape": [30, 40]%s}
Distance: 0.2
Poni1: 0.003
Poni2: 0.004
Rot1: 0.01
Rot2: 0.0
Rot3: 0.0
Wavelength: 2e-11
"""


def written(folder: Path, text: str) -> Path:
    path = folder / "some.poni"
    path.write_text(text)
    return path


def test_versions_one_and_two_are_read(data_path: Callable[[str], Path], tmp_path: Path) -> None:
    old = data_path("images/dioptas_ceo2_pilatus1m/CeO2_Pilatus1M.poni")
    new = data_path("images/xpd_ni/xpd_ni.poni")

    assert read_poni(old, shape=(1043, 981)).wavelength == pytest.approx(0.4066)
    assert read_poni(new).shape == (2048, 2048)
    assert read_poni(written(tmp_path, VERSION_2 % ', "orientation": 3')).orientation == 3


def test_a_calibration_saved_by_pyfai_gives_its_q(tmp_path: Path) -> None:
    detector = Detector(2e-4, 2e-4, max_shape=(30, 40))
    pyfai = AzimuthalIntegrator(
        dist=0.2, poni1=0.001, poni2=0.02, rot1=0.1, detector=detector, wavelength=2e-11
    )
    path = tmp_path / "saved.poni"
    pyfai.save(str(path))

    geometry = read_poni(path)

    np.testing.assert_allclose(geometry.q(), pyfai.center_array((30, 40), "q_A^-1"), rtol=1e-9)


def test_an_old_calibration_needs_the_size_of_the_images(data_path: Callable[[str], Path]) -> None:
    path = data_path("images/dioptas_ceo2_pilatus1m/CeO2_Pilatus1M.poni")

    with pytest.raises(FileError, match="no size"):
        read_poni(path, shape=None)


@pytest.mark.parametrize(
    ("text", "complaint"),
    [
        ("", "distance, poni1, poni2, rot1, rot2, rot3, wavelength missing"),
        (VERSION_2 % "" + "Rot1: nought\n", "rot1: found 'nought', wanted a number"),
        (VERSION_2 % "" + "Distance: -1\n", "distance: found -1.0, wanted above 0"),
        (VERSION_2 % ', "orientation": 2', "found detector orientation 2, wanted 3"),
        (VERSION_2 % "" + "Detector_config: {,\n", "detector_config"),
        (VERSION_2 % "" + "Detector_config: 7\n", "wanted a JSON object"),
        (VERSION_2 % "" + "Detector: Camera Obscura\n", "some.poni"),
        (VERSION_2 % "" + "poni_version: 99\n", "some.poni"),
    ],
)
# pyFAI itself logs an error about some of these.
@pytest.mark.logs_errors
def test_what_is_no_calibration_is_refused_in_words(
    tmp_path: Path, text: str, complaint: str
) -> None:
    with pytest.raises(FileError, match=complaint):
        read_poni(written(tmp_path, text), shape=(30, 40))


def test_missing_and_binary_files_are_refused_in_words(tmp_path: Path) -> None:
    binary = tmp_path / "image.poni"
    binary.write_bytes(bytes(range(256)))

    for path in (tmp_path / "none.poni", binary):
        with pytest.raises(FileError, match="cannot be read"):
            read_poni(path)


def test_images_of_another_size_are_refused(tmp_path: Path) -> None:
    with pytest.raises(FileError, match=r"for images of \(30, 40\), found \(40, 30\)"):
        read_poni(written(tmp_path, VERSION_2 % ""), shape=(40, 30))
