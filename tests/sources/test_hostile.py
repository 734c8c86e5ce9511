"""Damaged messages of every protocol: no crash, no hang, each counted once."""

import pytest

from tests.sources.hostile import PROTOCOLS, flood, flood_hidra

COUNT = 400


@pytest.mark.parametrize("name", sorted(PROTOCOLS))
@pytest.mark.timeout(60)
def test_every_damaged_message_is_counted_once(name: str) -> None:
    tally = flood(name, COUNT)

    assert tally.total() == COUNT
    assert tally["used"] >= COUNT // 3
    assert len(tally) >= 3


def test_every_damaged_chunk_of_a_file_is_counted_and_none_is_held_for_ever() -> None:
    tally = flood_hidra(COUNT)

    assert tally.total() - tally["given up"] == COUNT
    assert 0 < tally["given up"] <= tally["held"]
    assert tally["whole"] >= COUNT // 3 // 3
