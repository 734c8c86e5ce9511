"""Columns of a run are read by one thread while another one writes."""

import math

from livepdf.model.curve import Span, Trend
from livepdf.model.overview import RunColumns

NAN = float("nan")


def _put(columns: RunColumns, number: int, reason: str, *, value: float = NAN) -> None:
    span = Span(
        scope="window",
        run="a",
        number=number,
        first=number,
        last=number,
        frames=1,
        start=float(number),
        end=number + 1.0,
        revision=0,
    )
    trend = Trend(name="size", unit="Å", value=value, sigma=value / 10, reason=reason)
    columns.put(span, trends=(trend,), environment=(("temperature", 300.0),))


def test_a_look_survives_reasons_and_flags_that_are_said_after_it() -> None:
    columns = RunColumns("a")
    _put(columns, 0, "too noisy")
    columns.flag(0, ("gap",))
    look = columns.freeze()

    _put(columns, 0, "no peak here")
    columns.flag(0, ("gap", "saturated"))

    assert look.trends["size"].reason(0) == "no peak here"
    assert look.trends_of(0)[0].reason == "no peak here"
    assert look.flags(0) == ("gap", "saturated")


def test_a_copy_stays_as_it_was() -> None:
    columns = RunColumns("a")
    _put(columns, 0, "too noisy")
    columns.flag(0, ("gap",))
    copy = columns.freeze().copy()

    _put(columns, 0, "", value=20.0)
    columns.flag(0, ())

    (kept,) = copy.trends_of(0)
    assert (math.isnan(kept.value), kept.reason, copy.flags(0)) == (True, "too noisy", ("gap",))
    (now,) = columns.freeze().trends_of(0)
    assert (now.value, now.sigma, now.reason) == (20.0, 2.0, "")


def test_what_was_looked_at_before_an_overview_is_absorbed_keeps_its_flags() -> None:
    columns, other = RunColumns("a"), RunColumns("a")
    for written, flags in ((columns, ("gap",)), (other, ("dark",))):
        _put(written, 0, "too noisy")
        written.flag(0, flags)
    look = columns.freeze()

    columns.absorb(other.freeze().copy())
    columns.flag(0, ("saturated",))

    assert look.flags(0) == ("gap",)
    assert columns.freeze().flags(0) == ("saturated",)
    assert other.freeze().flags(0) == ("dark",)
