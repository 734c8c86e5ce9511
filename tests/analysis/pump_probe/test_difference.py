"""ΔI against what was put into simulated shots, over many seeds."""

import numpy as np
import pytest
from scipy.stats import kstest

from livepdf.analysis.pump_probe.amplitude import amplitude
from livepdf.analysis.pump_probe.difference import difference, grouped, of_groups, sides
from livepdf.analysis.pump_probe.significance import convergence, interleaving, significance
from livepdf.analysis.pump_probe.table import ShotTable
from tests.analysis.pump_probe.shots import PATTERN, PEAK, Truth, shot, shots, table


def test_a_change_of_a_thousandth_is_found_with_a_true_error() -> None:
    pulls, sizes = [], []
    for seed in range(500, 600):
        found = difference(table(shots(Truth(effect=1e-3), seed=seed)), 0)
        value, sigma = amplitude(found, template=1e4 * PATTERN * PEAK, pattern=1e4 * PATTERN)
        pulls.append((value - 1e-3) / sigma)
        sizes.append(sigma / 1e-3)

    assert np.count_nonzero(np.abs(pulls) < 2) >= 93
    assert 0.85 < np.std(pulls) < 1.15
    # 2000 shots, where 6 % are wanted of 20 000.
    assert np.median(sizes) < 0.06 * np.sqrt(10)


def test_without_an_effect_p_is_uniform_and_the_errors_cover() -> None:
    p, covered = [], []
    for seed in range(200):
        made = table(shots(Truth(meter=0.03, shots=800), seed=1000 + seed))
        p.append(significance(grouped(made, 0), flips=199).p)
        found = difference(made, 0)
        covered.append(np.mean(np.abs(found.value) < found.sigma))

    assert kstest(p, "uniform").pvalue > 0.01
    assert 0.02 <= np.mean(np.array(p) <= 0.05) <= 0.09
    # All bins of a run share the error of I0: 200 runs, not 40 000 bins, are independent.
    assert np.mean(covered) == pytest.approx(0.68, abs=0.03 + 2 * np.std(covered) / np.sqrt(200))


def test_with_less_without_the_laser_is_the_difference_block_by_block() -> None:
    found = grouped(table(shots(Truth(effect=0.01), seed=6)), 0)
    whole, (on, off) = of_groups(found), sides(found)

    np.testing.assert_allclose(on.value - off.value, whole.value, atol=1e-9 * 1e4)
    moved = off.moved(on.value - off.value, on.replicates - off.replicates)
    np.testing.assert_allclose(moved.sigma, whole.sigma, rtol=1e-6)
    assert np.all(np.abs(off.value - 1e4 * PATTERN) < 6 * off.sigma)


def test_a_dimmer_beam_with_the_laser_is_no_effect() -> None:
    found = difference(table(shots(Truth(dimmer=0.95, shots=4000), seed=5)), 0)

    relative = found.value / (1e4 * PATTERN)
    assert np.all(np.abs(found.value) < 5 * found.sigma)
    assert abs(np.mean(relative)) < 3 * np.mean(found.sigma / (1e4 * PATTERN))
    assert abs(np.mean(relative)) < 1e-3


def test_a_slow_drift_is_in_both_classes_when_they_take_turns() -> None:
    biases = []
    for seed in range(20):
        truth = Truth(drift=0.02, meter=0.0)
        found = difference(table(shots(truth, seed=seed)), 0)
        biases.append(np.mean(found.value / found.sigma))

    assert abs(np.mean(biases)) < 1


def test_blocks_with_and_without_the_laser_are_warned_of() -> None:
    def warning(truth: Truth) -> str:
        made = table(shots(truth, seed=1))
        counts = {on: dict(made.of(on=on)) for on in (True, False)}
        slots = sorted(set(counts[True]) | set(counts[False]))
        on, off = (
            np.array([counts[kind][slot].shots if slot in counts[kind] else 0 for slot in slots])
            for kind in (True, False)
        )
        return interleaving(on, off)

    assert warning(Truth()) == ""
    assert "in blocks, not in turn" in warning(Truth(blocked=True))


