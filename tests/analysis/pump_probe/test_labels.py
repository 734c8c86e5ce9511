"""Delays, classes and the joining of patterns with records, one trap of the field each."""

import math

import numpy as np
import pytest

from livepdf.analysis.pump_probe.classify import (
    Flag,
    Gate,
    Record,
    ShotError,
    ShotRules,
    classify,
)
from livepdf.analysis.pump_probe.delay import DelayPart, delay
from livepdf.analysis.pump_probe.difference import difference
from livepdf.analysis.pump_probe.join import ShotJoin
from livepdf.model.shot import Shot
from tests.analysis.pump_probe.shots import Truth, shots, table

STAGE = DelayPart(name="stage", unit="mm", sign=1, reference=0.0)
TRIGGER = DelayPart(name="trigger", unit="ps", sign=-1, reference=100.0)
ARRIVAL = DelayPart(name="arrival", unit="fs", sign=1, reference=50.0)


def rules(**changes: object) -> ShotRules:
    settings: dict[str, object] = {
        "laser": Flag(name="laser"),
        "i0": Gate(name="i0", low=0.1),
        "parts": [STAGE],
        "xrays": [
            Flag(name="open"),
            Flag(name="closed", yes=(0,), no=(1,)),
        ],
    }
    return ShotRules(**(settings | changes))  # type: ignore[arg-type]


def record(**changes: object) -> Record:
    lit = {"laser": 1, "i0": 1.0, "stage": 0.3, "open": 1, "closed": 0}
    return {**lit, **changes}  # type: ignore[dict-item]


def test_a_millimetre_of_stage_is_light_there_and_back() -> None:
    assert delay([STAGE], {"stage": 1.0}) == pytest.approx(6.6713e-12, rel=1e-5)


def test_stage_trigger_and_arrival_add_up_each_with_its_sign_and_reference() -> None:
    found = delay([STAGE, TRIGGER, ARRIVAL], {"stage": 1.0, "trigger": 104.0, "arrival": 80.0})

    assert found == pytest.approx(6.6713e-12 - 4e-12 + 30e-15, rel=1e-4)


def test_a_unit_is_never_guessed() -> None:
    with pytest.raises(ValueError, match="found unit '', wanted one of s, ms"):
        delay([DelayPart(name="x", unit="", sign=1, reference=0.0)], {"x": 1.0})


@pytest.mark.parametrize(
    ("changes", "kind"),
    [
        ({}, "on"),
        ({"laser": 0}, "off"),
        ({"open": 0, "closed": 1}, "laser only"),
        ({"open": 0, "closed": 1, "laser": 0}, "dark"),
    ],
)
def test_flags_tell_the_class(changes: dict[str, object], kind: str) -> None:
    assert classify(record(**changes), train=7, rules=rules()).kind == kind


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"i0": "saturated"}, "no i0"),
        ({"i0": "not-converged"}, "no i0"),
        ({"i0": math.nan}, "no i0"),
        ({"i0": 0.01}, "i0 outside"),
        ({"i0": None}, "no i0"),
        ({"laser": 2}, "unknown flag"),
        ({"stage": "moving"}, "no stage"),
        ({"open": 1, "closed": 1}, "flags contradict"),
    ],
)
def test_what_is_not_certain_is_rejected_with_its_reason(
    changes: dict[str, object], reason: str
) -> None:
    with pytest.raises(ShotError) as caught:
        classify(record(**changes), train=1, rules=rules())

    assert caught.value.reason == reason


def test_the_arrival_tool_counts_for_pumped_shots_alone_and_only_within_its_gates() -> None:
    gated = rules(arrival=ARRIVAL, arrival_gates=[Gate(name="amplitude", low=5.0)])
    good = record(arrival=80.0, amplitude=9.0)

    pumped = classify(good, train=1, rules=gated)
    unpumped = classify({**good, "laser": 0, "arrival": None}, train=1, rules=gated)

    assert pumped.delay - unpumped.delay == pytest.approx(30e-15)
    with pytest.raises(ShotError, match="amplitude outside"):
        classify({**good, "amplitude": 1.0}, train=1, rules=gated)


def test_parity_is_that_of_the_train_number() -> None:
    kinds = [classify(record(), train=n, rules=rules(laser="odd")).kind for n in (6, 7)]

    assert kinds == ["off", "on"]


def test_darks_after_the_first_lit_shot_are_not_believed() -> None:
    join = ShotJoin(rules(darks_first=True))
    for train, opened in enumerate([0, 0, 1, 0, 1]):
        join.record((train, 0), record(open=opened, closed=1 - opened, laser=0))
        join.pattern((train, 0), np.ones(3))

    assert dict(join.classes) == {"dark": 2, "off": 2}
    assert dict(join.rejected) == {"dark after the first lit shot": 1}


def test_lost_late_and_doubled_shots_leave_the_sums_of_those_that_are_there() -> None:
    clean = shots(Truth(effect=0.01), seed=3)
    random = np.random.default_rng(4)
    kept = [one for one in clean if random.random() > 0.01]
    unrecorded = {one.id for one in kept if random.random() < 0.01}
    doubled = [one for one in kept if random.random() < 0.001]
    mixed = sorted([*kept, *doubled], key=lambda one: one.id[0] + random.uniform(0, 50))
    join = ShotJoin(rules(), patience=200)
    joined: list[Shot | None] = []
    for late in mixed:
        told = record(laser=int(late.label.kind == "on"), i0=late.label.i0, stage=0.0)
        pattern_first = random.random() < 0.5
        if pattern_first:
            joined.append(join.pattern(late.id, late.iq))
        if late.id not in unrecorded:
            joined.append(join.record(late.id, told))
        if not pattern_first:
            joined.append(join.pattern(late.id, late.iq))
    join.finish()

    wanted = [one for one in kept if one.id not in unrecorded]
    assert join.received == len(kept) + len(doubled)
    assert join.waiting == 0
    assert join.rejected["duplicate"] == len(doubled)
    assert join.rejected["no record"] == len(unrecorded)
    assert sum(join.classes.values()) == len(wanted)
    assert join.received == sum(join.classes.values()) + sum(join.rejected.values())
    found = difference(table([shot for shot in joined if shot is not None]), 0)
    clean_run = difference(table(wanted), 0)
    np.testing.assert_allclose(found.value, clean_run.value, rtol=0, atol=1e-6)


def test_a_record_that_never_comes_is_given_up_after_a_while() -> None:
    join = ShotJoin(rules(), patience=3)
    for train in range(5):
        join.pattern((train, 0), np.ones(2))

    assert (join.waiting, join.rejected["no record"]) == (3, 2)
