"""The pages of shots in the window, with whole daemons and real sockets behind it."""

from pathlib import Path

import numpy as np

from tests.daemon import beamline
from tests.daemon.conftest import bench
from tests.gui.shots_samples import breakdown_report, laser_report, serial_report

__all__ = ["bench"]
LONG = 60_000
TABLE = """
[pump_probe]
laser = { name = "laser" }
i0 = { name = "monitor", low = 10.0 }
delay = [{ name = "stage", unit = "mm", sign = 1, reference = 5.0 }]
bins = { edges = [-10.0, 0.0, 10.0, 20.0], unit = "ps" }
interval = 0.2
"""
SHOTS = 192


def _shot(index: int):
    place = 5.0 + (0.7 if index % 4 == 0 else -0.7)
    values = {"laser": float(index % 2 == 0), "stage": place}
    return beamline.frame(index, monitor=1000.0, environment=values)


def test_a_run_with_a_laser_is_seen_bin_by_bin_with_its_own_sigma(
    qtbot, bench, open_window, tmp_path: Path
) -> None:
    daemon = bench(more=TABLE)
    window = open_window(daemon.service.address)
    qtbot.waitUntil(lambda: window.session.newest.connected, timeout=LONG)
    assert not window.shots.bar.isVisible()

    daemon.source.put(beamline.start(), *(_shot(n) for n in range(SHOTS)), beamline.end())
    qtbot.waitUntil(lambda: _received(window) == SHOTS, timeout=LONG)
    qtbot.waitUntil(window.shots.bar.isVisible, timeout=LONG)
    window.act("shots")

    report, page = window.session.newest.laser, window.shots.made["laser"]
    assert page.isVisible()
    window.act("first")
    for number in range(3):
        _shows(page, report, number)
        window.act("newer")
    assert "no shot with the laser has this" in page.iq.board.empty.lower()
    assert (page.map.image.image[:, 2] == 0).all()
    window.act("older")
    window.act("axis")
    window.act("map")
    window.act("difference")
    assert page.map.view.symbol == "ΔG"
    window.save("table this-delay", tmp_path / "delay.csv")
    window.save("panel laser-map", tmp_path / "map.svg")
    window.save("panel laser-iq", tmp_path / "iq.png")
    window.save("table laser-gr", tmp_path / "gr.csv")
    assert window.problems.text() == ""
    assert "σ difference" in (tmp_path / "delay.csv").read_text(encoding="utf-8")
    assert "<svg" in (tmp_path / "map.svg").read_text()


def _shows(page, report, number: int) -> None:
    """See that the panel draws that bin's difference with its σ."""
    view = page.page.choice
    assert view.bin == number
    if number == 2:
        return
    drawn = page.iq.plots[1].drawn[0]
    np.testing.assert_array_equal(drawn.curve.getData()[1], report.diq[number].astype(float))
    assert page.gr.plots[1].chart.series[0].y.shape == report.r.shape
    known = np.isfinite(report.diq_sigma[number])
    high = page.iq.plots[1].chart.series[0].high
    wanted = report.diq[number] + report.diq_sigma[number]
    np.testing.assert_allclose(high[known], wanted[known], rtol=1e-6)


def _received(window) -> int:
    report = window.session.newest.laser
    return 0 if report is None else report.counts.received


def test_every_page_is_drawn_in_every_theme_and_paused_with_the_rest(
    qtbot, publisher, open_window
) -> None:
    window = open_window(publisher.endpoint)
    qtbot.waitUntil(lambda: window.session.newest.connected, timeout=LONG)
    for report in (laser_report(), serial_report(), breakdown_report()):
        publisher.report(report)
    qtbot.waitUntil(lambda: window.session.newest.breakdown is not None, timeout=LONG)

    for name in ("laser", "serial", "breakdown"):
        window.act("shots")
        assert window.shots.pages.page == name
        for _ in range(3):
            window.act("theme")
        window.act("panel 1")
        shown = [not p.isHidden() for p in window.shots.made[name].panels.values()]
        assert shown.count(True) == 1
        window.act("panel 1")
        window.act("fit")
        assert all(p.isVisible() for p in window.shots.made[name].panels.values())
    window.act("pause")
    publisher.report(laser_report(run="run8"))
    qtbot.waitUntil(lambda: window.session.newest.laser.run == "run8", timeout=LONG)
    assert window.session.state.laser.run == "run7"
    window.act("shots")
    assert window.shots.pages.page == "overview"
    assert window.gr.isVisible()


def test_a_click_in_the_map_shows_that_delay_in_all_panels(qtbot, publisher, open_window) -> None:
    from livepdf_gui.qt import QtCore

    window = open_window(publisher.endpoint)
    qtbot.waitUntil(lambda: window.session.newest.connected, timeout=LONG)
    publisher.report(laser_report())
    qtbot.waitUntil(window.shots.bar.isVisible, timeout=LONG)
    window.act("shots")
    page = window.shots.made["laser"]
    qtbot.waitUntil(lambda: page.map.image.image is not None, timeout=LONG)

    box = page.map.plot.getPlotItem().vb
    place = page.map.plot.mapFromScene(box.mapViewToScene(QtCore.QPointF(1.5, 4.0)))
    qtbot.mouseClick(page.map.plot.viewport(), QtCore.Qt.LeftButton, pos=place)

    assert page.page.choice.bin == 1
    assert page.slider.value() == 1
    assert "bin 2 of 5" in page.iq.board.over
    page.slider.setValue(3)
    assert "bin 4 of 5" in page.gr.board.over
    assert page.map.view.chosen == 3.5


def test_asking_for_shots_where_there_are_none_says_what_to_do(open_window) -> None:
    window = open_window("tcp://127.0.0.1:9")

    window.act("shots")

    assert window.shots.bar.count() == 4
    page = window.shots.made["laser"]
    assert "[pump_probe]" in page.iq._notice.text()
    for name in ("older", "axis", "map", "fit", "difference", "shots", "shots", "shots"):
        window.act(name)
    assert window.shots.pages.page == "overview"
    assert not window.shots.bar.isVisible()
