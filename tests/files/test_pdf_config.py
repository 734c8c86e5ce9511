from collections.abc import Callable
from pathlib import Path

import pytest

from livepdf.errors import ConfigError
from livepdf.files.pdf_config import read_pdf_config

GOOD = """[DEFAULT]
version = diffpy.pdfgetx-2.1.1
dataformat = QA
backgroundfile = cell.chi
mode = xray
composition = TiO2
bgscale = 0.9
qmaxinst = 24
qmax = 20
"""


def _write(folder: Path, text: str) -> Path:
    path = folder / "pdfgetx3.cfg"
    path.write_text(text, encoding="utf-8")
    return path


def test_what_is_left_out_is_what_the_program_assumes(tmp_path: Path) -> None:
    config = read_pdf_config(_write(tmp_path, GOOD))

    assert (config.qmin, config.rpoly, config.rmin, config.rmax, config.rstep) == (
        0,
        0.9,
        0,
        30,
        0.01,
    )
    assert (config.scale, config.transform, config.taper) == ("lsq", "fft", "none")
    assert config.backgrounds == (("cell.chi", 0.9),)


def test_headers_of_both_programs_are_read(data_path: Callable[[str], Path]) -> None:
    ours = read_pdf_config(data_path("pdf1d/ni_kapton_exact/Ni.gr"))
    gui = read_pdf_config(data_path("pdf1d/ni_kapton_exact/Ni-hires.gr"))

    assert (ours.qmaxinst, ours.qmin, ours.qmax, ours.rmax) == (31.26, 0, 24, 60)
    assert (gui.qmaxinst, gui.qmin, gui.qmax, gui.bgscale) == (29.0, 0.85, 25.0, 0.4)
    assert gui.backgrounds == (("Kapton.chi", 0.4),)


def test_xpdfsuite_limits_under_other_names_are_read(tmp_path: Path) -> None:
    text = GOOD.replace("[DEFAULT]", "# xPDFsuite Configuration #\n[PDF]")

    config = read_pdf_config(_write(tmp_path, text + "xmin = 1.0\nxmax = 50.0\nxstep = 0.02\n"))

    assert (config.rmin, config.rmax, config.rstep) == (1.0, 50.0, 0.02)


def test_several_backgrounds_have_a_scale_each_or_one_for_all(tmp_path: Path) -> None:
    text = GOOD.replace("cell.chi", "cell.chi, air.chi")

    assert read_pdf_config(_write(tmp_path, text)).backgrounds == (
        ("cell.chi", 0.9),
        ("air.chi", 0.9),
    )
    config = read_pdf_config(_write(tmp_path, text.replace("0.9", "0.9 0.1")))
    assert config.backgrounds == (("cell.chi", 0.9), ("air.chi", 0.1))


def test_a_background_may_be_fitted_and_the_mode_may_be_neutron(tmp_path: Path) -> None:
    text = GOOD.replace("0.9", "fit").replace("xray", "neutron")

    config = read_pdf_config(_write(tmp_path, text))

    assert config.backgrounds == (("cell.chi", "fit"),)
    assert config.mode == "neutron"


def test_an_absolute_scale_needs_density_and_energy(tmp_path: Path) -> None:
    text = GOOD + "[livepdf]\nscale = absolute\n"

    with pytest.raises(ConfigError, match="density"):
        read_pdf_config(_write(tmp_path, text))
    assert read_pdf_config(_write(tmp_path, text + "density = 0.08\nenergy = 60\n")).energy == 60


def test_lorch_is_the_one_of_that_program(tmp_path: Path) -> None:
    config = read_pdf_config(_write(tmp_path, GOOD + "terminationfunctions = lorch\n"))

    assert config.taper == "lorch-pdfgetx3"


def test_our_own_section_chooses_what_that_program_does_not_have(tmp_path: Path) -> None:
    text = GOOD + "[livepdf]\nscale = mean\ntransform = exact\ntaper = cosine\n"

    config = read_pdf_config(_write(tmp_path, text))

    assert (config.scale, config.transform, config.taper) == ("mean", "exact", "cosine")


