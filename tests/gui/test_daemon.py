"""Everything that the window asks of a daemon, with a whole one behind it."""

import re
from pathlib import Path

import numpy as np

from livepdf.files.columns import read_columns
from livepdf.wire.viewing import Viewing
from tests.gui.beamtime import Beamtime

LONG = 120_000
NICKEL = """data_ni
_cell_length_a 3.5238
_cell_length_b 3.5238
_cell_length_c 3.5238
_cell_angle_alpha 90
_cell_angle_beta 90
_cell_angle_gamma 90
_symmetry_space_group_name_H-M 'F m -3 m'
loop_
_atom_site_label
_atom_site_type_symbol
_atom_site_fract_x
_atom_site_fract_y
_atom_site_fract_z
Ni1 Ni 0 0 0
"""


def attend(qtbot, beamtime: Beamtime, open_window):
    """Open a window and wait until it has all there is.

    No fixture: pytest would hold the window longer than the look at what was left behind.
    """
    window = open_window(beamtime.endpoint)
    qtbot.waitUntil(lambda: _windows(window) == beamtime.frames, timeout=LONG)
    qtbot.waitUntil(lambda: window.session.newest.latest is not None, timeout=LONG)
    return window


def _windows(window) -> int:
    history = window.session.newest.history
    return 0 if history is None else int(history.here.sum())


def _place(plot, x: float):
    """Return where a place on the time axis is in the plot's own pixels."""
    from livepdf_gui.qt import QtCore

    box = plot.getPlotItem().vb
    middle = sum(box.viewRange()[1]) / 2
    return plot.mapFromScene(box.mapViewToScene(QtCore.QPointF(x, middle)))


def _drag_with_shift(plot, begin, end) -> None:
    from livepdf_gui.qt import QtCore, QtGui, QtWidgets

    def send(kind, where, buttons) -> None:
        button = QtCore.Qt.LeftButton if kind != QtCore.QEvent.MouseMove else QtCore.Qt.NoButton
        event = QtGui.QMouseEvent(
            kind, QtCore.QPointF(where), button, buttons, QtCore.Qt.ShiftModifier
        )
        QtWidgets.QApplication.sendEvent(plot.viewport(), event)

    left, none = QtCore.Qt.LeftButton, QtCore.Qt.NoButton
    send(QtCore.QEvent.MouseButtonPress, begin, left)
    for share in (0.3, 0.7, 1.0):
        send(QtCore.QEvent.MouseMove, begin + (end - begin) * share, left)
    send(QtCore.QEvent.MouseButtonRelease, end, none)


def _do(window, deed: str) -> None:
    from livepdf_gui.show.tasks import Act

    window._follower.ask(Act(deed=deed))


def test_a_late_window_has_the_run_at_once_and_goes_on_with_the_stream(
    qtbot, beamtime, open_window
) -> None:
    window = attend(qtbot, beamtime, open_window)
    before = beamtime.frames

    beamtime.measure(2)

    qtbot.waitUntil(lambda: _windows(window) == before + 2, timeout=LONG)
    history = window.session.newest.history
    assert set(history.layers) == {"iq", "fq", "gr"}
    for number in (2, before + 1):
        layer, whole = history.layers["iq"], beamtime.client.window(number).curve("iq")
        here = np.isfinite(whole.y)
        np.testing.assert_allclose(layer.row(number)[here], whole.y[here], rtol=1e-6)
    for kind in ("gr", "dgr", "iq", "fq"):
        view = window.session.view(now=0.0)
        assert (view.map is None) == (kind == "dgr")
        window.act("map")


def test_a_structure_lies_over_the_curve_with_its_bonds_and_rings(
    qtbot, beamtime, open_window, tmp_path: Path
) -> None:
    window = attend(qtbot, beamtime, open_window)
    (tmp_path / "nickel.cif").write_text(NICKEL)

    window.open_reference(tmp_path / "nickel.cif")

    qtbot.waitUntil(lambda: bool(window.session.newest.references), timeout=LONG)
    window.refresh()
    view = window.session.view(now=0.0)
    assert [one.name for one in view.gr.compared] == ["nickel.cif"]
    assert view.gr.markers[0][1] == "Ni–Ni"
    assert abs(view.gr.markers[0][0] - 3.5238 / np.sqrt(2)) < 1e-3
    window.act("fit")
    window.refresh()
    assert window.gr.below.isVisible()
    window.act("unpin")
    qtbot.waitUntil(lambda: not window.session.newest.references, timeout=LONG)
    qtbot.waitUntil(lambda: not window.gr.below.isVisible(), timeout=LONG)


def test_a_file_that_is_no_structure_is_refused_in_words_and_no_dialog(
    qtbot, beamtime, open_window, tmp_path: Path, qapp
) -> None:
    window = attend(qtbot, beamtime, open_window)
    (tmp_path / "bad.cif").write_text("nonsense")
    (tmp_path / "bad.gr").write_text("nonsense")

    window.open_reference(tmp_path / "bad.gr")
    qtbot.waitUntil(lambda: "bad.gr: found 0 rows" in window.problems.text(), timeout=LONG)
    window.open_reference(tmp_path / "bad.cif")

    qtbot.waitUntil(lambda: "CIF" in window.problems.text(), timeout=LONG)
    assert qapp.activeModalWidget() is None


