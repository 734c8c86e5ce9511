from dataclasses import replace

import numpy as np
import pytest
from livepdf_gui.show.timeline import event_lines, scale_of

from livepdf.model.curve import Trend
from livepdf.model.status import Event
from tests.gui.publisher import Publisher, example_status, growing_result, ring_image

START = 1_700_000_000.0


def _drawn(item):
    x, y = item.getData()
    return np.asarray(x), np.asarray(y)


def _fill(publisher: Publisher, windows: int) -> list:
    results = [growing_result(n, start=START, of=40) for n in range(windows)]
    for result in results:
        publisher.keep(result)
    return results


def test_the_drawn_curves_are_the_published_ones(qtbot, publisher, open_window) -> None:
    window = open_window(publisher.endpoint)
    qtbot.waitUntil(lambda: window.session.newest.connected)
    result = growing_result(0, start=START)

    publisher.say(result)

    qtbot.waitUntil(lambda: np.size(window.gr.curve.getData()[0]) > 0)
    for kind, panel in (("gr", window.gr), ("iq", window.iq)):
        x, y = _drawn(panel.curve)
        np.testing.assert_array_equal(x, result.curve(kind).x)
        np.testing.assert_array_equal(y, result.curve(kind).y)


def test_a_late_window_shows_the_whole_history(qtbot, publisher, open_window) -> None:
    results = _fill(publisher, 30)

    window = open_window(publisher.endpoint)

    qtbot.waitUntil(lambda: window.map.image.image is not None)
    assert window.map.image.image.shape[1] == 30
    strip = next(s for s in window.trends.strips if s.strip.name == "peak 2.13 position")
    published = [next(t for t in r.trends if t.name == strip.strip.name).value for r in results]
    np.testing.assert_array_equal(_drawn(strip.curve)[1], published)


def test_the_curve_of_a_kinetic_law_lies_dotted_over_what_it_was_fitted_to(
    qtbot, publisher, open_window
) -> None:
    name, law = "peak 2.13 position", []
    for number in range(30):
        result = growing_result(number, start=START, of=40)
        law.append(2.13 + 0.001 * number if number >= 10 else float("nan"))
        reason = "" if number >= 10 else "less than 50 % has reacted"
        sigma = 0.002 if number >= 10 else float("nan")
        fit = Trend(name=f"{name} fit", unit="Å", value=law[-1], sigma=sigma, reason=reason)
        publisher.keep(replace(result, trends=(*result.trends, fit)))

    window = open_window(publisher.endpoint)

    qtbot.waitUntil(lambda: window.map.image.image is not None)
    strip = next(s for s in window.trends.strips if s.strip.name == name)
    np.testing.assert_array_equal(_drawn(strip.fitted)[1], law)
    assert strip.fitted.isVisible()
    assert "dotted: fit 2.1590 ± 0.0020 Å" in strip.words.text()
    others = [s for s in window.trends.strips if s.strip is not None and s.strip.name != name]
    assert not any(s.fitted.isVisible() for s in others)


def test_a_click_on_the_map_shows_that_window_in_all_panels(qtbot, publisher, open_window) -> None:
    results = _fill(publisher, 30)
    window = open_window(publisher.endpoint)
    qtbot.waitUntil(lambda: window.map.image.image is not None)

    box = window.map.plot.getPlotItem().vb
    place = window.map.plot.mapFromScene(box.mapViewToScene(_point(11.5, 8.0)))
    qtbot.mouseClick(window.map.plot.viewport(), _left(), pos=place)

    assert window.session.choice.selected == 11
    qtbot.waitUntil(lambda: "median σ =" in window.session.view(now=0.0).gr.sigma_words)
    window.act("fit")
    np.testing.assert_array_equal(_drawn(window.gr.curve)[1], results[11].curve("gr").y)
    assert window.display.isVisible()
    window.act("live")
    assert window.session.choice.selected is None
    assert not window.display.isVisible()


def test_the_window_connects_again_after_a_restart(qtbot, open_window) -> None:
    first = Publisher()
    window = open_window(first.endpoint)
    qtbot.waitUntil(lambda: window.session.newest.connected)
    first.stop()
    qtbot.waitUntil(lambda: not window.session.newest.connected)
    assert "stopped" in window.session.newest.connection

    second = Publisher(address=first.endpoint, run="second")
    try:
        second.keep(growing_result(0, start=START, run="second"))
        qtbot.waitUntil(lambda: window.session.newest.connected, timeout=60_000)
        qtbot.waitUntil(lambda: window.session.newest.history is not None, timeout=60_000)
        assert window.session.newest.history.run == "second"
    finally:
        second.stop()


