"""What the pages of hits and of destroyed samples decide to draw, without a display."""

from dataclasses import replace

import numpy as np
import pytest
from livepdf_gui.show.shots_breakdown import (
    BreakdownChoice,
    breakdown_view,
    courses,
    map_words,
    onset_words,
)
from livepdf_gui.show.shots_pages import ShotsPages
from livepdf_gui.show.shots_serial import hit_rate, lit_pixels, rate_words, serial_view
from livepdf_gui.show.shots_sizes import sizes
from livepdf_gui.show.state import State

from livepdf.model.laser import ShotCounts
from livepdf.model.serial import HitRate
from livepdf.model.status import Counters, Status
from tests.gui.shots_samples import NAN, breakdown_report, laser_report, serial_report


def test_the_bars_of_the_hit_rate_are_the_stated_interval_in_per_cent() -> None:
    report = serial_report()

    (chart,) = hit_rate(report, before=None).charts

    one = chart.series[0]
    np.testing.assert_allclose(one.y, 100 * report.course_rate)
    np.testing.assert_allclose(one.low, 100 * report.course_low)
    np.testing.assert_allclose(one.high, 100 * report.course_high)
    assert chart.y_range[0] <= 0


def test_a_hit_rate_tells_what_it_is_of_also_before_the_first_shot() -> None:
    none = HitRate(hits=0, shots=0, rate=NAN, low=NAN, high=NAN)

    assert rate_words(none) == "no shots yet"
    assert rate_words(serial_report().recent) == "1.5 % (0.511 to 4.32 %), 3 of 200 shots"


def test_the_threshold_of_a_hit_is_a_line_where_it_is() -> None:
    (chart,) = lit_pixels(serial_report()).charts

    (rule,) = chart.rules
    assert chart.x_axis.value(rule.at) == pytest.approx(200.0)


def test_sizes_are_corrected_with_their_errors_and_blank_where_too_few_are_found() -> None:
    report = serial_report()

    board = sizes(report, before=None)

    seen, corrected = board.charts[0].series
    np.testing.assert_allclose(corrected.y, report.sizes_corrected)
    np.testing.assert_allclose((corrected.high - corrected.low) / 2, report.sizes_sigma)
    assert np.isnan(corrected.y[report.efficiency < 0.05]).all()
    assert np.nansum(seen.y) == pytest.approx(2 * report.sizes_seen.sum())
    assert corrected.x[0] == pytest.approx(11.0)
    assert "37" in board.aside


def test_without_an_efficiency_sizes_are_shown_as_seen_and_it_is_said() -> None:
    report = serial_report(efficiency=False)

    (chart,) = sizes(report, before=None).charts

    np.testing.assert_allclose(chart.series[0].y, report.sizes_seen)
    assert "not corrected" in chart.note


def test_what_is_done_with_a_part_of_the_shots_is_said_as_n_of_m() -> None:
    view = serial_view(serial_report(), before=None)

    assert any("312 of 3520 searched for peaks" in item.text for item in view.lamps)


def test_a_page_without_hits_says_what_is_missing() -> None:
    report = serial_report()
    nothing = np.full_like(report.powder, np.nan)
    bare = replace(report, powder=nothing, counts=ShotCounts(received=30, classes=(("blank", 30),)))

    view = serial_view(bare, before=None)

    assert view.powder.empty.startswith("No hit yet")
    assert "[serial]" in serial_view(None, before=None).notice


def test_the_onset_is_a_stretch_on_the_logarithmic_axis() -> None:
    report = breakdown_report()

    order, lattice = courses(report, before=None).charts

    (zone,), (rule,) = order.zones, order.rules
    assert order.x_axis.value(zone.low) == pytest.approx(2.3e-12)
    assert order.x_axis.value(rule.at) == pytest.approx(3.1e-12)
    assert order.x_axis.value(zone.high) == pytest.approx(4.2e-12)
    assert "3.1 ps (2.3 ps to 4.2 ps, 95 %)" in order.note
    assert lattice.y_axis.label == "lattice a (Å)"


def test_a_measure_that_is_withheld_says_why_and_is_not_drawn() -> None:
    report = breakdown_report()

    board = courses(report, before=None)

    assert len(board.charts) == 2
    assert "domain size: the Q resolution is not known" in board.over
    assert "not known" in onset_words(report, report.measures[2])


def test_a_bin_without_samples_is_blank_in_the_map_of_destroyed_samples() -> None:
    report = breakdown_report()

    view = breakdown_view(report, BreakdownChoice(), before=None)

    left, right = view.map.bounds
    columns = view.map.image.shape[1]
    middle = float(view.map.axis.place(report.x[4:5])[0])
    assert (view.map.image[:, int((middle - left) / (right - left) * columns)] == 0).all()
    assert "blank: no sample here" in map_words(report, view.map, middle, 3.0)


def test_keys_step_through_the_bins_of_destroyed_samples() -> None:
    pages, state = ShotsPages(), State(endpoint="", breakdown=breakdown_report())
    pages.turn_to("breakdown")
    last = pages.breakdown_view(state).bin

    assert pages.act("older", state)
    assert pages.breakdown_view(state).bin == last - 1
    assert pages.act("first", state)
    assert pages.breakdown_view(state).bin == 0
    assert pages.act("map", state)
    assert pages.breakdown_view(state).map.symbol == "ΔG"


def test_pages_are_offered_only_for_what_the_run_has() -> None:
    pages = ShotsPages()
    now = Status(state="running", time=0.0, counters=Counters(), run="run8")

    assert pages.tabs(State(endpoint="")) == ()
    tabs = pages.tabs(State(endpoint="", laser=laser_report(), status=now))

    assert [tab.name for tab in tabs] == ["overview", "laser"]
    assert tabs[1].words.endswith("(of run run7)")
    assert pages.act("shots", State(endpoint=""))
    assert len(pages.tabs(State(endpoint=""))) == 4


def test_keys_of_the_overview_do_nothing_while_another_page_is_seen() -> None:
    pages, state = ShotsPages(), State(endpoint="", serial=serial_report())

    assert not pages.act("scope", state)
    pages.turn_to("serial")
    assert pages.act("scope", state)
    assert not pages.act("theme", state)
    assert not pages.act("pause", state)
