"""The window: header, banners and panels, and the keys that change what they show."""

import time
from pathlib import Path

from livepdf_gui.follower import Follower
from livepdf_gui.qt import QtCore, QtGui, QtWidgets
from livepdf_gui.show.choice import ThemeName
from livepdf_gui.show.headline import Headline
from livepdf_gui.show.keys import KEYS
from livepdf_gui.show.session import Session
from livepdf_gui.widgets.curve_panel import CurvePanel
from livepdf_gui.widgets.detector_panel import DetectorPanel
from livepdf_gui.widgets.header import Banner, Counters, Header
from livepdf_gui.widgets.help import KeySheet
from livepdf_gui.widgets.map_panel import MapPanel
from livepdf_gui.widgets.paint import paint_application
from livepdf_gui.widgets.panel import Panel
from livepdf_gui.widgets.retune_sheet import RetuneSheet
from livepdf_gui.widgets.trend_panel import TrendPanel

_BUTTONS = (
    ("● Live", "live"),
    ("Ⅱ Pause", "pause"),
    ("Window / run", "scope"),
    ("G / I map", "map"),
    ("Mark", "mark"),
    ("Retune", "retune"),
    ("Light / dark", "theme"),
    ("Keys", "help"),
)
_PULL = 100
"""ms between two looks at the newest state."""