def test_the_detector_tells_angles_saturation_and_rings(qtbot, beamtime, open_window) -> None:
    window = attend(qtbot, beamtime, open_window)
    from livepdf_gui.show.detector import readout

    qtbot.waitUntil(lambda: window.session.newest.angles is not None, timeout=LONG)
    window.session.rings = "CeO2"

    window.refresh()

    view = window.session.view(now=0.0).detector
    assert view.over is not None
    assert view.saturated is not None
    assert view.angles.q.shape == view.counts.shape
    said = readout(view, 3, 3)
    assert "Q = " in said
    assert "2θ = " in said
    # 1 mm pixels, 80 mm away, beam at row 60 and column 50; λ 0.2 Å
    two_theta = np.arctan(np.hypot(3.5 - 60.0, 3.5 - 50.0) / 80.0)
    expected = 4 * np.pi * np.sin(two_theta / 2) / 0.2
    assert abs(view.angles.q[3, 3] - expected) < 1e-3 * expected


def test_a_cluster_is_calculated_and_laid_over_g(
    qtbot, beamtime, open_window, tmp_path: Path
) -> None:
    window = attend(qtbot, beamtime, open_window)
    corners = [(1.77, 0, 0), (-1.77, 0, 0), (0, 1.77, 0), (0, -1.77, 0), (0, 0, 1.77)]
    rows = "\n".join(f"Ni {x} {y} {z}" for x, y, z in corners)
    (tmp_path / "cluster.xyz").write_text(f"5\n\n{rows}\n")

    window.open_reference(tmp_path / "cluster.xyz")

    qtbot.waitUntil(lambda: bool(window.session.newest.references), timeout=LONG)
    view = window.session.view(now=0.0)
    assert [one.name for one in view.gr.compared] == ["cluster.xyz"]
    window.act("unpin")


def test_a_gr_file_follows_the_recipe_of_the_data(
    qtbot, beamtime, open_window, tmp_path: Path
) -> None:
    window = attend(qtbot, beamtime, open_window)
    client = beamtime.client
    _, text = Viewing(client.ask).export(window.session.newest.history.run, 0, "gr")
    (tmp_path / "before.gr").write_text(text)

    def words() -> str:
        window.refresh()
        return " ".join(one.words for one in window.session.view(now=0.0).gr.compared)

    window.open_reference(tmp_path / "before.gr")

    qtbot.waitUntil(lambda: "before.gr" in words(), timeout=LONG)
    assert "brought" not in words()
    client.retune.apply({"reduction.qmax": 10.0}, again="whole")
    try:
        qtbot.waitUntil(lambda: "brought to Q" in words(), timeout=LONG)
    finally:
        client.retune.undo(again="whole")
    qtbot.waitUntil(lambda: "before.gr" in words() and "brought" not in words(), timeout=LONG)
    # what ends below the Qmax of the recipe goes, and it is said why
    (tmp_path / "short.gr").write_text(re.sub(r"(?m)^qmax\s*=.*", "qmax = 9.0", text))
    window.open_reference(tmp_path / "short.gr")
    qtbot.waitUntil(lambda: "short.gr: its Qmax is" in window.problems.text(), timeout=LONG)
    window.act("unpin")
    qtbot.waitUntil(lambda: "short.gr" not in window.problems.text(), timeout=LONG)


def test_windows_marked_on_a_trend_are_shown_as_one_in_all_panels(
    qtbot, beamtime, open_window
) -> None:
    window = attend(qtbot, beamtime, open_window)
    qtbot.waitUntil(lambda: bool(window.trends.strips), timeout=LONG)
    strip = window.trends.strips[0].plot
    ends = [_place(strip, x) for x in (1.5, 4.5)]

    _drag_with_shift(strip, *ends)

    assert window.session.choice.span == (1, 4)
    qtbot.waitUntil(lambda: window.session.newest.together is not None, timeout=LONG)
    shown = window.session.view(now=0.0)
    assert shown.shown.span.frames == 4
    assert shown.chosen == (1.0, 5.0)
    assert "WINDOWS 1 TO 4 AS ONE" in shown.banner
    alone = beamtime.client.window(4).curve("gr").sigma
    assert 0.4 < np.nanmedian(shown.gr.sigma[100:] / alone[100:]) < 0.6
    window.act("live")
    assert window.session.choice.span is None
    for name in ("first", "newer", "range from", "newer", "newer"):
        window.act(name)
    assert "FROM WINDOW 1 on" in window.display.text()
    window.act("range to")
    assert window.session.choice.span == (1, 3)


def test_single_frames_are_shown_when_asked(qtbot, beamtime, open_window) -> None:
    window = attend(qtbot, beamtime, open_window)

    window.act("scope")
    assert window.session.choice.scope == "run"
    window.act("scope")

    qtbot.waitUntil(lambda: window.session.newest.frame is not None, timeout=LONG)
    view = window.session.view(now=0.0)
    assert "one frame" in view.iq.over
    assert "SINGLE FRAMES" in view.banner
    window.act("live")
    assert window.session.choice.scope == "window"


