"""The slope against I0, where the meter of I0 reads something in the dark."""

from dataclasses import replace

import numpy as np
import pytest

from livepdf.analysis.pump_probe.amplitude import amplitude
from livepdf.analysis.pump_probe.difference import Difference, difference, of_groups
from livepdf.analysis.pump_probe.regression import regressed
from livepdf.analysis.pump_probe.table import ShotTable
from livepdf.model.shot import Shot
from tests.analysis.pump_probe.shots import PATTERN, PEAK, Truth, shots, table

OFFSET = 0.2
"""What the meter reads without X-rays, of a mean of 1."""


def with_offset(found: list[Shot]) -> list[Shot]:
    return [replace(one, label=replace(one.label, i0=one.label.i0 + OFFSET)) for one in found]


def kept(found: list[Shot], *, limit: int = 4096) -> ShotTable:
    made = ShotTable(
        reference=1e4 * PATTERN, edges=np.array([-1.0, 1.0]), limit=limit, moments=True
    )
    for one in found:
        made.add(one)
    return made


def slopes(made: ShotTable) -> Difference:
    return of_groups(regressed(made, 0))


def test_an_offset_of_the_meter_makes_an_effect_in_ratios_and_none_in_slopes() -> None:
    pulls = []
    for seed in range(700, 708):
        # 20 % dimmer with the laser, which does nothing else.
        found = with_offset(shots(Truth(dimmer=0.8, meter=0.0), seed=seed))
        one = slopes(kept(found))
        pulls.append(one.value / one.sigma)

    made_up = difference(table(found), 0)
    assert np.mean(made_up.value / (1e4 * PATTERN)) == pytest.approx(0.8 / 1.0 - 1 / 1.2, abs=2e-3)
    assert np.std(pulls) == pytest.approx(1.0, abs=0.1)
    assert abs(np.mean(pulls)) < 0.15


def test_what_the_laser_changes_is_in_the_slope_with_a_true_error() -> None:
    pulls = []
    for seed in range(800, 840):
        found = with_offset(shots(Truth(effect=0.02, meter=0.0, shots=800), seed=seed))
        value, sigma = amplitude(
            slopes(kept(found)), template=1e4 * PATTERN * PEAK, pattern=1e4 * PATTERN
        )
        pulls.append((value - 0.02) / sigma)

    assert np.std(pulls) == pytest.approx(1.0, abs=0.3)
    assert abs(np.mean(pulls)) < 3 / np.sqrt(len(pulls))


def test_the_slope_is_that_of_a_plain_fit_where_all_is_one_slot() -> None:
    found = with_offset(shots(Truth(shots=400), seed=3))
    made = kept(found)
    while len(made.sums) > 2:
        made._coarsen()
    one = regressed(made, 0)

    ((first, _), (second, _)) = (
        np.polyfit([s.label.i0 for s in found if s.label.kind == kind],
                   [s.iq for s in found if s.label.kind == kind], 1)
        for kind in ("on", "off")
    )  # fmt: skip
    np.testing.assert_allclose(of_groups(one).value, first - second, rtol=1e-6, atol=1e-6 * 1e4)


def test_workers_merged_and_slots_joined_keep_the_moments() -> None:
    found = with_offset(shots(Truth(shots=1200), seed=4))
    parts = [kept(found[k::3], limit=32) for k in range(3)]
    for part in parts[1:]:
        parts[0].merge(part)
    whole = kept(found, limit=32)

    assert whole.level == parts[0].level
    one, many = slopes(whole), slopes(parts[0])
    np.testing.assert_allclose(many.value, one.value, rtol=1e-8, atol=1e-8 * 1e4)


def test_without_moments_or_a_class_there_is_no_slope() -> None:
    found = shots(Truth(shots=400), seed=1)
    with pytest.raises(ValueError, match="keeps no moments"):
        regressed(table(found), 0)
    with pytest.raises(ValueError, match="does not merge"):
        kept(found).merge(table(found))
    alone = slopes(kept([one for one in found if one.label.kind == "on"]))
    assert "needs both" in alone.reason
