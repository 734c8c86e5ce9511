"""Shots through the pipeline: a change that the laser makes in images, back from the report."""

import math
from collections.abc import Callable
from pathlib import Path

import h5py
import numpy as np
import pytest
from numpy.typing import NDArray

from livepdf.config.pump_probe import Bins, DelayPart, Flag, Gate, PumpProbe
from livepdf.daemon.assemble import Pipeline, prepare
from livepdf.daemon.pump_probe import LaserFollower
from livepdf.model.laser import LaserReport
from livepdf.model.sums import Sums
from livepdf.sinks.laser_file import write_laser
from livepdf.wire.client import Client
from livepdf.wire.laser import put_together, take_apart
from tests.daemon import beamline
from tests.daemon.conftest import Bench
from tests.daemon.test_service import ended, follow

SETTINGS = PumpProbe(
    laser=Flag(name="laser"),
    i0=Gate(name="monitor", low=10.0),
    delay=[DelayPart(name="stage", unit="mm", sign=1, reference=5.0)],
    bins=Bins(edges=[-10.0, 0.0, 10.0], unit="ps"),
)
EFFECT = 0.05
TABLE = """
[pump_probe]
laser = { name = "laser" }
i0 = { name = "monitor", low = 10.0 }
delay = [{ name = "stage", unit = "mm", sign = 1, reference = 5.0 }]
bins = { edges = [-10.0, 0.0, 10.0], unit = "ps" }
interval = 0.2
"""


def pipeline(folder: Path) -> Pipeline:
    return prepare(*beamline.write_settings(folder)).for_shape(beamline.SHAPE)


def shots(
    made: Pipeline, follower: LaserFollower, count: int, *, effect: float, seed: int = 3
) -> NDArray[np.float64]:
    """Send shots; half have the laser, half of those after time zero. Return what it changes."""
    random = np.random.default_rng(seed)
    q = made.geometry.q()
    change = effect * np.exp(-0.5 * ((q - 4.0) / 0.5) ** 2)
    bright = 400.0 * np.exp(-q / 12.0)
    for index in range(count):
        on, late = index % 2 == 0, index % 4 == 0
        beam = max(1 + 0.15 * random.standard_normal(), 0.2)
        mean = beam * bright * (1 + (change if on and late else 0.0))
        image = random.poisson(mean).astype(np.uint16)
        values = {"laser": float(on), "stage": 5.0 + (0.7 if late else -0.7)}
        frame = beamline.frame(index, monitor=1000.0 * beam, environment=values)
        follower.take(frame, made.integrator.integrate(image))
    bins = made.plan.q
    wanted: NDArray[np.float64] = effect * np.exp(-0.5 * ((bins - 4.0) / 0.5) ** 2)
    return wanted


def test_what_the_laser_changes_in_the_images_is_in_the_report(tmp_path: Path) -> None:
    made = pipeline(tmp_path)
    follower = LaserFollower(SETTINGS, made, run="r")

    relative = shots(made, follower, 800, effect=EFFECT)
    report = follower.report()

    assert report.counts.received == 800
    assert dict(report.counts.classes) == {"on": 400, "off": 400}
    assert [test.shots for test in report.tests] == [200, 200]
    before, after = report.tests
    assert before.p > 0.01
    assert after.p < 0.01
    assert after.z > 5
    np.testing.assert_allclose(report.delays, [-5e-12, 5e-12])
    off = 400.0 * np.exp(-report.q / 12.0) / 1000.0
    fair = np.isfinite(report.diq_sigma[1]) & (report.q > 1.0) & (report.q < 18.0)
    scale = made_scale(report, off, fair)
    pull = (report.diq[1] - scale * relative * off)[fair] / report.diq_sigma[1][fair]
    assert np.sqrt(np.mean(pull**2)) < 1.5
    assert np.nanmax(np.abs(report.dgr[1])) > 3 * np.nanmedian(report.dgr_sigma[1])
    assert np.nanmedian(np.abs(report.dgr[0] / report.dgr_sigma[0])) < 1.2
    # The images scatter by their photons alone, and the monitor is exact.
    assert report.growth_sigma[-1] == pytest.approx(report.counting_sigma, rel=0.2)
    # Solid angle and polarization are in both: the share of what is there without the laser.
    share = (report.diq[1] - relative * report.off_iq[1])[fair] / report.diq_sigma[1][fair]
    assert np.sqrt(np.mean(share**2)) < 1.5
    assert np.nanmax(np.abs(report.off_gr[1])) > 3 * np.nanmedian(report.off_gr_sigma[1])
    assert (report.limits.qmin, report.limits.qmax) == (1.0, 18.0)
    np.testing.assert_allclose(report.edges, [-1e-11, 0.0, 1e-11])


