"""Simulated XFEL shots against what they were drawn from."""

from pathlib import Path

import numpy as np
import pytest

from livepdf.files.crystfel import read_geom
from livepdf.files.poni import read_poni
from livepdf.files.tile_calibration import write_calibration
from livepdf.simulate.shots import Beam, Damage, breakdown_truths, serial_truths
from livepdf.simulate.tiled import Electronics, Sensor, write_instrument
from livepdf.simulate.xfel import xfel_run


def test_the_written_geometry_has_the_pixels_of_the_detector(tmp_path: Path) -> None:
    electronics = Electronics(sensor=Sensor(size="tiny"))
    files = write_instrument(electronics, tmp_path)

    tiles = read_geom(files["geometry"])
    write_calibration(tiles, energy=15.0, output=tmp_path / "tiles.poni")

    np.testing.assert_allclose(tiles.corners(), electronics.sensor.tiles.corners(), atol=1e-9)
    read = read_poni(tmp_path / "tiles.poni")
    np.testing.assert_allclose(read.q(), electronics.sensor.q, rtol=3e-6)
    ours = electronics.sensor.weight
    theirs = read.solid_angle() * read.polarization(0.99)
    ratio = theirs / ours
    np.testing.assert_allclose(ratio, ratio.mean(), rtol=1e-4)
    assert 7 < electronics.sensor.q.max() < 8


def test_photons_of_a_shot_have_the_mean_that_is_told_and_repeat() -> None:
    run = xfel_run("pump-probe", shots=4, size="tiny", seed=3)
    mean = np.mean([run.expected(run.truths[n]) for n in range(4)], axis=0)
    seen = np.mean([run.photons_of(n) for n in range(4)], axis=0)

    pull = (seen - mean) / np.sqrt(mean / 4)
    assert abs(pull.mean()) < 4 / np.sqrt(pull.size)
    assert pull.std() == pytest.approx(1, abs=0.02)
    np.testing.assert_array_equal(run.image(2), run.image(2))
    other = xfel_run("pump-probe", shots=4, size="tiny", seed=4)
    assert np.any(run.photons_of(0) != other.photons_of(0))


def test_what_is_read_gives_the_photons_back_but_where_it_is_dead_or_full() -> None:
    run = xfel_run("pump-probe", shots=1, size="tiny", photons=2e7)
    electronics, read = run.electronics, run.image(0).astype(float)
    charge = (read - electronics.pedestals) / electronics.gains / run.truths[0].energy
    photons = run.photons_of(0)
    usable = ~electronics.bad & (read < electronics.full)

    off = (charge - photons)[usable]
    assert np.mean(~usable) > electronics.dead
    assert off.std() == pytest.approx(np.hypot(4, 10) / 40, abs=0.12)
    assert np.all(photons[read >= electronics.full] > 200)


def test_a_harder_pulse_has_its_rings_at_smaller_angles() -> None:
    run = xfel_run("pump-probe", shots=2, size="tiny")
    plain, first = run.pattern(run.truths[1]), run.truths[1]
    q = run.q
    near = (q > 1.7) & (q < 2.6)
    at = q[near][np.argmax(plain[near])]

    seen = run._at_angle(first) / first.beam
    assert q[near][np.argmax(seen[near])] == pytest.approx(at / first.energy, abs=0.011)


def test_delays_tell_the_truth_up_to_jitter_which_the_tool_sees() -> None:
    run = xfel_run("pump-probe", shots=4000, size="tiny")
    on = [t for t in run.truths if t.kind == "on"]
    nominal = np.array([t.stage for t in on]) * 6.6712819e-12
    jitter = np.array([t.delay for t in on]) - nominal
    told = np.array([t.arrival for t in on]) * 1e-15
    clear = np.array([t.edge for t in on]) > 1

    assert len(on) == 2000
    assert jitter.std() == pytest.approx(300e-15, rel=0.06)
    assert (told - jitter)[clear].std() == pytest.approx(12.7e-15, rel=0.1)
    assert np.mean(~clear) == pytest.approx(0.03, abs=0.015)


def test_samples_break_from_the_onset_on_and_not_before() -> None:
    damage = Damage(onset=3e-12)
    truths = breakdown_truths(shots=400, seed=1, beam=Beam(jitter=0.0), damage=damage)
    before = [t for t in truths if t.kind == "on" and t.delay < 3e-12]
    after = [t for t in truths if t.kind == "on" and t.delay > 3e-10]

    assert {t.order for t in before} == {1.0}
    assert all(0.2 <= t.order < 0.25 for t in after)
    assert all(t.diameter < 25 for t in after)
    assert sum(t.kind == "off" for t in truths) == 100


def test_few_shots_hit_a_sphere() -> None:
    truths = serial_truths(shots=4000, seed=2, beam=Beam(), hit_rate=0.05)
    run = xfel_run("serial", shots=40, size="tiny", hit_rate=0.5, seed=2)
    hit = [n for n, t in enumerate(run.truths) if t.diameter > 250]
    blank = [n for n, t in enumerate(run.truths) if t.diameter == 0]

    assert np.mean([t.diameter > 0 for t in truths]) == pytest.approx(0.05, abs=0.012)
    seen = [run.photons_of(n).sum() / run.truths[n].beam for n in hit]
    wanted = [3000 * (run.truths[n].diameter / 300) ** 6 * run.truths[n].amount for n in hit]
    assert np.mean(seen) - run.photons_of(blank[0]).sum() == pytest.approx(np.mean(wanted), rel=0.1)
