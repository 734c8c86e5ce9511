"""What the page of the laser decides to draw, without a display."""

import csv
import io
from dataclasses import replace

import numpy as np
import pytest
from livepdf_gui.show.laser_choice import LaserChoice, shown_bin, stepped
from livepdf_gui.show.laser_difference import on_off
from livepdf_gui.show.laser_growth import growth
from livepdf_gui.show.laser_map import courses, delay_map, delays_of, map_reading
from livepdf_gui.show.laser_page import LaserPage
from livepdf_gui.show.laser_words import (
    class_items,
    lamps,
    peak_width,
    shots_missing,
    verdict,
    why_no_shots,
)
from livepdf_gui.show.shots_axis import KINDS, Delays, Log, Plain
from livepdf_gui.show.shots_chart import readout
from livepdf_gui.show.shots_table import board_csv, laser_csv

from livepdf.model.laser import LaserTest, Limits, ShotCounts
from tests.gui.shots_samples import NAN, Q, few_shots, laser_report

CHOICE = LaserChoice()


@pytest.mark.parametrize("space", ["iq", "gr"])
def test_the_band_of_the_difference_is_its_stated_sigma_and_classes_differ_by_it(space) -> None:
    report = laser_report()

    above, below = on_off(report, space, 2, chosen=True, before=None).charts

    off, on = above.series
    (less,) = below.series
    sigma = getattr(report, f"d{space}_sigma")[2]
    np.testing.assert_allclose((less.high - less.low) / 2, sigma, rtol=1e-6)
    np.testing.assert_allclose((less.high + less.low) / 2, less.y, atol=1e-8)
    np.testing.assert_allclose(on.y - off.y, less.y, atol=1e-6)
    here = np.isfinite(less.y)
    wanted = getattr(report, f"on_{space}_sigma")[2]
    np.testing.assert_allclose(((on.high - on.low) / 2)[here], wanted[here], rtol=1e-3)


def test_points_without_a_pixel_are_gaps_in_curves_and_map() -> None:
    report = laser_report()

    (less,) = on_off(report, "iq", 2, chosen=True, before=None).charts[1].series
    view = delay_map(report, CHOICE, 2, before=None)

    assert np.isnan(less.y[40:43]).all()
    assert np.isnan(less.low[40:43]).all()
    assert np.isfinite(less.y[43:]).all()
    assert (view.image[40:43] == 0).all()
    assert (view.image[43:, :4] > 0).all()


def test_a_bin_with_too_few_shots_is_blank_and_says_why() -> None:
    report = few_shots(laser_report(), 1)

    view = delay_map(report, CHOICE, 2, before=None)

    assert (view.image[:, 1] == 0).all()
    assert (view.image[:, 4] == 0).all()
    assert "2 of 5 bins blank" in view.aside
    assert "blank: 3 blocks of time" in map_reading(view, 1.5, 3.0)
    assert "no shot with the laser has this delay" in map_reading(view, 4.5, 3.0)


def test_zero_is_the_middle_of_the_colours_of_the_map() -> None:
    view = delay_map(laser_report(), CHOICE, 2, before=None)

    assert view.levels[0] == -view.levels[1]
    far = np.abs(Q - 6.0).argmin()
    assert abs(int(view.image[far, 0]) - 128) <= 1
    peak = np.abs(Q - 2.1).argmin()
    assert view.image[peak, 2] > 240


def test_a_map_in_sigma_shows_the_difference_over_its_sigma() -> None:
    report = laser_report()

    view = delay_map(report, replace(CHOICE, sure=True), 2, before=None)

    peak = np.abs(Q - 2.1).argmin()
    wanted = report.diq[2, peak] / report.diq_sigma[2, peak]
    low, high = view.levels
    seen = low + (view.image[peak, 2] - 1) / 254 * (high - low)
    assert seen == pytest.approx(min(wanted, high), rel=0.02)


@pytest.mark.parametrize("kind", KINDS)
def test_the_cursor_chooses_the_bin_of_its_delay_on_every_axis(kind) -> None:
    report = laser_report()
    axis = delays_of(report, replace(CHOICE, axis=kind))
    page = LaserPage()
    page.choice = replace(CHOICE, axis=kind)

    for number, delay in enumerate(report.delays):
        place = float(axis.place(np.array([delay]))[0])
        page.choose_place(report, place)
        assert page.choice.bin == number
        assert axis.value(place) == pytest.approx(delay, rel=1e-9)
    page.choose_place(report, axis.bounds[1] + 5)
    assert page.choice.bin == len(report.delays) - 1


