"""The worked example of the documentation works as it stands there."""

import re
import time
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from livepdf.model.frame import Frame, FrameRefused, RunStart, SourceItem
from livepdf.model.raw import RawMessage
from livepdf.simulate.faults import Faults, Message, Tally, faulty
from livepdf.sources.open_source import FEEDS, SOURCES, make_source
from tools.detectors.pictures import pictures

PAGE = Path(__file__).parents[2] / "docs" / "add-a-detector.md"


@pytest.fixture
def blink(monkeypatch: pytest.MonkeyPatch) -> dict[str, Any]:
    """Everything that the page defines; the tables of sources are put back afterwards."""
    for table in (FEEDS, SOURCES):
        monkeypatch.setitem(table, "blink", None)  # type: ignore[arg-type]
    place: dict[str, Any] = {"__name__": "blink"}
    for block in re.findall(r"```python\n(.*?)```", PAGE.read_text(encoding="utf-8"), re.S):
        exec(compile(block, str(PAGE), "exec"), place)
    return place


def test_every_fault_of_its_simulator_ends_in_the_right_counter(blink: dict[str, Any]) -> None:
    given = {
        "camera": "pilatus-100k", "synthesis": None, "images": (), "recording": None,
        "frames": 60, "rate": 10.0, "write": None,
    }  # fmt: skip
    tally = Tally()
    faults = Faults(loss=0.1, duplicates=0.1, disorder=0.1, seed=2)
    feed = blink["blink_feed"](blink["Blink"](endpoint="tcp://127.0.0.1:7000"))
    items: list[SourceItem] = []
    steps = faulty(blink["blink_messages"](pictures(given, seed=1)), faults, tally)
    for number, step in enumerate(steps):
        assert isinstance(step, Message)
        raw = RawMessage(channel="stream", received=1e9 + 0.01 * number, parts=tuple(step.parts))
        items += feed.feed(raw)
    items += feed.tick(now=1e9 + 1000.0)

    frames = [item.index for item in items if isinstance(item, Frame)]
    assert frames == sorted(frames)
    assert len(frames) == 60 - tally.lost
    assert sum(isinstance(item, FrameRefused) for item in items) == tally.doubled > 0
    assert sum(isinstance(item, RunStart) for item in items) == 1


def test_it_is_opened_like_every_other_source(blink: dict[str, Any]) -> None:
    source = make_source(blink["Blink"](endpoint="tcp://127.0.0.1:7000"), clock=time.time)
    assert source.description == "blink from tcp://127.0.0.1:7000"
    shown = CliRunner().invoke(blink["main"], ["--help"]).output
    assert "Push frames as a blink detector does" in shown
