"""The demo as a new user starts it: every process real, truth known."""

import json
import os
import subprocess
import sys
from pathlib import Path

import h5py
import numpy as np
import pytest

from livepdf.files.columns import read_columns


@pytest.mark.system
@pytest.mark.timeout(660)
def test_the_demo_ends_near_the_truth_and_leaves_its_files(tmp_path: Path) -> None:
    out = tmp_path / "demo"
    command = [sys.executable, "-m", "livepdf.cli.main", "demo", "--headless", "--json"]
    environment = {**os.environ, "XDG_RUNTIME_DIR": str(tmp_path)}

    run = subprocess.run(
        [*command, "--duration", "15", "--out", str(out)],
        capture_output=True,
        text=True,
        timeout=600,
        env=environment,
        check=False,
    )

    log = out / "demo.log"
    assert run.returncode == 0, run.stderr + (log.read_text() if log.exists() else "")
    results = {item["quantity"]: item for item in json.loads(run.stdout)["results"]}
    size, bond = results["domain size"], results["Hf-O distance"]
    assert 45.0 < size["truth"] < 50.0
    assert size["value"] == pytest.approx(size["truth"], rel=0.05)
    assert bond["value"] == pytest.approx(bond["truth"], abs=0.01)
    assert results["conversion"]["value"] == pytest.approx(1.0, abs=0.05)
    assert results["lattice a"]["good"]
    assert results["onset"]["good"]
    with h5py.File(out / "run.nxs") as file:
        assert file["entry/counters/received"][()] == file["entry/counters/used"][()] == 150
        assert file["entry/pdf/G"].shape[0] == 150
        temperature = file["entry/windows/environment"][:, 0]
        assert temperature[0] == pytest.approx(298.0, abs=1.0)
        assert np.all(np.diff(temperature) >= 0.0)
        kinds = [kind.decode() for kind in file["entry/events/kind"][:]]
        assert "onset" in kinds
        laws = {law.decode() for law in file["entry/kinetics/law"][:]}
        assert {"onset", "JMAK", "coarsening"} <= laws
    assert read_columns(out / "last.gr").sigma is not None
    assert (out / "screenshot.png").read_bytes().startswith(b"\x89PNG")