def test_every_complaint_comes_at_once(tmp_path: Path) -> None:
    text = """[DEFAULT]
mode = sas
dataformat = Q
qmin = 5
qmax = 4
qmaxinst = 3
rpoly = big
rstep = 0
terminationfunctions = hann
[livepdf]
scale = fixed
"""
    with pytest.raises(ConfigError) as caught:
        read_pdf_config(_write(tmp_path, text))

    complaints = {complaint.key: complaint for complaint in caught.value.complaints}
    assert set(complaints) == {
        "mode",
        "dataformat",
        "composition",
        "qmax",
        "qmaxinst",
        "rpoly",
        "rstep",
        "terminationfunctions",
        "scale_value",
    }
    assert complaints["rpoly"].found == "'big'"
    assert complaints["composition"].found == "nothing"
    assert complaints["qmaxinst"].wanted == "at least qmax = 4.0"


def test_two_theta_needs_a_wavelength(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="wavelength"):
        read_pdf_config(_write(tmp_path, GOOD.replace("QA", "twotheta")))


@pytest.mark.parametrize("text", ["", "just words\n", "[DEFAULT]\n = no key\n"])
def test_a_file_that_is_no_config_is_refused(tmp_path: Path, text: str) -> None:
    with pytest.raises(ConfigError, match=r"pdfgetx3\.cfg"):
        read_pdf_config(_write(tmp_path, text))


SAMPLES = """# made by hand
[DEFAULT]
dataformat = QA
qmaxinst = 24.0   # of the detector
qmin = 0.8
backgroundfile = empty*.chi
inputfile = *.chi

[nacl]
composition = NaCl
rpoly = 1.1

[tio2 film]
composition = TiO2
bgscale = 0.97
"""


def test_of_several_samples_the_chosen_one_goes_before_the_defaults(tmp_path: Path) -> None:
    path = tmp_path / "all.cfg"
    path.write_text(SAMPLES, encoding="utf-8")

    salt = read_pdf_config(path, section="nacl")
    film = read_pdf_config(path, section="tio2 film", options={"qmax": "20"})

    assert (salt.composition, salt.rpoly, salt.qmax, salt.bgscale) == ("NaCl", 1.1, 24.0, 1.0)
    assert (film.composition, film.rpoly, film.qmax, film.qmaxinst) == ("TiO2", 0.9, 20.0, 24.0)
    assert film.backgrounds == (("empty*.chi", 0.97),)


@pytest.mark.parametrize("section", [None, "kcl"])
def test_which_samples_there_are_is_said(tmp_path: Path, section: str | None) -> None:
    path = tmp_path / "all.cfg"
    path.write_text(SAMPLES, encoding="utf-8")

    with pytest.raises(ConfigError, match="nacl, tio2 film"):
        read_pdf_config(path, section=section)


def test_absorption_and_what_the_numbers_are_come_back_from_a_header(tmp_path: Path) -> None:
    path = tmp_path / "a.gr"
    path.write_text(
        "[DEFAULT]\ndataformat = QA\ncomposition = Ni\nqmax = 20\nbackgroundfile = a.chi, b.chi\n"
        "bgscale = fit, fit-signed\n[livepdf]\ncells = 1, 0\ncapillary = 0.35 1.2 0.01 0.5\n"
        "energy = 60\ndispersion = true\nquantity = sq\nminus = c.chi\ntaper = wiener\n",
        encoding="utf-8",
    )

    found = read_pdf_config(path)

    assert found.capillary == (0.35, 1.2, 0.01, 0.5)
    assert found.backgrounds == (("a.chi", "fit"), ("b.chi", "fit-signed"))
    assert found.cells == (True, False)
    assert (found.dispersion, found.quantity, found.minus) == (True, "sq", "c.chi")
    path.write_text(path.read_text().replace("0.01 0.5", "0.01"), encoding="utf-8")
    with pytest.raises(ConfigError, match="capillary"):
        read_pdf_config(path)
