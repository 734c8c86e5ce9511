import json
import math
import subprocess
import sys
from pathlib import Path

import h5py
import numpy as np
import pytest

from livepdf.model.curve import Curve, Result, Span, Trend
from livepdf.model.status import Counters, Event
from livepdf.model.sums import Sums
from livepdf.sinks.nexus import NexusFile, RunHeader, WindowRow

Q = np.linspace(0.5, 20.0, 40)
R = np.linspace(0.0, 10.0, 30)
INSIDE = Q[2:35]


def header(**more: object) -> RunHeader:
    given: dict[str, object] = {
        "run": "growth_0001",
        "start": 1_700_000_000.0,
        "q": Q,
        "fq_q": INSIDE,
        "r": R,
        "trends": [("Hf-O position", "Å"), ("Hf O position", "Å")],
        "instrument": "P02.1",
        "facility": "PETRA III",
        "wavelength": 0.2,
        "sample": "HfO2 in water",
        "composition": "HfO2",
        "solid_angle": True,
        "polarization": 0.99,
        "normalized": False,
        "revision": 1,
        "profile": "[instrument]\n",
        "recipe": "[sample]\n",
        "source": "test",
        "software": {"livepdf": "0"},
        "metadata": {"count_time": 0.1},
        **more,
    }
    return RunHeader(**given)  # type: ignore[arg-type]


def row(number: int, *, scope: str = "window") -> WindowRow:
    chance = np.random.default_rng(number)
    span = Span(
        scope=scope,  # type: ignore[arg-type]
        run="growth_0001",
        number=number,
        first=10 * number,
        last=10 * number + 9,
        frames=10,
        start=1_700_000_000.0 + number,
        end=1_700_000_001.0 + number,
        revision=1,
    )
    axes = {"iq": Q, "sq": INSIDE, "fq": INSIDE, "gr": R}
    curves = tuple(
        Curve(kind=kind, x=x, y=chance.normal(size=x.size), sigma=chance.random(x.size))  # type: ignore[arg-type]
        for kind, x in axes.items()
    )
    trends = (
        Trend(name="Hf-O position", unit="Å", value=2.1 + number, sigma=0.01),
        Trend(name="Hf O position", unit="Å", value=math.nan, sigma=math.nan, reason="no peak"),
    )
    sums = Sums(
        signal=chance.random(Q.size),
        variance=chance.random(Q.size),
        weight=chance.random(Q.size),
        pixels=chance.random(Q.size),
        frames=10,
        monitor=math.nan,
        exposure=1.0,
    )
    environment = (("temperature", 500.0 + number),)
    result = Result(span=span, curves=curves, trends=trends, environment=environment)
    return WindowRow(result=result, sums=sums)


def test_the_default_plot_is_g_over_time_with_its_errors(tmp_path: Path) -> None:
    file = NexusFile(tmp_path / "run.nxs", header())
    file.add([row(0), row(1)])
    file.add([row(2)])
    file.close(end=1_700_000_100.0)

    with h5py.File(tmp_path / "run.nxs") as opened:
        entry = opened[opened.attrs["default"]]
        data = entry[entry.attrs["default"]]
        signal = data.attrs["signal"]
        assert data.attrs["NX_class"] == "NXdata"
        assert list(data.attrs["axes"]) == ["time", "r"]
        expected = np.array([row(n).result.curve("gr").y for n in range(3)], np.float32)
        np.testing.assert_array_equal(data[signal][:], expected)
        assert data[f"{signal}_errors"].shape == (3, R.size)
        np.testing.assert_allclose(data["time"][:], [0.5, 1.5, 2.5])
        np.testing.assert_array_equal(data["r"][:], R)
        assert entry["complete"][()] == 1


def test_sums_are_kept_whole_so_that_everything_can_be_made_again(tmp_path: Path) -> None:
    file = NexusFile(tmp_path / "run.nxs", header())
    file.add([row(n) for n in range(5)])
    file.close()

    with h5py.File(tmp_path / "run.nxs") as opened:
        for name in ("signal", "variance", "weight", "pixels", "monitor", "exposure"):
            kept = opened["entry/sums"][name]
            expected = np.array([getattr(row(n).sums, name) for n in range(5)])
            np.testing.assert_array_equal(kept[:], expected)
        assert opened["entry/sums/signal"].compression == "gzip"