@pytest.mark.parametrize("kind", KINDS)
def test_the_map_has_each_bin_where_its_axis_has_it(kind) -> None:
    report = laser_report()
    choice = replace(CHOICE, axis=kind)

    view = delay_map(report, choice, 2, before=None)

    axis, peak = delays_of(report, choice), np.abs(Q - 2.1).argmin()
    (left, right), columns = view.bounds, view.image.shape[1]
    for number, delay in enumerate(report.delays):
        place = float(axis.place(np.array([delay]))[0])
        column = int((place - left) / (right - left) * columns)
        value = view.image[peak, column]
        assert value == (0 if number == 4 else value)
        assert (value > 240) == (number in (2, 3))


def test_delays_over_many_decades_and_both_signs_have_ticks_in_their_unit() -> None:
    axis = Delays(kind="log", edges=np.array([-1e-9, -1e-13, 1e-13, 1e-12, 1e-6]))

    ticks = axis.ticks(*axis.bounds, 12)

    texts = [text for _, text in ticks]
    assert "0" in texts
    assert axis.unit == "µs"
    assert {"1 ps", "1 ns", "1 µs", "-1 ps"} <= set(texts)
    assert [place for place, _ in ticks] == sorted(place for place, _ in ticks)
    decades = axis.place(np.array([1e-12, 1e-11, 1e-10, 1e-9]))
    np.testing.assert_allclose(np.diff(decades), 1.0, atol=0.05)


def test_ticks_of_tiny_and_huge_numbers_are_round() -> None:
    for low, high in ((0.0, 3e-7), (-4e8, 9e8), (1.0, 1.003)):
        ticks = Plain(label="x").ticks(low, high, 6)
        assert 2 <= len(ticks) <= 8
        slack = 1e-9 * (high - low)
        assert all(low - slack <= place <= high + slack for place, _ in ticks)
    assert [text for _, text in Log(label="n").ticks(0.0, 6.0, 7)] == [
        "1", "10", "100", "1000", "10000", "1e5", "1e6",
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("p", "bins", "words"),
    [
        (0.001, 6, "An effect of the laser."),
        (0.03, 1, "Probably an effect"),
        (0.03, 6, "Perhaps an effect, but 6 bins"),
        (0.4, 6, "No effect seen"),
    ],
)
def test_p_in_words_minds_how_many_bins_are_looked_at(p, bins, words) -> None:
    test = LaserTest(shots=100, p=p, z=1.0, shots_to_five_sigma=NAN, slope=NAN, split_half=NAN)

    said, _ = verdict(test, bins=bins)

    assert said.startswith(words)
    assert "p = " in said or "p ≤ " in said


def test_no_verdict_without_enough_blocks() -> None:
    said, level = verdict(laser_report().tests[-1], bins=5)

    assert said == "No verdict yet: 0 blocks of time so far; the test needs 8."
    assert level == "quiet"


@pytest.mark.parametrize(("taper", "product"), [("none", 3.79), ("lorch", 5.44), ("cosine", 5.14)])
def test_a_sharp_distance_is_as_wide_as_the_window_makes_it(taper, product) -> None:
    # full widths at half maximum of the transforms of a box, of sin(x)/x, of a quarter of a cosine
    width = peak_width(Limits(qmin=0.0, qmax=8.0, taper=taper))

    assert width * 8.0 == pytest.approx(product, abs=0.02)


def test_the_line_of_the_ideal_has_slope_one_half_and_meets_the_last_point() -> None:
    report = laser_report()

    board = growth(report, 2, per_second=0.0, before=None)

    ideal, seen, photons = board.charts[0].series
    slope = np.diff(ideal.y) / np.diff(ideal.x)
    assert slope == pytest.approx(-0.5)
    assert seen.y[-1] == pytest.approx(np.log10(0.04 / 20))
    at_last = np.interp(seen.x[-1], photons.x, photons.y)
    assert 10**at_last == pytest.approx(report.counting_sigma)
    assert "1.25 × what photons alone scatter" in board.charts[0].note


def test_what_is_missing_to_five_sigma_is_told_in_shots_and_minutes() -> None:
    test = replace(laser_report().tests[0], shots=1000, shots_to_five_sigma=4000.0)

    assert "3\u2009000 more, 10 min" in shots_missing(test, per_second=5.0)
    assert shots_missing(test, per_second=0.0).endswith("more")
    assert "is reached" in shots_missing(replace(test, shots=4001), per_second=5.0)


