from pathlib import Path
from typing import Any

import numpy as np
import pytest

from livepdf.errors import FileError
from livepdf.files.columns import read_columns
from livepdf.files.pdf_config import read_pdf_config
from livepdf.model.curve import Curve
from livepdf.sinks.columns import write_curve

HEADER: dict[str, object] = {
    "composition": "Ni",
    "dataformat": "QA",
    "qmin": 0.8,
    "qmax": 20.0,
    "qmaxinst": 24.0,
    "rmax": 30.0,
    "qdamp": 0.04,
}
EXTRAS: dict[str, object] = {"revision": 3, "frames": "0-9", "scale": "mean"}


def _gr(**changes: Any) -> Curve:
    r = 0.01 * np.arange(300)
    values: dict[str, Any] = {"kind": "gr", "x": r, "y": np.sin(r), "sigma": 0.1 * np.sqrt(r)}
    return Curve(**(values | changes))


def _write(path: Path, curve: Curve) -> Path:
    write_curve(path, curve, header=HEADER, extras=EXTRAS)
    return path


def test_what_is_written_is_read_back(tmp_path: Path) -> None:
    curve = _gr()

    columns = read_columns(_write(tmp_path / "a.gr", curve))

    np.testing.assert_allclose(columns.x, curve.x, rtol=1e-8)
    np.testing.assert_allclose(columns.y, curve.y, rtol=1e-8)
    assert columns.sigma is not None
    np.testing.assert_allclose(columns.sigma[1:], curve.sigma[1:], rtol=1e-8)


def test_the_header_is_a_config(tmp_path: Path) -> None:
    config = read_pdf_config(_write(tmp_path / "a.gr", _gr()))

    assert (config.composition, config.qmax, config.qmaxinst) == ("Ni", 20.0, 24.0)
    assert config.scale == "mean"


def test_other_readers_find_what_they_look_for(tmp_path: Path) -> None:
    text = _write(tmp_path / "a.gr", _gr()).read_text(encoding="ascii")
    header, _, rest = text.partition("#### start data\n")

    assert text.startswith("[DEFAULT]\n")
    assert "\nversion = livepdf-" in header
    assert "pdfgetx" not in header
    assert "\nmode = xray\n" in header
    assert "\noutputtype = gr\n" in header
    assert "\nqdamp = 0.04\n" in header
    assert header.index("[livepdf]") > header.index("# End of config")
    assert rest.splitlines()[:2] == ["#S 1", "#L r(A)  G(A^-2)  dr  dG"]


def test_every_error_column_entry_is_positive_even_at_r_zero(tmp_path: Path) -> None:
    table = _rows(_write(tmp_path / "a.gr", _gr()))

    assert table.shape == (300, 4)
    assert np.all(table[:, 2] == 0)
    assert np.all(table[:, 3] > 0)


def _rows(path: Path) -> np.ndarray:
    lines = path.read_text(encoding="ascii").partition("#### start data\n")[2].splitlines()
    return np.array([[float(word) for word in line.split()] for line in lines[2:]])


@pytest.mark.parametrize("bad", [0.0, np.nan, np.inf])
def test_one_unusable_error_leaves_two_columns(tmp_path: Path, bad: float) -> None:
    sigma = np.full(300, 0.1)
    sigma[17] = bad

    assert _rows(_write(tmp_path / "a.gr", _gr(sigma=sigma))).shape == (300, 2)


def test_intensities_have_their_error_third_and_leave_gaps_out(tmp_path: Path) -> None:
    y = np.ones(300)
    y[5] = np.nan
    sigma = np.where(np.isnan(y), np.nan, 0.0)

    table = _rows(_write(tmp_path / "a.iq", _gr(kind="iq", y=y, sigma=sigma)))

    assert table.shape == (299, 3)


def test_keys_that_readers_misunderstand_are_refused(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="T"):
        write_curve(tmp_path / "a.gr", _gr(), header={**HEADER, "T": 300}, extras={})


def test_a_line_break_in_a_value_does_not_become_a_key(tmp_path: Path) -> None:
    write_curve(tmp_path / "a.gr", _gr(), header={**HEADER, "inputfile": "a\nqmax = 3"}, extras={})

    assert read_pdf_config(tmp_path / "a.gr").qmax == 20.0


def test_a_file_appears_whole_or_not_at_all(tmp_path: Path) -> None:
    with pytest.raises(FileError, match="gone"):
        _write(tmp_path / "gone" / "a.gr", _gr())
    (tmp_path / "taken.gr").mkdir()
    with pytest.raises(FileError, match=r"taken\.gr"):
        _write(tmp_path / "taken.gr", _gr())

    assert [path.name for path in tmp_path.iterdir()] == ["taken.gr"]