def test_four_workers_merged_are_one_pass() -> None:
    found = shots(Truth(shots=2000), seed=2)
    whole = table(found, limit=64)
    parts = [table(found[k::4], limit=[64, 32, 128, 64][k]) for k in range(4)]

    for part in parts[1:]:
        parts[0].merge(part)
    while whole.level < parts[0].level:
        whole._coarsen()

    one, many = difference(whole, 0), difference(parts[0], 0)
    assert (one.on, one.off) == (many.on, many.off) == (1000, 1000)
    scale = 1e4 * PATTERN
    np.testing.assert_allclose(many.value / scale, one.value / scale, rtol=0, atol=1e-10)
    np.testing.assert_allclose(many.sigma, one.sigma, rtol=1e-8)


def test_memory_stays_bounded_and_nothing_is_lost_in_joining_slots() -> None:
    found = shots(Truth(shots=4000), seed=3)
    wide, narrow = table(found), table(found, limit=20)

    assert len(narrow.sums) <= 20
    assert narrow.shots(on=True) == wide.shots(on=True) == 2000
    for on in (True, False):
        sums = [
            np.sum([sums.excess for _, sums in made.of(on=on)], axis=0) for made in (wide, narrow)
        ]
        np.testing.assert_allclose(sums[0], sums[1], rtol=1e-9, atol=1e-6)


def test_sums_of_a_million_shots_do_not_drift() -> None:
    made = ShotTable(reference=np.array([1e4]), edges=np.array([-1.0, 1.0]), limit=64)
    value = np.array([1e4 * (1 + 1e-7)])

    block = [shot(train, "on", i0=1.0, iq=value) for train in range(1000)]
    for one in block:
        made.add(one)
    total = sum(sums.excess[0] for _, sums in made.of(on=True, number=0))
    for _ in range(10):  # 2^10 times a thousand shots
        made.merge(made_copy(made))
    grown = sum(sums.excess[0] for _, sums in made.of(on=True, number=0))
    shots_in = made.shots(on=True)

    assert shots_in == 1024 * 1000
    assert total / 1000 == pytest.approx(1e-3, rel=1e-6)
    assert grown / shots_in / 1e4 == pytest.approx(total / 1000 / 1e4, rel=0, abs=1e-9)


def made_copy(table: ShotTable) -> ShotTable:
    copied = ShotTable(
        reference=table.reference, edges=table.edges, level=table.level, limit=table.limit
    )
    copied.merge(table)
    return copied


def test_pixels_left_out_of_some_shots_do_no_harm() -> None:
    truth = Truth(effect=5e-3, shots=4000)
    clean = shots(truth, seed=7)
    random = np.random.default_rng(8)
    for one in clean:
        one.iq[random.random(len(one.iq)) < 0.05] = np.nan

    found = difference(table(clean), 0)

    pull = (found.value - 5e-3 * 1e4 * PATTERN * PEAK) / found.sigma
    assert np.all(np.isfinite(pull))
    assert np.abs(pull).max() < 5


def test_sigma_falls_with_the_root_of_the_shots_and_tells_how_many_are_needed() -> None:
    found = convergence(grouped(table(shots(Truth(effect=2e-3, shots=8000), seed=3)), 0))

    assert found.slope == pytest.approx(-0.5, abs=0.15)
    assert found.warning == ""
    assert found.split_half > 0.5

    few = significance(grouped(table(shots(Truth(effect=1e-3, shots=2000), seed=3)), 0))
    assert few.z > 1
    needed = few.shots_to_five_sigma
    more = Truth(effect=1e-3, shots=4 * int(needed))
    assert significance(grouped(table(shots(more, seed=4)), 0)).z > 5


def test_one_class_alone_makes_no_difference() -> None:
    only_on = [one for one in shots(Truth(), seed=1) if one.label.kind == "on"]

    found = difference(table(only_on), 0)

    assert np.isnan(found.sigma).all()
    assert "needs both" in found.reason
    assert "needs both" in significance(grouped(table(only_on), 0)).reason
