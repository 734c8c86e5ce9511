"""Everything that the window asks of a daemon, with a whole one behind it."""

from pathlib import Path

import numpy as np

from livepdf.files.columns import read_columns
from tests.daemon import beamline
from tests.daemon.conftest import bench
from tests.daemon.test_retune import begun

__all__ = ["bench"]
LONG = 60_000


def _open(qtbot, bench, open_window, windows: int = 5, **settings):
    daemon, client = begun(bench, windows, **settings)
    window = open_window(daemon.service.address)
    qtbot.waitUntil(lambda: _windows(window) == windows, timeout=LONG)
    qtbot.waitUntil(lambda: window.session.newest.latest is not None, timeout=LONG)
    return daemon, client, window


def _windows(window) -> int:
    history = window.session.newest.history
    return 0 if history is None else int(history.here.sum())


def test_a_late_window_has_the_run_at_once_and_goes_on_with_the_stream(
    qtbot, bench, open_window
) -> None:
    daemon, client, window = _open(qtbot, bench, open_window, 7)

    daemon.source.put(*(beamline.frame(n) for n in range(7, 9)))

    qtbot.waitUntil(lambda: _windows(window) == 9, timeout=LONG)
    history = window.session.newest.history
    assert set(history.layers) == {"iq", "fq", "gr"}
    for number in (2, 8):
        whole = client.window(number).curve("gr")
        found = np.interp(history.layers["gr"].x, whole.x, whole.y)
        np.testing.assert_allclose(history.layers["gr"].row(number), found, atol=1e-4)
    for kind in ("gr", "dgr", "iq", "fq"):
        view = window.session.view(now=0.0)
        assert (view.map is None) == (kind == "dgr")
        window.act("map")


def test_curves_trends_and_panels_are_saved(qtbot, bench, open_window, tmp_path: Path) -> None:
    _, client, window = _open(qtbot, bench, open_window)

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
    whole = client.window(4).curve("gr")
    np.testing.assert_allclose(written.y, whole.y[np.isfinite(whole.y)], rtol=1e-5, atol=1e-6)
    assert "qmax = 18" in (tmp_path / "now.gr").read_text()
    assert (tmp_path / "now.csv").read_text().startswith("window,time (Unix s)")
    assert (tmp_path / "map.png").read_bytes().startswith(b"\x89PNG")
    assert "<svg" in (tmp_path / "gr.svg").read_text()
    assert window.problems.text() == ""
