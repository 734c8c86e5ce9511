"""Serial and breakdown runs, from what tiles read to reports, against what was true."""

from collections.abc import Callable
from pathlib import Path

import h5py
import numpy as np
import pytest

from livepdf.daemon.calibrating import in_photons
from livepdf.errors import ConfigError
from livepdf.model.breakdown import BreakdownReport
from livepdf.model.serial import SerialReport
from livepdf.simulate.shots import Beam, Damage
from livepdf.simulate.xfel import xfel_run
from livepdf.sinks.shot_file import write_breakdown, write_serial
from livepdf.wire import breakdown as wire_breakdown
from livepdf.wire import serial as wire_serial
from livepdf.wire.client import Client
from livepdf.wire.codec import decode_published, encode
from livepdf.wire.messages import BreakdownMessage, SerialMessage
from tests.daemon import beamline, xfel
from tests.daemon.conftest import Bench
from tests.daemon.test_service import ended, follow

SHOTS = 200


@pytest.fixture(scope="module")
def serial(tmp_path_factory: pytest.TempPathFactory) -> tuple[SerialReport, list[float]]:
    """A run in which a third of the shots hit a sphere of 20 or 30 nm."""
    run = xfel_run("serial", shots=SHOTS, size="tiny", seed=21, hit_rate=0.33)
    folder = tmp_path_factory.mktemp("serial")
    follower = xfel.follow(run, xfel.pipeline(run, folder))
    report = follower.report()
    while follower.busy:
        report = follower.report()
    return report, [truth.diameter for truth in run.truths]


def test_every_particle_that_shines_is_a_hit_and_no_blank_is(
    serial: tuple[SerialReport, list[float]],
) -> None:
    report, truth = serial
    hits = sum(diameter > 0 for diameter in truth)

    classes = dict(report.counts.classes)
    assert classes == {"hit": report.whole.hits, "blank": SHOTS - report.whole.hits}
    # of those of 20 nm, some meet too little of the beam
    assert 0.9 * hits <= report.whole.hits <= hits
    assert report.whole.low < 0.33 < report.whole.high
    assert report.course_shots[-1] == SHOTS == report.lit_shots.sum()


def test_sizes_are_those_of_the_particles(serial: tuple[SerialReport, list[float]]) -> None:
    report, truth = serial
    wanted = np.array([truth[shot] for shot in report.particle_shots])
    pulls = (report.particle_sizes - wanted) / report.particle_sigmas

    assert len(wanted) > 0.9 * report.whole.hits
    # The beam's photon energy tells the size by 0.2 %, beside the fringes.
    assert np.median(np.abs(report.particle_sizes - wanted)) < 3.0
    assert np.median(np.abs(pulls)) < 1.5
    assert report.sizes_seen.sum() == len(wanted)
    middle = (report.size_edges[1:] + report.size_edges[:-1]) / 2
    assert np.all(report.efficiency[middle < 140] < 0.05)
    assert np.all(report.efficiency[middle > 240] > 0.95)
    assert np.isnan(report.sizes_corrected[middle < 140]).all()


def test_a_part_is_searched_for_peaks_and_the_report_says_so(
    serial: tuple[SerialReport, list[float]],
) -> None:
    report, _ = serial

    assert [part.words for part in report.fractions] == [
        f"{SHOTS // 10} of {SHOTS} shots searched for peaks: one shot in 10, as the recipe says",
        f"{report.whole.hits} of {report.whole.hits} hits fitted by a sphere",
    ]


def test_the_powder_is_that_of_the_hits_without_the_background(
    serial: tuple[SerialReport, list[float]],
) -> None:
    report, _ = serial
    known = np.isfinite(report.powder_sigma) & (report.powder_sigma > 0)
    far = known & (report.q > 0.15)
    near = known & (report.q < 0.02)

    pulls = report.powder[far] / report.powder_sigma[far]
    assert abs(np.mean(report.powder[far])) < 0.02 * np.mean(report.powder[near])
    assert np.std(pulls) < 2.0
    assert np.all(report.powder[near] > 3 * report.powder_sigma[near])


@pytest.fixture(scope="module")
def breakdown(tmp_path_factory: pytest.TempPathFactory) -> BreakdownReport:
    run = xfel_run(
        "breakdown", shots=SHOTS, size="tiny", seed=22, damage=Damage(onset=8e-12), beam=Beam()
    )
    folder = tmp_path_factory.mktemp("breakdown")
    report: BreakdownReport = xfel.follow(run, xfel.pipeline(run, folder)).report()
    return report


