from dataclasses import replace

import numpy as np
from livepdf_gui.show.columns import TrendColumn
from livepdf_gui.show.headline import headline
from livepdf_gui.show.ranges import growing, sticky
from livepdf_gui.show.session import Session
from livepdf_gui.show.shown import over, resolve
from livepdf_gui.show.state import State
from livepdf_gui.show.trends import readout

from livepdf.model.curve import Trend
from livepdf.model.status import Counters, Status
from tests.gui.publisher import example_status, growing_result
from tests.gui.samples import history_of

RESULTS = [growing_result(n, start=1000.0, of=40) for n in range(20)]


def _state(windows: int = 20, *, version: int = 1) -> State:
    return State(
        endpoint="tcp://127.0.0.1:1", version=version, connection="connected", connected=True,
        met=True, status=example_status(500), status_heard=50.0,
        latest=RESULTS[windows - 1], history=history_of(RESULTS[:windows]),
    )  # fmt: skip


def _session(windows: int = 20) -> Session:
    session = Session("tcp://127.0.0.1:1")
    session.take(_state(windows))
    return session


def test_live_shows_the_newest_window_with_its_sigma() -> None:
    view = _session().view(now=50.0)

    np.testing.assert_array_equal(view.gr.y, RESULTS[-1].curve("gr").y)
    np.testing.assert_array_equal(view.gr.sigma, RESULTS[-1].curve("gr").sigma)
    assert view.gr.over.startswith("accumulates over: window of 10 frames")


def test_a_selected_window_is_drawn_at_once_and_its_sigma_is_fetched() -> None:
    session = _session()
    session.select_place(7.3)

    view = session.view(now=50.0)

    assert view.shown.fetch == 7
    blocks = RESULTS[7].curve("gr").y.reshape(-1, 6)
    np.testing.assert_allclose(view.gr.y, blocks.mean(axis=1), atol=1e-6)
    assert view.gr.sigma_words == "fetching σ …"
    session.take(replace(_state(version=2), fetched=RESULTS[7]))
    arrived = session.view(now=50.0)
    assert arrived.shown.fetch is None
    np.testing.assert_array_equal(arrived.gr.sigma, RESULTS[7].curve("gr").sigma)


def test_stepping_back_and_past_the_newest_returns_to_live() -> None:
    session = _session()

    session.act("older")
    assert session.choice.selected == 18
    session.act("first")
    assert session.choice.selected == 0
    session.act("older")
    assert session.choice.selected == 0
    session.act("last")
    session.act("newer")
    assert session.choice.selected is None


def test_windows_shown_as_one_tell_how_the_numbers_go_from_the_first_to_the_last() -> None:
    session = _session()
    session.select_range(14.2, 18.9)
    run = RESULTS[0].span.run
    together = replace(RESULTS[18], trends=())
    session.take(replace(_state(version=2), together=together, together_of=(run, 14, 18, 1)))

    head = session.view(now=50.0).headline

    size = next(item for item in head.numbers if item.label == "domain size (Å)")
    ends = [float(part.partition("(")[0]) for part in size.text.split(" → ")]
    # each with its σ, as crystallographers write it
    assert size.text.count("(") == 2
    values = [RESULTS[n].trends[0].value for n in (14, 18)]
    np.testing.assert_allclose(ends, values, atol=0.06)
    assert "in window 14" in size.hint
    assert head.numbers[-1].text == "14–18"


def test_a_window_that_comes_after_the_frames_does_not_wait_for_the_first() -> None:
    session = _session()
    status = replace(_state(version=2).status, counters=Counters(received=450, used=450))

    session.take(replace(_state(version=2), status=status, preview_image=None))
    late = session.view(now=50.0).no_image
    session.take(replace(_state(version=3), status=replace(status, counters=Counters())))

    assert late == "The newest image is on its way from the daemon."
    assert "Waiting for the first frame" in session.view(now=50.0).no_image


def test_the_curve_of_a_run_that_is_over_is_added_up_for_who_comes_late() -> None:
    session = _session()
    over = replace(_state(version=2), whole=None)
    session.take(replace(over, status=replace(over.status, state="waiting")))
    session.act("scope")
    while session.choice.scope != "run":
        session.act("scope")

    assert session.span_wanted() == (0, 19)
    assert "added up" in session.view(now=50.0).gr.empty


