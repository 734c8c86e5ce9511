"""The files as the programs that people refine with read them."""

import io
from pathlib import Path

import numpy as np
import pytest
from diffpy.pdffit2 import PdfFit, redirect_stdout
from diffpy.structure import Atom, Lattice
from diffpy.structure import Structure as Crystallography
from diffpy.utils.parsers import load_data

from livepdf.model.curve import Curve
from livepdf.sinks.columns import write_curve

R = 0.01 * np.arange(3001)
GR = np.sin(5 * R) * np.exp(-0.1 * R)
SIGMA = 0.01 + 0.001 * R
HEADER = {
    "dataformat": "Qnm",
    "inputfile": "Ni.chi",
    "backgroundfile": "cell.chi, air.chi",
    "composition": "Ni",
    "bgscale": "0.9, 1",
    "rpoly": 0.9,
    "qmaxinst": 25.0,
    "qmin": 0.8,
    "qmax": 24.0,
    "rmin": 0.0,
    "rmax": 30.0,
    "rstep": 0.01,
    "qdamp": 0.035,
    "qbroad": 0.012,
}
EXTRAS = {
    "revision": 3,
    "scale": "mean",
    "capillary": "0.35 1.2 0.01 0.5",
    "correlation_length": "0.21",
    "time": "2026-11-23T01:00:00Z",
    "temperature": 423.1,
}


@pytest.fixture
def written(tmp_path: Path) -> Path:
    path = tmp_path / "ni.gr"
    write_curve(path, Curve(kind="gr", x=R, y=GR, sigma=SIGMA), header=HEADER, extras=EXTRAS)
    return path


def test_diffpy_utils_reads_every_row_and_the_numbers_of_the_header(written: Path) -> None:
    table = load_data(str(written))
    header = load_data(str(written), headers=True)

    assert table.shape == (3001, 4)
    np.testing.assert_allclose(table[:, 1], GR, atol=1e-8)
    np.testing.assert_allclose(table[1:, 3], SIGMA[1:], rtol=1e-8)
    assert header["qmax"] == 24.0
    assert header["qdamp"] == 0.035
    assert header["temperature"] == 423.1


def test_pdffit2_takes_the_points_and_weights_each_by_its_error(
    written: Path, tmp_path: Path
) -> None:
    # It shows no errors, but a scale that it refines is a mean of the data weighted by them.
    redirect_stdout(io.StringIO())
    uneven = np.where(R < 5, 1.0, 0.01)
    noisy = _refined(tmp_path, _model(), np.where(R < 5, 2.0, 1.0) * _model(), uneven)
    swapped = _refined(tmp_path, _model(), np.where(R < 5, 2.0, 1.0) * _model(), uneven[::-1])

    reader = PdfFit(create_intro=False)
    reader.read_data_string(_after_header(written), "X", 24.0, 0.035)

    np.testing.assert_allclose(reader.getpdf_obs(), GR, atol=1e-7)
    assert noisy == pytest.approx(1.0, abs=0.02)
    assert swapped > 1.1


def _after_header(path: Path) -> str:
    """Return what PDFgui hands on to pdffit2, which reads no header of PDFgetX3 itself."""
    return path.read_text(encoding="ascii").split("#### start data\n")[1]


def _refined(folder: Path, model: np.ndarray, data: np.ndarray, sigma: np.ndarray) -> float:
    path = folder / "w.gr"
    write_curve(path, Curve(kind="gr", x=R, y=data, sigma=sigma), header=HEADER, extras={})
    fit = _nickel()
    fit.read_data_string(_after_header(path), "X", 24.0, 0.035)
    fit.pdfrange(1, 2.0, 20.0)
    fit.constrain("dscale", 1)
    fit.setpar(1, 1.0)
    fit.refine()
    return float(fit.getpar(1))


def _model() -> np.ndarray:
    fit = _nickel()
    fit.alloc("X", 24.0, 0.035, float(R[1]), float(R[-1]), R.size - 1)
    fit.calc()
    return np.concatenate([[0.0], np.array(fit.getpdf_fit())])


def _nickel() -> PdfFit:
    a = 3.52
    fcc = [(0, 0, 0), (0.5, 0.5, 0), (0.5, 0, 0.5), (0, 0.5, 0.5)]
    atoms = [Atom("Ni", xyz=xyz, Uisoequiv=0.005) for xyz in fcc]
    fit = PdfFit(create_intro=False)
    fit.add_structure(Crystallography(atoms, lattice=Lattice(a, a, a, 90, 90, 90)))
    return fit
