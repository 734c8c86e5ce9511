import json
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from click.testing import CliRunner

from livepdf.cli.integrate import integrate
from livepdf.errors import FileError, LivepdfError


def run(*arguments: object) -> str:
    result = CliRunner().invoke(integrate, [str(a) for a in arguments], catch_exceptions=False)
    assert result.exit_code == 0, result.output
    return result.output


def test_the_command_repeats_a_pattern_of_pyfai(
    data_path: Callable[[str], Path], tmp_path: Path
) -> None:
    folder = data_path("images/xpd_ni")
    output = tmp_path / "ni.xy"

    printed = run(
        folder / "xpd_ni.tif",
        *("--poni", folder / "xpd_ni.poni"),
        *("--npt", 2500, "--split", "bbox", "--polarization", 0.99, "--json"),
        *("-o", output),
    )

    x, found, sigma = np.loadtxt(output).T
    expected_x, expected = np.loadtxt(folder / "xpd_ni.pyfai.xy").T
    np.testing.assert_allclose(x, expected_x, atol=1e-6)
    assert np.sqrt(np.sum((found - expected) ** 2) / np.sum(expected**2)) < 1e-6
    assert (sigma[np.isfinite(sigma)] > 0).all()
    summary = json.loads(printed)
    assert (summary["npt"], summary["unit"], summary["shape"]) == (2500, "q_A^-1", [2048, 2048])


def test_the_file_says_how_it_was_made_and_empty_bins_are_nan(
    data_path: Callable[[str], Path], tmp_path: Path
) -> None:
    folder = data_path("images/dioptas_ceo2_pilatus1m")
    output = tmp_path / "ceo2.xy"

    run(
        folder / "CeO2_Pilatus1M.tif",
        *("--poni", folder / "CeO2_Pilatus1M.poni"),
        *("--unit", "2th_deg", "--npt", 9000, "--flip", "ud", "-o", output),
    )

    text = output.read_text(encoding="ascii")
    for part in ("# livepdf", "pyFAI", "# flip = ud", "# mask = none", "# unit = 2th_deg"):
        assert part in text
    x, found, sigma = np.loadtxt(output).T
    assert np.isfinite(x).all()
    np.testing.assert_array_equal(np.isnan(found), np.isnan(sigma))
    assert 0 < np.isnan(found).sum() < 100


def test_what_is_wrong_is_said_in_words(data_path: Callable[[str], Path], tmp_path: Path) -> None:
    folder = data_path("images/dioptas_ceo2_pilatus1m")
    image, poni = folder / "CeO2_Pilatus1M.tif", folder / "CeO2_Pilatus1M.poni"
    np.save(tmp_path / "mask.npy", np.zeros((3, 3)))
    usual = ("--poni", poni, "-o", tmp_path / "a.xy")

    with pytest.raises(FileError, match="no such file"):
        run(tmp_path / "none.tif", *usual)
    with pytest.raises(LivepdfError, match=r"the mask is \(3, 3\), the detector \(1043, 981\)"):
        run(image, *usual, "--mask", tmp_path / "mask.npy")
    with pytest.raises(FileError, match="cannot be written"):
        run(image, "--poni", poni, "-o", tmp_path / "nowhere" / "a.xy")


def test_help_loads_no_heavy_library() -> None:
    code = (
        "import sys; from livepdf.cli.integrate import integrate;"
        "integrate(['--help'], standalone_mode=False);"
        "print(sorted({'numpy', 'numba', 'pyFAI', 'fabio', 'h5py'} & set(sys.modules)))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)

    assert done.stdout.splitlines()[-1] == "[]"
