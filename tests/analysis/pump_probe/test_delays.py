"""Edges, delay bins and components of delay maps with known truth."""

import numpy as np
import pytest
from numpy.typing import NDArray

from livepdf.analysis.pump_probe.delay_map import components, delay_map, of_differences
from livepdf.analysis.pump_probe.difference import difference
from livepdf.analysis.pump_probe.edge import arrival_warning, bin_edges, edge, sign_warning
from livepdf.analysis.pump_probe.recent import RecentShots, tool_warning
from livepdf.analysis.pump_probe.table import ShotTable
from livepdf.model.shot import Shot, ShotLabel
from tests.analysis.pump_probe.shots import PATTERN, PEAK, Q, Truth, shot, shots, table

FS = 1e-15


def jittered(seed: int, shots: int = 20_000) -> tuple[NDArray[np.float64], ...]:
    """Nominal delays, readings of a tool (30 fs FWHM), and a step at 120 fs, σ 40 fs."""
    random = np.random.default_rng(seed)
    nominal = random.uniform(-800, 1000, shots) * FS
    jitter = 300 * FS * random.standard_normal(shots)
    reading = jitter + 30 / 2.3548 * FS * random.standard_normal(shots)
    late = 40 * FS * random.standard_normal(shots)
    signal = (nominal + jitter + late > 120 * FS) + 0.3 * random.standard_normal(shots)
    return nominal, reading, signal


def test_the_arrival_tool_gives_time_zero_and_the_width_of_the_edge() -> None:
    nominal, reading, signal = jittered(3)

    found = edge(nominal + reading, signal)

    assert found.zero == pytest.approx(120 * FS, abs=5 * FS)
    assert found.width == pytest.approx(np.hypot(40, 12.7) * FS, rel=0.10)
    assert 0 < found.zero_sigma < 5 * FS


def test_a_tool_of_the_wrong_sign_is_warned_of_and_one_of_the_right_sign_is_not() -> None:
    for seed in range(2):
        nominal, reading, signal = jittered(seed)
        plain = edge(nominal, signal)

        assert arrival_warning(edge(nominal + reading, signal), plain) == ""
        warning = arrival_warning(edge(nominal - reading, signal), plain)
        assert "corrected edge broader than uncorrected" in warning


@pytest.mark.parametrize(("sign", "warned"), [(1, False), (-1, True)])
def test_the_patterns_of_shots_tell_the_sign_of_the_tool_whatever_i0_does(
    sign: int, warned: bool
) -> None:
    random = np.random.default_rng(6)
    nominal, reading, signal = jittered(6, shots=1500)
    curve, sigma = PATTERN * PEAK, 0.02 * np.sqrt(PATTERN)
    recent = RecentShots(len(Q))
    for train in range(1500):
        meter = 1 + 0.05 * random.standard_normal()
        iq = PATTERN + 0.02 * signal[train] * curve + sigma * random.standard_normal(len(Q))
        delay = nominal[train] + sign * reading[train]
        label = ShotLabel(kind="on", delay=delay, i0=meter, arrival=sign * reading[train])
        recent.add(Shot(id=(train, 0), label=label, iq=iq))

    said = tool_warning(recent.kept(), curve=curve, sigma=sigma)

    assert ("sign is probably wrong" in said) == warned


def test_a_tool_that_reads_nothing_but_noise_is_of_neither_sign() -> None:
    for seed in range(4):
        nominal, _, signal = jittered(seed, shots=1500)
        reading = 300 * FS * np.random.default_rng(90 + seed).standard_normal(1500)

        found, opposite = (edge(nominal + sign * reading, signal) for sign in (1, -1))

        assert found.left.shape == (1500,)
        assert sign_warning(found, opposite) == sign_warning(opposite, found) == ""


def test_the_newest_shots_replace_the_oldest() -> None:
    recent = RecentShots(5, limit=2 * 5 * 4)
    label = ShotLabel(kind="on", delay=1.0, i0=2.0, arrival=0.5)
    for train in range(3):
        iq = np.full(5, 2.0 * train)
        recent.add(Shot(id=(train, 0), label=label, iq=iq))

    assert recent.added == 3
    assert recent.kept().iq[:, 0].tolist() == [2.0, 1.0]