def made_scale(report: LaserReport, off: NDArray[np.float64], fair: NDArray[np.bool_]) -> float:
    """Counts per weight of the report over those of the images, from the change itself."""
    relative = EFFECT * np.exp(-0.5 * ((report.q - 4.0) / 0.5) ** 2)
    wanted, seen = (relative * off)[fair], report.diq[1][fair].astype(float)
    return float(wanted @ seen / (wanted @ wanted))


def test_an_arrival_tool_of_the_wrong_sign_is_warned_of_during_the_run(tmp_path: Path) -> None:
    made = pipeline(tmp_path)
    changes = {
        "arrival": DelayPart(name="tool", unit="fs", sign=-1, reference=0.0),
        "delay": [DelayPart(name="stage", unit="fs", sign=1, reference=0.0)],
        "bins": Bins(edges=[-2.0, -0.5, 0.5, 2.0], unit="ps"),
    }
    follower = LaserFollower(SETTINGS.model_copy(update=changes), made, run="r")
    random = np.random.default_rng(4)
    weight = np.full(made.plan.q.size, 1e4)
    change = 0.1 * np.exp(-0.5 * ((made.plan.q - 4.0) / 0.5) ** 2)
    for index in range(600):
        on, beam = index % 2 == 0, max(1 + 0.15 * random.standard_normal(), 0.2)
        stage, late = random.uniform(-800, 1000), 300 * random.standard_normal()
        bright = 1 + change * (on and stage + late > 0)
        signal = random.poisson(1e4 * beam * bright).astype(np.float64)
        sums = Sums(
            signal=signal, variance=signal, weight=weight, pixels=weight / 100, frames=1,
            monitor=1000.0 * beam, exposure=1.0,
        )  # fmt: skip
        values = {"laser": float(on), "stage": stage, "tool": late}
        follower.take(beamline.frame(index, monitor=1000.0 * beam, environment=values), sums)

    said = follower.report().warnings

    assert any("sign is probably wrong" in words for words in said)


def test_every_shot_ends_in_one_place(tmp_path: Path) -> None:
    made = pipeline(tmp_path)
    follower = LaserFollower(SETTINGS, made, run="r")
    sums = made.integrator.integrate(beamline.counts(0))
    good = {"laser": 1.0, "stage": 5.0}
    told: list[tuple[float | None, dict[str, float]]] = [
        (1000.0, good),
        (1000.0, good | {"stage": 50.0}),
        (None, good),
        (1.0, good),
        (1000.0, good | {"laser": 0.5}),
        (1000.0, good | {"stage": math.nan}),
    ]
    for index, (monitor, values) in enumerate(told):
        follower.take(beamline.frame(index, monitor=monitor, environment=values), sums)

    counts = follower.report().counts

    assert counts.received == 6
    assert dict(counts.classes) == {"on": 2}
    assert dict(counts.rejected) == {
        "no monitor": 1,
        "monitor outside": 1,
        "unknown flag": 1,
        "no stage": 1,
    }
    assert counts.received == sum(n for _, n in (*counts.classes, *counts.rejected))