def test_only_components_above_noise_are_drawn_each_scaled_to_one() -> None:
    (chart,) = courses(laser_report(), CHOICE, before=None).charts

    (one,) = chart.series
    assert "6.0 × noise" in one.name
    assert np.nanmax(one.y) == pytest.approx(1.0)


def test_counts_add_up_and_a_missing_class_is_red_with_the_remedy() -> None:
    counts = ShotCounts(received=90, classes=(("on", 80),), rejected=(("no stage", 10),))

    items = {item.label: item for item in class_items(counts)}

    assert items["without"].text == "0"
    assert items["without"].level == "bad"
    assert "[pump_probe] laser" in why_no_shots(counts)
    assert items["rejected"].text == "10: mostly no stage"


def test_when_all_shots_are_rejected_the_page_says_which_table_to_look_at() -> None:
    counts = ShotCounts(received=40, rejected=(("no monitor", 30), ("no stage", 10)))

    said = why_no_shots(counts)

    assert "no monitor" in said
    assert "[pump_probe]" in said


def test_warnings_are_lamps_with_their_words() -> None:
    report = replace(
        laser_report(),
        warnings=(
            "shots with and without the laser come in blocks, not in turn: a slow drift of the "
            "beam looks like an effect of the laser",
            "something new",
        ),
    )

    found = {item.label: item for item in lamps(report)}

    assert found["in turn"].level == "bad"
    assert "in blocks" in found["in turn"].text
    assert found["drift"].level == "good"
    assert found["warning"].hint == "something new"
    assert "timing tool" not in found


def test_the_surest_bin_is_shown_and_stays_until_another_is_clearly_surer() -> None:
    report = laser_report()
    first = shown_bin(CHOICE, report, before=None)
    rival = replace(report.tests[2], z=report.tests[3].z * 1.2)
    nearly = replace(report, tests=(*report.tests[:2], rival, *report.tests[3:]))
    clear = replace(rival, z=report.tests[3].z * 2)
    surer = replace(report, tests=(*report.tests[:2], clear, *report.tests[3:]))

    assert first == 3
    assert shown_bin(CHOICE, nearly, before=first) == 3
    assert shown_bin(CHOICE, surer, before=first) == 2
    assert shown_bin(stepped(CHOICE, -9, shown=2, bins=5), surer, before=2) == 0


def test_the_page_is_the_very_same_until_something_changes() -> None:
    page, report = LaserPage(), laser_report()

    first = page.view(report, rate=30.0)

    assert page.view(report, rate=30.0) is first
    assert page.act("older")
    second = page.view(report, rate=30.0)
    assert second.bin == first.bin - 1
    assert second.map is not None
    assert second.map.chosen == pytest.approx(2.5)
    assert page.view(laser_report(run="run8"), rate=30.0).bin == 3


def test_without_a_report_the_page_says_what_to_put_into_the_recipe() -> None:
    view = LaserPage().view(None, rate=0.0)

    assert "[pump_probe]" in view.notice
    assert view.iq is None


def test_the_values_under_the_cursor_have_their_sigma() -> None:
    report = laser_report()
    below = on_off(report, "iq", 2, chosen=True, before=None).charts[1]

    said = readout(below, 2.1)

    assert "with less without: 0.01999" in said
    assert "± 0.002" in said
    assert "no value" in readout(below, float(Q[41]))


def test_the_table_of_a_delay_has_what_is_drawn() -> None:
    report = laser_report()

    lines = laser_csv(report, 2).splitlines()

    head = lines.index("Q (Å⁻¹),without,σ without,with,σ with,difference,σ difference")
    rows = np.genfromtxt(lines[head + 1 : head + 1 + Q.size], delimiter=",")
    np.testing.assert_allclose(rows[:, 5], report.diq[2], rtol=1e-6, atol=1e-30)
    np.testing.assert_allclose(rows[:, 3] - rows[:, 1], rows[:, 5], atol=1e-6)
    assert np.isnan(rows[41, 5])


def test_a_table_of_a_logarithmic_plot_has_the_values_themselves() -> None:
    report = laser_report()

    table = board_csv(growth(report, 2, per_second=0.0, before=None))

    rows = [row for row in csv.reader(io.StringIO(table)) if row[1:2] == ["σ, measured"]]
    assert float(rows[-1][2]) == pytest.approx(400.0)
    assert float(rows[-1][3]) == pytest.approx(0.002)
