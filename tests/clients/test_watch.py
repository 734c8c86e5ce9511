import dataclasses
import math

import numpy as np
from rich.console import Console

from livepdf.clients.watch import one_line, picture, sparkline
from livepdf.clients.words import duration, feed_line, status_line, with_sigma
from livepdf.model.curve import Curve, Result, Span, Trend
from livepdf.model.status import Counters, Event, FeedStatus, Status
from livepdf.wire.mirror import Mirror

NOW = 1000.0


def mirror(*, connected: bool = True) -> Mirror:
    made = Mirror(connection="connected" if connected else "nothing heard", connected=connected)
    counters = Counters(received=10, used=7, refused={"truncated": 2}, waiting=1, lost=3)
    made.status = Status(
        state="running",
        time=NOW,
        counters=counters,
        run="HfO2_0001",
        rate=9.5,
        lag=0.012,
        newest=NOW - 4.0,
        windows=2,
        problems=("3 frames never arrived",),
    )
    made.events.append(Event(kind="mark", time=NOW - 60.0, text="heater on"))
    axis = np.linspace(0, 1, 3)
    for number in range(2):
        span = Span(
            scope="window",
            run="HfO2_0001",
            number=number,
            first=0,
            last=0,
            frames=1,
            start=0.0,
            end=0.0,
            revision=1,
        )
        trends = (
            Trend(name="Hf-O position", unit="Å", value=2.134 + number, sigma=0.0123),
            Trend(
                name="domain size",
                unit="Å",
                value=math.nan,
                sigma=math.nan,
                reason="qdamp unknown",
            ),
        )
        curves = tuple(Curve(kind=kind, x=axis, y=axis, sigma=axis) for kind in ("iq", "gr"))  # type: ignore[arg-type]
        made.add(Result(span=span, curves=curves, trends=trends, environment=(("T", 500.0),)))
    return made


def drawn(made: Mirror) -> str:
    console = Console(width=140, record=True, file=open("/dev/null", "w"))  # noqa: PTH123, SIM115
    console.print(picture(made, now=NOW))
    console.file.close()
    return console.export_text()


def test_one_look_tells_state_books_age_lag_and_trends() -> None:
    text = drawn(mirror())

    for said in (
        "running",
        "HfO2_0001",
        "10 received = 7 used + 2 refused + 1 waiting",
        "3 lost",
        "truncated: 2",
        "lag 12 ms",
        "newest frame 4.0 s ago",
        "3.134 ± 0.012 Å",
        "qdamp unknown",
        "! 3 frames never arrived",
        "heater on",
        "500",
    ):
        assert said in text, said


def test_a_daemon_that_is_gone_is_said_above_what_it_said_last() -> None:
    assert "nothing heard" in drawn(mirror(connected=False))
    assert one_line(mirror(connected=False), now=NOW) == "nothing heard"
    assert "not connected yet" in drawn(Mirror())


def test_the_plain_line_has_the_values_or_the_reason() -> None:
    line = one_line(mirror(), now=NOW)

    assert "\n" not in line
    assert "Hf-O position: 3.134 ± 0.012 Å" in line
    assert "domain size: qdamp unknown" in line


def test_sparklines_rise_with_the_values_and_leave_gaps() -> None:
    assert sparkline([0, 1, math.nan, 7]) == "▁▂ █"
    assert len(set(sparkline([3.0, 3.0, 3.0]))) == 1
    assert sparkline([math.nan]) == " "
    assert sparkline([]) == ""
    assert len(sparkline(list(range(100)), width=32)) == 32


def test_figures_follow_the_uncertainty() -> None:
    def trend(value: float, sigma: float) -> Trend:
        return Trend(name="x", unit="Å", value=value, sigma=sigma)

    assert with_sigma(trend(2.13456, 0.00123)) == "2.1346 ± 0.0012 Å"
    assert with_sigma(trend(44.4, 12.0)) == "44 ± 12 Å"
    assert with_sigma(trend(44.4, math.nan)) == "44.4 Å"
    assert with_sigma(trend(math.nan, math.nan)) == "no value"


def test_times_are_short_and_never_negative() -> None:
    assert [duration(s) for s in (-1.0, 0.0042, 0.9996, 12.34, 300.0, 9000.0, math.nan)] == [
        "0 ms",
        "4 ms",
        "1.0 s",
        "12.3 s",
        "5 min",
        "2 h",
        "–",
    ]


def test_the_status_line_puts_the_loudest_problem_last_where_the_eye_ends() -> None:
    made = mirror()
    assert made.status is not None

    assert status_line(made.status, now=NOW).endswith("! 3 frames never arrived")


def test_a_feed_of_slow_values_says_its_state_its_clock_and_what_was_missing() -> None:
    feed = FeedStatus(
        name="table log.csv",
        state="stalled: silent for 34 s",
        clock_offset=3600.02,
        clock_uncertainty=0.03,
        clock_used=3600.02,
        newest=(("temperature", 523.15),),
        missing={"silent": 3},
    )
    assert feed_line(feed) == (
        "table log.csv: stalled: silent for 34 s · temperature 523.15 · "
        "clock +3600.02 ± 0.03 s · 3 × silent"
    )
    made = mirror()
    assert made.status is not None
    made.status = dataclasses.replace(made.status, feeds=(feed,))
    assert "stalled: silent for 34 s" in drawn(made)


def test_a_clock_that_is_shown_and_not_used_says_so() -> None:
    feed = FeedStatus(name="json", state="connected", clock_offset=0.5, clock_uncertainty=0.1)
    assert feed_line(feed) == "json: connected · clock +0.50 ± 0.1 s, +0.0 s used"