def test_colours_alone_have_nothing_resolved_anew() -> None:
    session = _session()
    session.view(now=50.0)

    session.act("theme")

    assert not session.changed()


def test_while_paused_the_panels_stand_still_and_the_new_windows_are_counted() -> None:
    session = _session(10)
    session.act("pause")
    session.take(_state(13, version=2))

    view = session.view(now=50.0)

    assert view.shown.span == RESULTS[9].span
    assert view.banner.startswith("DISPLAY PAUSED, 3 new windows")
    session.act("pause")
    assert session.view(now=50.0).shown.span == RESULTS[12].span


def test_a_new_run_returns_to_live() -> None:
    session = _session()
    session.select_place(3.0)
    other = [growing_result(0, start=2000.0, run="second")]

    session.take(replace(_state(version=2), history=history_of(other), latest=other[0]))

    assert session.choice.selected is None


def test_a_late_viewer_sees_the_last_window_of_a_run_that_has_ended() -> None:
    shown = resolve(replace(_state(), latest=None), Session("tcp://h:1").choice)

    assert shown.fetch == 19
    assert shown.span == RESULTS[19].span


def test_nothing_changed_means_nothing_is_drawn() -> None:
    session = _session()
    session.view(now=50.0)

    assert not session.changed()
    session.take(_state(version=2))
    assert session.changed()


def test_an_empty_window_says_what_to_do() -> None:
    session = Session("tcp://host:7")

    assert "livepdf run" in session.view(now=0.0).gr.empty
    idle = Status(state="waiting", time=0.0, counters=Counters(), source="Stream V2 at tcp://d:9")
    session.take(State(endpoint="e", version=1, connected=True, met=True, status=idle))
    assert session.view(now=0.0).gr.empty == (
        "Waiting for the first frame from Stream V2 at tcp://d:9."
    )


def test_withheld_values_are_gaps_with_their_reason() -> None:
    view = _session().view(now=50.0)
    strip = next(s for s in view.trends.strips if s.name == "domain size")

    assert np.isnan(strip.value[0])
    assert 0.5 in strip.withheld
    assert "withheld: no ordered domain" in readout(view.trends, strip, 0)


def test_the_reason_stands_where_the_big_number_would() -> None:
    withheld = Trend(
        name="domain size", unit="Å", value=float("nan"), sigma=float("nan"),
        reason="the resolution of the instrument (qdamp) is unknown",
    )  # fmt: skip
    state = replace(_state(), latest=replace(RESULTS[-1], trends=(withheld,)))

    top = headline(state, resolve(state, Session("e").choice), now=50.0)

    assert top.numbers[0].label == "domain size: withheld"
    assert "qdamp" in top.numbers[0].text


def test_the_data_age_grows_while_nothing_is_heard_whatever_our_clock_says() -> None:
    status = replace(example_status(500), time=1e6, newest=1e6 - 2.0)
    state = replace(_state(), status=status, status_heard=50.0)
    shown = resolve(state, Session("e").choice)

    assert headline(state, shown, now=50.0).age.text == "2.0 s"
    late = headline(state, shown, now=95.0).age
    assert (late.text, late.level) == ("47.0 s", "bad")


def test_refusals_are_counted_by_reason_the_most_frequent_first() -> None:
    rows = _session().view(now=50.0).counters
    labels = [row.label.strip() for row in rows]

    assert labels[:5] == ["received", "used", "refused", "saturated", "truncated"]


def test_what_a_curve_accumulates_over_is_always_said() -> None:
    window = replace(RESULTS[3].span, frames=8)

    assert "window of 8 frames, 2 missing" in over(window)
    assert over(replace(window, scope="run")) == "accumulates over: whole run, 8 frames"
    assert over(None) == ""


def test_a_range_holds_still_until_the_data_leave_it() -> None:
    first = sticky(None, (0.0, 1.0))

    assert sticky(first, (0.05, 0.95)) == first
    assert sticky(first, (0.0, 2.0))[1] > 2.0
    assert sticky(first, (0.4, 0.5))[1] < 0.6
    assert growing(20.0, 21.0) == 25.0


def test_reasons_are_kept_by_window() -> None:
    column = TrendColumn(
        unit="Å", value=np.array([np.nan, 1.0]), sigma=np.array([np.nan, 0.1]),
        code=np.array([1, 0], dtype=np.int16), reasons=("", "too noisy"),
    )  # fmt: skip

    assert [column.reason(0), column.reason(1)] == ["too noisy", ""]