class Window(QtWidgets.QMainWindow):
    """Shows one daemon. It draws; what to draw is decided by the session."""

    def __init__(
        self,
        application: QtWidgets.QApplication,
        follower: Follower,
        *,
        endpoint: str,
        theme: ThemeName = "light",
    ) -> None:
        super().__init__()
        self._application = application
        self.setWindowTitle(f"livepdf  {endpoint}")
        self._follower = follower
        self.session = Session(endpoint, theme=theme)
        self._make_panels()
        self._lay_out()
        self._make_menu()
        self._paint()
        self.refresh()
        self._timer = QtCore.QTimer(self)
        self._timer.timeout.connect(self.refresh)
        self._timer.start(_PULL)

    def refresh(self) -> None:
        """Pull the newest state; draw all panels of it together, if anything changed."""
        now = time.monotonic()
        self.session.take(self._follower.newest())
        if not self.session.changed():
            self._draw_head(self.session.headline(now=now))
            return
        view = self.session.view(now=now)
        self._follower.want(view.shown.fetch)
        self.iq.draw(view.iq)
        self.gr.draw(view.gr)
        self._draw_draft()
        self.map.draw(view)
        self.trends.draw(view)
        self.detector.draw(view.detector, view.waiting)
        self.counters.draw(view.counters, self.session.theme)
        self.counters_panel.say_empty("" if view.counters else view.waiting)
        self._draw_head(view.headline)

    def act(self, name: str) -> None:
        """Carry out one of the keys."""
        match name:
            case "help":
                self.keys.setVisible(not self.keys.isVisible())
            case "retune":
                self.retune.open_sheet()
            case "mark":
                self.mark_line.setVisible(True)
                self.mark_line.setFocus()
            case "screenshot":
                self._save_picture()
            case "fit":
                for panel in (self.iq, self.gr, self.map, self.trends, self.detector):
                    panel.fit()
                self._redraw()
            case "quit":
                self.close()
            case _:
                self.session.act(name)
                if name == "theme":
                    self._paint()
                self.refresh()

    def picture(self, path: Path) -> None:
        """Write the window as it is to a PNG."""
        self._redraw()
        QtWidgets.QApplication.processEvents()
        if not self.grab().save(str(path), "PNG"):
            raise OSError(f"the picture cannot be written to {path}")

    def closeEvent(self, event: QtGui.QCloseEvent | None) -> None:  # noqa: N802  Qt's name
        """Stop looking; the daemon is not concerned."""
        self._timer.stop()
        super().closeEvent(event)

    def _draw_draft(self) -> None:
        state = self.session.state
        self.retune.draw(state, self.session.choice.selected)
        draft = state.draft
        self.gr.draw_draft(None if draft is None else draft.curve("gr"))
        self.iq.draw_draft(None if draft is None else draft.curve("iq"))

    def _redraw(self) -> None:
        self.session.forget()
        self.refresh()

    def _draw_head(self, headline: Headline) -> None:
        self.header.draw(headline, self.session.theme)
        problems = (*headline.problems, self.session.newest.complaint)
        self.problems.say("\n".join(p for p in problems if p))
        self.display.say(self.session.banner())

    def _make_panels(self) -> None:
        self.header = Header()
        self.problems, self.display = Banner("problems"), Banner("display")
        self.iq = CurvePanel("iq", "Scattered intensity I(Q)")
        self.gr = CurvePanel("gr", "Pair distribution G(r)")
        self.detector = DetectorPanel()
        self.counters = Counters()
        self.counters_panel = Panel("Frames", self.counters)
        self.map = MapPanel(self._select)
        self.trends = TrendPanel(
            time_plot=self.map.plot,
            select=self._select,
            toggle=self.session.toggle_trend,
            overlay=self.session.overlay,
        )
        self.keys = KeySheet(self)
        self.retune = RetuneSheet(self, ask=self._follower.tune)
        self._said = QtWidgets.QStatusBar()
        self._said.setVisible(False)
        self._said.messageChanged.connect(lambda text: self._said.setVisible(bool(text)))
        self.setStatusBar(self._said)
        self.mark_line = QtWidgets.QLineEdit()
        self.mark_line.setPlaceholderText("Mark: what happened now?  Enter writes it, Esc leaves")
        self.mark_line.setVisible(False)
        self.mark_line.returnPressed.connect(self._mark)

    def _lay_out(self) -> None:
        beside = _splitter(QtCore.Qt.Horizontal, (self.detector, 5), (self.counters_panel, 4))
        left = _splitter(QtCore.Qt.Vertical, (self.gr, 5), (self.iq, 4), (beside, 4))
        right = _splitter(QtCore.Qt.Vertical, (self.map, 5), (self.trends, 6))
        both = _splitter(QtCore.Qt.Horizontal, (left, 6), (right, 7))
        centre = QtWidgets.QWidget()
        layout = QtWidgets.QVBoxLayout(centre)
        layout.setContentsMargins(6, 4, 6, 6)
        layout.setSpacing(5)
        for widget in (self.header, self.problems, self.display, self.mark_line):
            layout.addWidget(widget)
        layout.addWidget(both, 1)
        self.setCentralWidget(centre)

    def _make_menu(self) -> None:
        bar = QtWidgets.QMenuBar()
        self.setMenuBar(bar)
        menu = QtWidgets.QMenu("&Show", bar)
        bar.addMenu(menu)
        for name, key, words in KEYS:
            action = QtWidgets.QAction(words, self)
            action.setShortcut(QtGui.QKeySequence(key))
            action.triggered.connect(lambda _, n=name: self.act(n))
            menu.addAction(action)
        escape = QtWidgets.QShortcut(QtGui.QKeySequence("Esc"), self.mark_line)
        escape.setContext(QtCore.Qt.WidgetShortcut)
        escape.activated.connect(self._leave_mark)
        for words, name in _BUTTONS:
            button = QtWidgets.QAction(words, self)
            button.triggered.connect(lambda _, n=name: self.act(n))
            bar.addAction(button)

    def _paint(self) -> None:
        theme = self.session.theme
        paint_application(self._application, theme)
        self.iq.paint(theme, theme.curves[1])
        self.gr.paint(theme, theme.curves[0])
        self.map.paint(theme)
        self.trends.paint(theme)
        self.detector.paint(theme)
        self.session.forget()

    def _select(self, place: float) -> None:
        self.session.select_place(place)
        self.refresh()

    def _mark(self) -> None:
        text = self.mark_line.text().strip()
        if text:
            self._follower.mark(text)
        self._leave_mark()

    def _leave_mark(self) -> None:
        self.mark_line.clear()
        self.mark_line.setVisible(False)

    def _save_picture(self) -> None:
        run = self.session.newest.status.run if self.session.newest.status else ""
        path = Path.cwd() / f"livepdf_{run or 'window'}_{time.strftime('%Y%m%d_%H%M%S')}.png"
        self.picture(path)
        self._said.showMessage(f"picture saved: {path}", 8000)


def _splitter(
    direction: QtCore.Qt.Orientation, *parts: tuple[QtWidgets.QWidget, int]
) -> QtWidgets.QSplitter:
    splitter = QtWidgets.QSplitter(direction)
    splitter.setChildrenCollapsible(False)
    for place, (part, share) in enumerate(parts):
        splitter.addWidget(part)
        splitter.setStretchFactor(place, share)
    splitter.setSizes([share * 1000 for _, share in parts])
    return splitter
