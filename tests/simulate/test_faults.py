"""Faults happen as often as asked for, are counted, and repeat exactly."""

from collections import Counter
from random import Random

import pytest

from livepdf.simulate.faults import Faults, Message, Pause, Restart, Step, Tally, corrupted, faulty


def series(count: int) -> list[Message]:
    images = [Message(role="image", parts=[b"head", b"%06d" % n]) for n in range(count)]
    return [
        Message(role="start", parts=[b"start"]),
        *images,
        Message(role="end", parts=[b"end"]),
    ]


def played(faults: Faults, count: int = 2000) -> tuple[list[Step], Tally]:
    tally = Tally()
    return list(faulty(series(count), faults, tally)), tally


def numbers(steps: list[Step]) -> list[int]:
    return [int(s.parts[1]) for s in steps if isinstance(s, Message) and s.role == "image"]


def test_without_faults_everything_comes_as_it_was() -> None:
    steps, tally = played(Faults())
    assert numbers(steps) == list(range(2000))
    assert [s.role for s in steps if isinstance(s, Message) and s.role != "image"] == [
        "start",
        "end",
    ]
    assert tally == Tally(images=2000)


def test_what_is_lost_doubled_or_overtaken_is_what_the_tally_says() -> None:
    steps, tally = played(Faults(loss=0.1, duplicates=0.05, disorder=0.2, seed=3))
    found = Counter(numbers(steps))
    assert 2000 - len(found) == tally.lost
    assert sum(count == 2 for count in found.values()) == tally.doubled
    assert tally.lost == pytest.approx(200, abs=60)
    assert tally.doubled == pytest.approx(100, abs=45)
    assert tally.overtaken == pytest.approx(400, abs=80)


def test_an_overtaken_image_comes_within_its_depth_and_before_the_end() -> None:
    steps, tally = played(Faults(disorder=0.3, depth=4, seed=1))
    order = numbers(steps)
    assert sorted(order) == list(range(2000))
    assert order != sorted(order)
    assert max(abs(place - number) for place, number in enumerate(order)) <= 2 * 4
    last = steps[-1]
    assert isinstance(last, Message)
    assert last.role == "end"
    assert tally.overtaken > 0


def test_a_seed_repeats_every_fault() -> None:
    faults = Faults(loss=0.1, disorder=0.1, duplicates=0.1, corruption=0.1, seed=5)
    parts = [[s.parts for s in played(faults)[0] if isinstance(s, Message)] for _ in range(2)]
    assert parts[0] == parts[1]
    other = [s.parts for s in played(Faults(loss=0.1, seed=6))[0] if isinstance(s, Message)]
    assert parts[0] != other


def test_silences_and_restarts_come_between_images() -> None:
    steps, tally = played(Faults(stall_every=50, stall_seconds=2.0, restart_every=100), count=201)
    assert [s.seconds for s in steps if isinstance(s, Pause)] == [2.0] * 4 == [2.0] * tally.pauses
    assert sum(isinstance(s, Restart) for s in steps) == 2 == tally.restarts


def test_a_header_or_an_end_can_be_left_out() -> None:
    steps, _ = played(Faults(no_start=True, no_end=True), count=5)
    assert all(isinstance(s, Message) and s.role == "image" for s in steps)


def test_a_corrupted_message_is_never_the_same() -> None:
    parts = [b'{"htype": "image"}', bytes(range(256))]
    for seed in range(300):
        assert corrupted(parts, Random(seed)) != parts


def test_a_share_that_is_none_is_refused() -> None:
    with pytest.raises(ValueError, match=r"loss is 1\.5"):
        Faults(loss=1.5)