def test_samples_lose_order_expand_and_shrink_after_the_onset_alone(
    breakdown: BreakdownReport,
) -> None:
    order, lattice, size = breakdown.values
    before, after = breakdown.x < 6e-12, breakdown.x > 1e-10
    middle = (breakdown.x > 1.5e-11) & (breakdown.x < 4e-11)

    assert np.nanmean(order[before]) == pytest.approx(1.0, abs=0.04)
    assert np.nanmean(order[after]) == pytest.approx(0.2, abs=0.05)
    assert np.nanmean(size[before]) == pytest.approx(40.0, abs=0.5)
    assert np.nanmean(lattice[before]) == pytest.approx(0.0, abs=2e-4)
    assert np.nanmean(lattice[middle]) > 0.003
    assert np.nanmean(size[middle]) < 35.0
    assert np.all(breakdown.shots[breakdown.x < 1e-9] > 0)


def test_the_onset_is_found_with_an_interval_that_holds_it(breakdown: BreakdownReport) -> None:
    change = breakdown.measures[0]

    assert change.name == "order"
    # Neighbouring samples are 7 % apart; how often it holds the truth is another test's.
    assert change.low / 1.1 <= 8e-12 <= change.high * 1.1
    assert change.high / change.low < 2
    assert breakdown.bank_shots == SHOTS // 4
    assert breakdown.log
    assert breakdown.along == "delay"


def test_reports_are_kept_as_files(
    tmp_path: Path, serial: tuple[SerialReport, list[float]], breakdown: BreakdownReport
) -> None:
    write_serial(tmp_path / "a.nxs", serial[0])
    write_serial(tmp_path / "a.nxs", serial[0])
    write_breakdown(tmp_path / "b.nxs", breakdown)

    with h5py.File(tmp_path / "a.nxs") as file:
        np.testing.assert_array_equal(file["entry/powder/I"][:], serial[0].powder)
        assert file["entry/shots/classes/hit"][()] == serial[0].whole.hits
        assert b"searched for peaks" in file["entry/shots/parts"][0]
    with h5py.File(tmp_path / "b.nxs") as file:
        np.testing.assert_array_equal(file["entry/diq/dI"][:], breakdown.diq)
        assert file["entry/order/change/start"][()] == breakdown.measures[0].start
    assert not list(tmp_path.glob("*.part"))


def test_reports_of_real_runs_travel(
    serial: tuple[SerialReport, list[float]], breakdown: BreakdownReport
) -> None:
    hits, hit_arrays = wire_serial.take_apart(serial[0])
    wear, wear_arrays = wire_breakdown.take_apart(breakdown)

    for message, arrays in (
        (SerialMessage(sequence=1, header=hits), hit_arrays),
        (BreakdownMessage(sequence=1, header=wear), wear_arrays),
    ):
        again, _ = decode_published([bytes(part) for part in encode(message, arrays)])
        assert again == message


def test_tiles_read_photons_but_where_they_are_full(tmp_path: Path) -> None:
    run = xfel_run("pump-probe", shots=1, size="tiny", seed=3, photons=5e4)
    made = xfel.pipeline(run, tmp_path).with_saturation(600.0)
    assert made.tiles is not None

    image = made.integrator.unpack_image(in_photons(beamline.pack(run.image(0)), made.tiles))

    truth = run.photons_of(0) * run.truths[0].energy
    full = run.image(0) >= 600
    assert full.any()
    assert np.isnan(image[full]).all()
    good = ~full & ~run.electronics.bad
    off = (image - truth)[good]
    # 4 units of noise of 40 a photon, and the common mode to a part of that
    assert np.std(off) < 0.16
    assert abs(np.mean(off)) < 0.02


def test_i0_is_divided_by_once(tmp_path: Path) -> None:
    run = xfel_run("serial", shots=1, size="tiny")
    more = {"[window]": "[normalization]\nmonitor = true\n[window]"}

    with pytest.raises(ConfigError, match="divide shots by I0 themselves"):
        xfel.pipeline(run, tmp_path, changes=more)


SERIAL = """
[serial]
i0 = { name = "monitor", low = 1.0 }
hit_from = 10
interval = 0.2
"""


def test_a_viewer_that_comes_after_the_last_shot_gets_the_report(
    bench: Callable[..., Bench],
) -> None:
    daemon = bench(more=SERIAL)
    first = daemon.client()
    first.connect()
    frames = [beamline.frame(n, monitor=1000.0) for n in range(20)]
    daemon.source.put(beamline.start(), *frames, beamline.end())
    follow(first, lambda: ended(first))
    follow(first, lambda: seen(first) == 20)

    late = daemon.client()
    late.connect()
    follow(late, lambda: seen(late) == 20)

    assert late.mirror.serial is not None
    assert dict(late.mirror.serial.counts.classes) == {"hit": 20}


def seen(client: Client) -> int:
    return 0 if client.mirror.serial is None else client.mirror.serial.counts.received