def test_trends_with_names_that_look_alike_stay_apart_and_say_their_reason(
    tmp_path: Path,
) -> None:
    file = NexusFile(tmp_path / "run.nxs", header())
    file.add([row(0)])
    file.close()

    with h5py.File(tmp_path / "run.nxs") as opened:
        trends = opened["entry/trends"]
        titles = {name: trends[name]["title"].asstr()[()] for name in trends}
        assert titles == {"Hf_O_position": "Hf-O position", "Hf_O_position_2": "Hf O position"}
        assert trends["Hf_O_position/value"][0] == 2.1
        assert trends["Hf_O_position_2/reason"][0] == b"no peak"
        assert np.isnan(trends["Hf_O_position_2/value"][0])
        assert trends["Hf_O_position"].attrs["signal"] == "value"
        assert trends["Hf_O_position/value_errors"][0] == 0.01


def test_events_counters_and_slow_values_are_there(tmp_path: Path) -> None:
    file = NexusFile(tmp_path / "run.nxs", header())
    file.add([row(0)])
    file.event(Event(kind="mark", time=1.0, text="Å" * 500, frame=3))
    file.counters(Counters(received=5, used=3, refused={"truncated": 2}, lost=1))
    file.whole(row(0, scope="run"))
    file.close()

    with h5py.File(tmp_path / "run.nxs") as opened:
        entry = opened["entry"]
        assert entry["events/text"][0].decode() == "Å" * 200
        assert entry["counters/refused"][0] == 2
        assert entry["counters/reason"][0] == b"truncated"
        assert entry["windows/environment_names"][0] == b"temperature"
        assert entry["windows/environment"][0, 0] == 500.0
        assert entry["run/frames"][()] == 10


def test_old_results_are_never_overwritten(tmp_path: Path) -> None:
    NexusFile(tmp_path / "run.nxs", header()).close()
    before = (tmp_path / "run.nxs").read_bytes()

    with pytest.raises(OSError, match="exists"):
        NexusFile(tmp_path / "run.nxs", header())

    assert (tmp_path / "run.nxs").read_bytes() == before


def test_azimuthal_data_have_what_the_definition_wants(tmp_path: Path) -> None:
    NexusFile(tmp_path / "run.nxs", header()).close()

    with h5py.File(tmp_path / "run.nxs") as opened:
        azint = opened["entry/azint1d"]
        assert azint["definition"].asstr()[()] == "NXazint1d"
        for name in (
            "solid_angle_applied",
            "polarization_applied",
            "normalization_applied",
            "instrument/name",
            "instrument/monochromator/wavelength",
            "instrument/monochromator/energy",
            "instrument/source/name",
            "reduction/program",
            "reduction/version",
            "reduction/date",
            "reduction/reference",
            "reduction/input",
        ):
            assert name in azint, name
        assert list(azint["data"].attrs["axes"]) == [".", "radial_axis"]
        assert azint["instrument/monochromator/energy"][()] == pytest.approx(61.992, abs=1e-3)


def test_another_process_sees_what_was_flushed_while_the_file_grows(tmp_path: Path) -> None:
    path = tmp_path / "run.nxs"
    file = NexusFile(path, header())
    reader = (
        "import sys, json, h5py\n"
        "f = h5py.File(sys.argv[1], swmr=True)\n"
        "g = f['entry/pdf/G']\n"
        "print(json.dumps([g.shape[0], float(g[-1, 0])]))\n"
    )

    for number in range(3):
        file.add([row(number)])
        file.flush()
        seen = subprocess.run(
            [sys.executable, "-c", reader, str(path)], capture_output=True, text=True, check=True
        )
        expected = float(np.float32(row(number).result.curve("gr").y[0]))
        assert json.loads(seen.stdout) == [number + 1, expected]
    file.close()