def test_zooming_the_map_brings_every_point_of_the_windows_in_view(
    qtbot, beamtime, open_window
) -> None:
    window = attend(qtbot, beamtime, open_window)
    window.map.plot.setRange(xRange=(1.0, 4.0), padding=0)
    window.map._zoomed()

    qtbot.waitUntil(lambda: window.session.newest.detail is not None, timeout=LONG)

    detail = window.session.view(now=0.0).map.detail
    assert detail.first == 1
    whole = beamtime.client.window(2).curve("gr")
    assert whole.x.size > window.session.newest.history.layers["gr"].x.size
    np.testing.assert_array_equal(detail.values[1], whole.y.astype(np.float32))
    window.refresh()
    assert window.map.fine.isVisible()


def test_one_window_holds_control_and_the_other_is_told_why_it_may_not(
    qtbot, beamtime, open_window
) -> None:
    window = attend(qtbot, beamtime, open_window)
    status = beamtime.bench.service.status
    second = open_window(beamtime.endpoint)
    qtbot.waitUntil(lambda: second.session.newest.connected, timeout=LONG)

    window.act("control")
    qtbot.waitUntil(lambda: window.session.newest.in_control, timeout=LONG)
    _do(second, "pause")

    qtbot.waitUntil(lambda: "has control" in second.problems.text(), timeout=LONG)
    assert status().state != "paused"
    qtbot.waitUntil(lambda: second.session.headline(now=0.0).control.text != "free", timeout=LONG)
    _do(second, "force control")
    qtbot.waitUntil(lambda: second.session.newest.in_control, timeout=LONG)
    _do(second, "pause")
    qtbot.waitUntil(lambda: status().state == "paused", timeout=LONG)
    _do(second, "go on")
    _do(second, "reset")
    qtbot.waitUntil(lambda: second.session.newest.said == "reset: done", timeout=LONG)
    assert status().state != "paused"
    qtbot.waitUntil(lambda: not window.session.newest.in_control, timeout=LONG)
    qtbot.waitUntil(
        lambda: any("took control" in e.text for e in window.session.newest.events), timeout=LONG
    )
    _do(second, "leave control")
    qtbot.waitUntil(lambda: not second.session.newest.in_control, timeout=LONG)


def test_a_background_is_recorded_and_used(qtbot, beamtime, open_window) -> None:
    window = attend(qtbot, beamtime, open_window)
    before = beamtime.client.retune.recipe().revision

    _do(window, "capture background")
    qtbot.waitUntil(lambda: "frames are added up" in window.session.newest.said, timeout=LONG)
    beamtime.measure(4)
    _do(window, "end capture")

    qtbot.waitUntil(lambda: "frames are saved in" in window.session.newest.said, timeout=LONG)
    assert beamtime.client.retune.recipe().revision == before + 1
    beamtime.client.retune.undo()


def test_curves_trends_and_panels_are_saved(qtbot, beamtime, open_window, tmp_path: Path) -> None:
    window = attend(qtbot, beamtime, open_window)
    window.save("curves", tmp_path / "now.gr")
    window.save("chi", tmp_path / "now.chi")
    window.save("trends", tmp_path / "now.csv")
    for name in ("gr", "iq", "map", "trends", "detector"):
        window.save(f"panel {name}", tmp_path / f"{name}.png")
        window.save(f"panel {name}", tmp_path / f"{name}.svg")

    endings = ("iq", "sq", "fq", "gr", "chi")
    files = [tmp_path / f"now.{ending}" for ending in endings]
    qtbot.waitUntil(lambda: all(f.exists() for f in files), timeout=LONG)
    written = read_columns(tmp_path / "now.gr")
    whole = beamtime.client.window(beamtime.frames - 1).curve("gr")
    np.testing.assert_allclose(written.y, whole.y[np.isfinite(whole.y)], rtol=1e-5, atol=1e-6)
    assert "qmax = 18" in (tmp_path / "now.gr").read_text()
    assert (tmp_path / "now.csv").read_text().startswith("window,time (Unix s)")
    assert (tmp_path / "map.png").read_bytes().startswith(b"\x89PNG")
    assert "<svg" in (tmp_path / "gr.svg").read_text()
    assert window.problems.text() == ""


def test_what_cannot_be_recorded_is_said(qtbot, beamtime, open_window) -> None:
    window = attend(qtbot, beamtime, open_window)

    _do(window, "begin recording")

    qtbot.waitUntil(lambda: "only a stream is recorded" in window.problems.text(), timeout=LONG)


def test_a_place_that_cannot_be_written_is_said_and_harms_nothing(
    qtbot, beamtime, open_window, tmp_path: Path
) -> None:
    window = attend(qtbot, beamtime, open_window)
    window.save("trends", tmp_path / "no" / "such" / "folder.csv")

    assert "No such file" in window.problems.text()
