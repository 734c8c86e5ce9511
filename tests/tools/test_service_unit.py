"""The unit that we ship is one that systemd takes, and says what its docs promise."""

import configparser
import json
import re
import shutil
import subprocess
import sys
from pathlib import Path

from livepdf.daemon.metrics import StatusMetrics
from livepdf.daemon.timings import Timings
from livepdf.model.quality import FLAGS, Lamp
from livepdf.model.status import Counters, Disk, Status

TOOLS = Path(__file__).parents[2] / "tools"
UNIT = TOOLS / "livepdf.service"


def unit() -> configparser.ConfigParser:
    parser = configparser.ConfigParser(interpolation=None, strict=True)
    parser.optionxform = str  # type: ignore[assignment,method-assign]
    parser.read(UNIT)
    return parser


def test_the_unit_says_what_a_supervisor_must_know() -> None:
    service = unit()["Service"]

    assert service["Type"] == "notify"
    assert service["NotifyAccess"] == "main"
    assert float(service["WatchdogSec"]) == 30.0
    assert service["Restart"] == "on-failure"
    assert service["RestartPreventExitStatus"].split() == ["2", "3"]
    assert "-HUP" in service["ExecReload"]
    assert service["LimitCORE"] == "0"


def test_systemd_takes_the_unit(tmp_path: Path) -> None:
    """Where systemd is not installed, the parser above has read the same file."""
    program = shutil.which("systemd-analyze")
    if program is None:
        assert set(unit().sections()) == {"Unit", "Service", "Install"}
        return
    # The program that the unit starts need not be installed where this is tested.
    text = UNIT.read_text().replace("/opt/livepdf/bin/livepdf", sys.executable)
    path = tmp_path / UNIT.name
    path.write_text(text)
    verified = subprocess.run(
        [program, "verify", "--man=no", str(path)], capture_output=True, text=True
    )
    assert verified.returncode == 0, verified.stderr
    assert UNIT.name not in verified.stderr, verified.stderr


def test_the_dashboard_asks_only_for_metrics_that_there_are() -> None:
    lamps = tuple(
        Lamp(name=flag, value=1.0, limit=1.0, unit="", raised=True, sampled=False) for flag in FLAGS
    )
    status = Status(
        state="running",
        time=1.0,
        counters=Counters(refused={"x": 1}),
        quality=lamps,
        disk=Disk(free=1),
        costs=(("structure fit", 0.03),),
    )
    timings = Timings()
    timings.add("integrate", 0.1)
    metrics = StatusMetrics(lambda: status, timings, spooled=lambda: 0, software={"livepdf": "1"})
    there = {sample.name for family in metrics.collect() for sample in family.samples}
    there |= {"livepdf_turned_away_total"}
    board = json.loads((TOOLS / "grafana.json").read_text())
    asked = set()
    for panel in board["panels"]:
        for target in panel["targets"]:
            asked |= set(re.findall(r"livepdf_\w+", target["expr"]))

    assert {"livepdf_frames_total", "livepdf_disk_lasts_seconds"} <= asked <= there