def test_withheld_values_are_not_drawn(qtbot, publisher, open_window) -> None:
    _fill(publisher, 20)

    window = open_window(publisher.endpoint)

    qtbot.waitUntil(lambda: bool(window.trends.strips))
    size = window.trends.strips[0]
    assert size.strip.name == "domain size"
    drawn = _drawn(size.curve)[1]
    assert np.isnan(drawn[0])
    assert np.isfinite(drawn[-1])
    assert _drawn(size.rug)[0].size == 2 * int(np.isnan(drawn).sum())


def test_problems_are_red_words_and_no_dialog(qtbot, publisher, open_window, qapp) -> None:
    publisher.status = example_status(500, problems=("the disk is full",))

    window = open_window(publisher.endpoint)

    qtbot.waitUntil(lambda: window.problems.isVisible())
    assert window.problems.text() == "the disk is full"
    assert qapp.activeModalWidget() is None


def test_a_mark_reaches_the_daemon_and_comes_back_as_a_line(qtbot, publisher, open_window) -> None:
    _fill(publisher, 5)
    window = open_window(publisher.endpoint)
    qtbot.waitUntil(lambda: window.session.newest.connected)

    window.act("mark")
    qtbot.keyClicks(window.mark_line, "heater on")
    qtbot.keyClick(window.mark_line, _enter())

    qtbot.waitUntil(lambda: publisher.marks == ["heater on"])
    qtbot.waitUntil(lambda: "heater on" in [e.text for e in window.session.newest.events])
    assert not window.mark_line.isVisible()


def test_the_detector_shows_masked_pixels_as_absent(qtbot, publisher, open_window) -> None:
    window = open_window(publisher.endpoint)
    qtbot.waitUntil(lambda: window.session.newest.connected)
    image = ring_image(3, 0.5)

    publisher.show(3, image)

    qtbot.waitUntil(lambda: window.detector.image.image is not None)
    np.testing.assert_array_equal(window.detector.image.image == 0, np.isnan(image))
    bright = window.detector.image.image[np.isfinite(image)]
    assert np.median(bright) > 40


def test_events_and_the_theme_change_without_a_restart(qtbot, publisher, open_window) -> None:
    _fill(publisher, 5)
    window = open_window(publisher.endpoint)
    qtbot.waitUntil(lambda: window.map.image.image is not None)
    publisher.happened(Event(kind="onset", time=START + 0.2, text="", run="hfo2_growth"))
    words = "the domains have 40 Å"
    found = Event(kind="finding", time=START + 0.3, text=words, run="hfo2_growth")
    publisher.happened(found)
    qtbot.waitUntil(lambda: len(window.session.newest.events) == 2)
    state = window.session.newest
    lines = event_lines(state, scale_of(state.history))
    assert [line.text for line in lines] == ["onset", words]
    light = window.grab().toImage().pixelColor(3, 300).lightness()

    window.act("theme")

    dark = window.grab().toImage().pixelColor(3, 300).lightness()
    assert dark < 80 < light
    # sheets are windows of their own
    assert window.keys.grab().toImage().pixelColor(3, 3).lightness() < 80


@pytest.mark.parametrize(
    "name", ["pause", "older", "newer", "first", "scope", "map", "fit", "help"]
)
def test_every_key_works_before_any_data_have_come(name: str, open_window) -> None:
    window = open_window("tcp://127.0.0.1:9")

    window.act(name)
    window.act(name)


def test_a_picture_is_written(qtbot, publisher, open_window, tmp_path) -> None:
    from livepdf_gui.qt import QtGui

    _fill(publisher, 5)
    window = open_window(publisher.endpoint)
    qtbot.waitUntil(lambda: window.map.image.image is not None)

    window.picture(tmp_path / "window.png")

    assert QtGui.QImage(str(tmp_path / "window.png")).width() >= 1600


def _point(x: float, y: float):
    from livepdf_gui.qt import QtCore

    return QtCore.QPointF(x, y)


def _left():
    from livepdf_gui.qt import QtCore

    return QtCore.Qt.LeftButton


def _enter():
    from livepdf_gui.qt import QtCore

    return QtCore.Qt.Key_Return