def test_no_step_no_edge() -> None:
    random = np.random.default_rng(1)
    found = edge(random.uniform(0, 1e-12, 2000), random.standard_normal(2000))

    assert np.isnan(found.zero)
    assert found.reason == "there is no step that stands above the noise"


def test_bins_of_equal_population() -> None:
    delays = np.random.default_rng(0).standard_normal(1000)

    edges = bin_edges(delays, 10)

    assert np.histogram(delays, edges)[0].tolist() == [100] * 10


def grown(seed: int, *, effect: float) -> ShotTable:
    made = ShotTable(reference=1e4 * PATTERN, edges=np.linspace(-2, 8, 11))
    random = np.random.default_rng(seed)
    delays = random.uniform(-2, 8, 4000)
    for one in shots(Truth(shots=4000, meter=0.002), seed=seed):
        delay = delays[one.id[0]]
        iq = one.iq
        if one.label.kind == "on" and delay > 0:
            iq = iq * (1 + effect * (1 - np.exp(-delay / 2)) * PEAK)
        made.add(shot(one.id[0], one.label.kind, i0=one.label.i0, iq=iq, delay=delay))
    return made


def test_a_map_follows_the_effect_over_the_delay() -> None:
    found = delay_map(grown(2, effect=0.01))

    at = np.argmax(PEAK)
    truth = np.where(found.delays > 0, 0.01 * (1 - np.exp(-found.delays / 2)), 0.0)
    pull = (found.value[:, at] / (1e4 * PATTERN[at]) - truth) / (found.sigma[:, at] / 1e4)
    assert np.abs(pull).max() < 4
    assert found.shots.sum() == 2000


def test_one_effect_is_one_component_and_none_is_none() -> None:
    with_effect = components(delay_map(grown(2, effect=0.01)), background=PATTERN[None])
    without = components(delay_map(grown(2, effect=0.0)), background=PATTERN[None])

    assert (with_effect.significant, without.significant) == (1, 0)
    shape = with_effect.curves[0]
    wanted = PATTERN * PEAK
    wanted -= PATTERN * (wanted @ PATTERN) / (PATTERN @ PATTERN)
    assert abs(np.corrcoef(shape, wanted)[0, 1]) > 0.9
    later = with_effect.delays[0] * np.sign(with_effect.delays[0][-1])
    assert later[-1] > 3 * np.abs(later[:2]).max()


def test_the_error_of_a_transform_is_that_of_its_scatter() -> None:
    r = np.arange(1.5, 20.0, 0.05)
    kernel = (2 / np.pi) * np.sin(np.outer(r, Q)) * (Q[1] - Q[0]) * Q

    def transform(curve: NDArray[np.float64]) -> NDArray[np.float64]:
        moved: NDArray[np.float64] = kernel @ (curve / (1e4 * PATTERN))
        return moved

    seen, told = [], []
    for seed in range(60):
        moved = difference(table(shots(Truth(shots=1600), seed=seed)), 0).through(transform)
        seen.append(moved.value)
        told.append(moved.sigma)

    ratio = np.sqrt(np.mean(np.square(told), axis=0)) / np.std(seen, axis=0, ddof=1)
    # The scatter of 60 seeds is known to 9 %; the median over r is nearer.
    assert np.median(ratio) == pytest.approx(1.0, abs=0.1)


def test_a_delay_without_shots_is_empty_in_the_map() -> None:
    empty = ShotTable(reference=PATTERN, edges=np.array([-2.0, -1.0, 1.0]))
    for one in shots(Truth(shots=400, photons=1.0), seed=1):
        empty.add(one)

    found = delay_map(empty)

    assert found.shots.tolist() == [0, 200]
    assert np.isnan(found.value[0]).all()
    assert components(of_differences([difference(empty, 1)], delays=np.zeros(1))).significant == 0