def test_a_report_before_the_first_shot_is_empty_and_says_why(tmp_path: Path) -> None:
    report = LaserFollower(SETTINGS, pipeline(tmp_path), run="r").report()

    assert report.counts.received == 0
    assert np.isnan(report.diq).all()
    assert all("blocks of time" in test.reason for test in report.tests)


def test_a_report_travels_and_is_kept_whole(tmp_path: Path) -> None:
    made = pipeline(tmp_path)
    slopes = SETTINGS.model_copy(update={"normalise": "regression"})
    follower = LaserFollower(slopes, made, run="r")
    shots(made, follower, 300, effect=EFFECT)
    report = follower.report()
    assert report.normalised == "slope against I0 (monitor), its offset left free"
    assert report.tests[1].p < 0.05
    assert np.isnan(report.counting_sigma)

    header, arrays = take_apart(report)
    again = put_together(header, [array.copy() for array in arrays])
    write_laser(tmp_path / "r-laser.nxs", report)
    write_laser(tmp_path / "r-laser.nxs", again)

    np.testing.assert_array_equal(again.diq, report.diq)
    assert again.limits == report.limits
    # qmax 18 without a taper
    assert report.limits.width == pytest.approx(3.791 / 18, rel=1e-3)
    with h5py.File(tmp_path / "r-laser.nxs") as file:
        np.testing.assert_array_equal(file["entry/dgr/dG"][:], report.dgr)
        np.testing.assert_array_equal(file["entry/diq/dI_errors"][:], report.diq_sigma)
        for curve, signal in (("iq", "I"), ("gr", "G")):
            on, off = (file[f"entry/{curve}_{side}"] for side in ("on", "off"))
            change = file[f"entry/d{curve}/d{signal}"][:]
            np.testing.assert_allclose(on[signal][:] - off[signal][:], change, atol=1e-4)
            assert np.isfinite(on[f"{signal}_errors"][1]).any()
        np.testing.assert_array_equal(file["entry/iq_off/I_errors"][:], report.off_iq_sigma)
        assert file["entry/window_of_gr/qmax"][()] == 18.0
        assert file["entry/window_of_gr/width_of_a_distance"][()] == report.limits.width
        assert file["entry/shots/classes/on"][()] == 150
        assert file["entry/sigma_is"][()] == b"block jackknife over the shots"
    with pytest.raises(ValueError, match="diq has"):
        put_together(header, [*arrays[:2], arrays[2][:1], *arrays[3:]])


def test_a_band_where_nothing_changes_replaces_i0(tmp_path: Path) -> None:
    made = pipeline(tmp_path)
    changes = {"normalise": "band", "band": [9.0, 16.0]}
    follower = LaserFollower(SETTINGS.model_copy(update=changes), made, run="r")

    shots(made, follower, 400, effect=EFFECT)
    report = follower.report()

    assert report.normalised == "mean of I between 9 and 16 Å⁻¹"
    assert report.tests[1].p < 0.05
    inside = (report.q > 9.0) & (report.q < 16.0)
    assert abs(np.nanmean(report.diq[1][inside])) < 1e-6


def test_a_run_with_a_laser_reports_to_viewers_and_leaves_a_file(
    bench: Callable[..., Bench],
) -> None:
    daemon = bench(more=TABLE)
    client = daemon.client()
    client.connect()
    frames = [
        beamline.frame(n, monitor=1000.0, environment={"laser": float(n % 2), "stage": 5.1})
        for n in range(40)
    ]
    daemon.source.put(beamline.start(), *frames, beamline.end())

    follow(client, lambda: ended(client))
    follow(client, lambda: seen(client) == 40)
    daemon.finish()

    report = client.mirror.laser
    assert report is not None
    assert dict(report.counts.classes) == {"off": 20, "on": 20}
    (file,) = daemon.service.files[0].parent.glob("*-laser.nxs")
    with h5py.File(file) as kept:
        assert kept["entry/shots/received"][()] == 40


def seen(client: Client) -> int:
    return 0 if client.mirror.laser is None else client.mirror.laser.counts.received
