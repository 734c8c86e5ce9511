"""Changes of a value that had settled."""

import math

import numpy as np

from livepdf.analysis.breakdown import Change, ChangeSearch, Direction, Seen, Watched


def found(
    values: np.ndarray,
    *,
    direction: Direction = "falls",
    temperature: np.ndarray | None = None,
    thermal: bool = False,
    sigma: float = 0.01,
) -> list[Change]:
    watched = Watched(trend="conversion", direction=direction, meaning="breakdown", thermal=thermal)
    search, changes = ChangeSearch(watched), []
    for number, value in enumerate(values):
        heat = math.nan if temperature is None else float(temperature[number])
        seen = Seen(
            number=number, time=2.0 * number, value=float(value), sigma=sigma, temperature=heat
        )
        change = search.add(seen)
        if change is not None:
            changes.append(change)
    return changes


def test_growth_that_levels_off_is_no_breakdown() -> None:
    for seed in range(30):
        t = np.arange(300.0)
        x = 1 - np.exp(-((t / 60) ** 2)) + 0.01 * np.random.default_rng(seed).standard_normal(300)
        assert not found(x)


def test_a_fall_is_found_within_a_few_windows_and_told_once() -> None:
    for seed in range(30):
        t = np.arange(200.0)
        x = np.where(t < 100, 1.0, np.exp(-(t - 100) / 200))
        x += 0.01 * np.random.default_rng(seed).standard_normal(200)
        first = found(x[:115])
        assert len(first) == 1
        assert 100 < first[0].last < 115
        assert first[0].first <= 106
        assert abs(first[0].before - 1.0) < 0.012


def test_a_sigma_that_is_too_small_is_noticed_and_raises_no_alarm() -> None:
    for seed in range(20):
        x = 1.0 + 0.03 * np.random.default_rng(seed).standard_normal(300)
        assert not found(x, sigma=0.01)


def test_what_heat_moves_is_compared_at_one_temperature_only() -> None:
    t = np.arange(160.0)
    heat = np.interp(t, [0, 40, 60, 160], [300.0, 300.0, 500.0, 500.0])
    lattice = 4.0 * (1 + 1e-5 * (heat - 300.0))
    lattice += 1e-4 * np.random.default_rng(0).standard_normal(160)

    moved = found(lattice, direction="moves", temperature=heat, thermal=True, sigma=1e-4)
    assert not moved
    lattice[120:] += 1e-3
    moved = found(lattice, direction="moves", temperature=heat, thermal=True, sigma=1e-4)
    assert len(moved) == 1
    assert "moves" in moved[0].words


def test_windows_with_a_flaw_or_without_a_value_do_not_count() -> None:
    search = ChangeSearch(Watched(trend="x", direction="falls", meaning="breakdown"))
    rng = np.random.default_rng(1)
    for number in range(200):
        wild = number > 30 and number % 2 == 0
        value = 0.0 if wild else 1.0 + 0.01 * rng.standard_normal()
        flaw = "beam lost" if wild else ""
        seen = Seen(number=number, time=float(number), value=value, sigma=0.01, flaw=flaw)
        assert search.add(seen) is None
