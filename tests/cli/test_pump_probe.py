"""The command on measured curves with and without a laser, and on wrong ones."""

from collections.abc import Callable
from pathlib import Path

import h5py
import numpy as np
from click.testing import CliRunner, Result

from livepdf.cli.pump_probe import pump_probe

DataPath = Callable[[str], Path]
RUN = "xfel/run0204/run0204_"


def run(data_path: DataPath, output: Path, *more: str) -> Result:
    files = {
        "--on": "delay_intensity_on.npy",
        "--off": "delay_intensity_off.npy",
        "--q": "q_values.npy",
        "--delay": "delay_positions.npy",
    }
    given = [word for option, name in files.items() for word in (option, data_path(RUN + name))]
    arguments = [*map(str, given), "--sign", "-1", "--zero", "-750", "-o", str(output), *more]
    return CliRunner().invoke(pump_probe, arguments)


def test_measured_curves_become_a_map_with_sigma_of_the_scatter_without_laser(
    data_path: DataPath, tmp_path: Path
) -> None:
    found = run(data_path, tmp_path / "map.nxs", "--unit", "mm")

    assert found.exit_code == 0, found.output
    assert "σ is √2 × scatter of the 42 curves without the laser" in found.output
    on, off = (np.load(data_path(f"{RUN}delay_intensity_{kind}.npy")) for kind in ("on", "off"))
    with h5py.File(tmp_path / "map.nxs") as file:
        data = file["entry/diq"]
        delays, value, sigma = (data[name][:] for name in ("delay", "dI", "dI_errors"))
    assert value.shape == (42, 1024)
    # 2 / c = 6.6713 ps/mm, and the stage went from -731.7 to -770.7 mm.
    np.testing.assert_allclose(delays[[0, -1]] * 1e12, [-122.075, 138.117], atol=0.01)
    one = on[0].astype(float) / on[0].mean() - off[0].astype(float) / off[0].mean()
    np.testing.assert_allclose(value[0], one, atol=1e-6)
    # Well before time zero on and off are the same, long after it they are not.
    rms = np.sqrt(np.mean((value / sigma) ** 2, axis=1))
    assert np.median(rms[:7]) < 1.0
    assert np.all(rms[-2:] > 1.2)


def test_a_unit_that_is_none_is_refused(data_path: DataPath, tmp_path: Path) -> None:
    found = run(data_path, tmp_path / "map.nxs", "--unit", "steps")

    assert found.exit_code == 1
    assert "found unit 'steps', wanted one of s, ms" in found.output
    assert not (tmp_path / "map.nxs").exists()


def test_curves_that_do_not_fit_are_refused(data_path: DataPath, tmp_path: Path) -> None:
    np.save(tmp_path / "few.npy", np.linspace(0, 1, 42))
    few = ("--unit", "mm", "--q", str(tmp_path / "few.npy"))
    found = run(data_path, tmp_path / "map.nxs", *few)

    assert found.exit_code == 1
    assert "found an array of (42, 1024), wanted (42, 42)" in found.output
