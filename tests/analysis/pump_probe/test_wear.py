"""What is left of samples with a known loss of order, lattice and size; bins that are censored."""

import numpy as np
import pytest
from numpy.typing import NDArray

from livepdf.analysis.pump_probe.censored import Censored, without_bins
from livepdf.analysis.pump_probe.difference import grouped, of_groups
from livepdf.analysis.pump_probe.wear import Templates, worn
from tests.analysis.pump_probe.shots import Q, Truth, shots, table

WIDE = np.linspace(1.0, 7.5, 650)
SELF = 400 * np.exp(-WIDE / 5) + 40
SHELLS = np.arange(2.5, 60.0, 0.37)


def pattern(
    *, order: float = 1.0, strain: float = 0.0, diameter: float = 40.0, melt: float = 0.0
) -> NDArray[np.float64]:
    """Shells of a sphere by the Debye equation, and the two nearest ones of a melt."""
    random = np.random.default_rng(5)
    heights = 1 + 0.9 * random.standard_normal(len(SHELLS))
    inside = np.clip(1 - 1.5 * SHELLS / diameter + 0.5 * (SHELLS / diameter) ** 3, 0, None)
    inside[diameter < SHELLS] = 0
    r = SHELLS * (1 + strain)
    waves = np.sin(np.outer(WIDE, r)) / np.outer(WIDE, r) @ (heights * inside * SHELLS**0.5)
    damped = order * waves * np.exp(-0.01 * WIDE**2)
    near = np.sin(WIDE * 2.9) / WIDE * np.exp(-0.03 * WIDE**2)
    found: NDArray[np.float64] = SELF * (1 + 0.2 * damped + melt * near)
    return found


def templates(scatter: NDArray[np.float64], *, diameter: float = 40.0) -> Templates:
    return Templates(
        q=WIDE,
        intact=pattern(),
        weight=1 / scatter,
        self_scattering=SELF / SELF.mean(),
        diameter=diameter,
        near=6.0,
    )


def samples(count: int, *, seed: int, noise: float = 0.004, **truth: float) -> NDArray[np.float64]:
    random = np.random.default_rng(seed)
    return np.array(
        [
            pattern(**truth)
            * (1 + 0.01 * random.standard_normal())
            * (1 + noise * random.standard_normal(WIDE.size))
            for _ in range(count)
        ]
    )


@pytest.mark.parametrize(
    ("order", "strain", "diameter", "melt"),
    [
        (1.0, 0.0, 40.0, 0.0),
        (0.5, 0.0, 40.0, 0.5),
        (1.0, 0.008, 40.0, 0.0),
        (0.9, 0.0, 28.0, 0.1),
        (0.5, 0.006, 30.0, 0.5),
    ],
)
def test_order_lattice_and_size_are_told_apart_and_a_melt_is_no_order(
    order: float, strain: float, diameter: float, melt: float
) -> None:
    intact = samples(30, seed=1)
    broken = samples(20, seed=2, order=order, strain=strain, diameter=diameter, melt=melt)

    found = worn(templates(intact.std(axis=0, ddof=1)), broken, intact=intact)

    assert np.mean(found.order) == pytest.approx(order, abs=0.06)
    assert np.mean(found.lattice) == pytest.approx(strain, abs=4e-4)
    assert np.mean(found.size) == pytest.approx(diameter, rel=0.04)


def test_errors_are_the_scatter_of_intact_samples() -> None:
    intact = samples(60, seed=3)
    others = samples(60, seed=4)

    found = worn(templates(intact.std(axis=0, ddof=1)), others, intact=intact)

    for value, sigma, truth in (
        (found.order, found.order_sigma, 1.0),
        (found.lattice, found.lattice_sigma, 0.0),
        (found.size, found.size_sigma, 40.0),
    ):
        assert np.std((value - truth) / sigma) == pytest.approx(1.0, abs=0.35)


def test_what_has_lost_its_order_has_no_lattice_and_no_size() -> None:
    intact = samples(30, seed=5)
    molten = samples(10, seed=6, order=0.0, melt=1.0)

    found = worn(templates(intact.std(axis=0, ddof=1)), molten, intact=intact)

    assert abs(np.mean(found.order)) < 0.1
    assert np.all(np.abs(found.order) < 0.3)
    assert np.isnan(found.lattice).all()
    assert np.isnan(found.size).all()
    without = worn(
        templates(intact.std(axis=0, ddof=1), diameter=float("nan")), intact[:3], intact=intact
    )
    assert np.isnan(without.size).all()
    assert np.isfinite(without.lattice).all()


def test_bins_with_saturated_pixels_are_left_out_and_no_other_changes() -> None:
    whole = np.full(Q.size, 200.0)
    watched = Censored(whole)
    peak = np.abs(Q - 2.1) < 0.2
    for one in shots(Truth(shots=400), seed=1):
        # two of a hundred pixels of the peak, with the laser alone
        lost = np.where(peak & (one.label.kind == "on"), 4.0, 0.0)
        watched.add(one.label.kind, whole - lost)
    found = grouped(table(shots(Truth(shots=400, effect=0.01), seed=1)), 0)

    plain, censored = of_groups(found), of_groups(without_bins(found, watched.flagged()))

    assert watched.share().max() == pytest.approx(0.02)
    np.testing.assert_array_equal(watched.flagged(), peak)
    assert "are left out, up to 2 % of their pixels are lost" in watched.warning(Q)
    assert np.isnan(censored.value[peak]).all()
    np.testing.assert_array_equal(censored.value[~peak], plain.value[~peak])
    assert not Censored(whole).flagged().any()
    assert Censored(whole).warning(Q) == ""
