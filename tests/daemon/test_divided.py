"""A series is divided where people say so: every frame is of one run, and none is lost between."""

from livepdf.daemon.divided import Divided
from livepdf.daemon.pulse import Pulse
from livepdf.model.frame import Frame, RunEnd, RunStart, SourceItem
from tests.daemon.beamline import ScriptedSource, end, frame, refused, start


def words(items: list[SourceItem]) -> list[tuple[str, str]]:
    """Return what happens to which series."""
    return [
        ({Frame: "frame", RunStart: "start", RunEnd: "end"}.get(type(item), "refused"), item.series)
        for item in items
    ]


def test_what_follows_the_command_is_of_another_run_until_the_source_begins_one() -> None:
    source = ScriptedSource()
    divided = Divided(Pulse(source))
    assert not divided.ask("too early")
    source.put(start(), frame(0))
    first = divided.poll(0.1)

    assert divided.ask("annealed")
    source.put(frame(1), refused(), end(), start("2"), frame(0, series="2"))
    second = divided.poll(0.1)

    assert words(first) == [("start", "1"), ("frame", "1")]
    assert words(second) == [
        *[("end", "1"), ("start", "1 part 2"), ("frame", "1 part 2"), ("refused", "1 part 2")],
        *[("end", "1 part 2"), ("start", "2"), ("frame", "2")],
    ]
    ends, begins = second[:2]
    assert isinstance(ends, RunEnd)
    assert isinstance(begins, RunStart)
    assert ends.reason == "command"
    assert (begins.name, begins.expected) == ("annealed", None)


def test_a_divided_series_goes_on_in_its_part_after_a_restart() -> None:
    source = ScriptedSource()
    before = Divided(Pulse(source))
    source.put(start())
    before.poll(0.1)
    before.ask("")
    begun = before.poll(0.0)[-1]
    assert isinstance(begun, RunStart)

    after = Divided(Pulse(source))
    after.go_on(begun)
    source.put(start(metadata={"header": "missing"}), frame(7), end())

    assert words(after.poll(0.1)) == [
        *[("start", begun.series), ("frame", begun.series), ("end", begun.series)]
    ]
    assert not after.ask("too late")
