"""The window: header, banners and panels, and the keys that change what they show."""

import time
from pathlib import Path

from livepdf_gui.follower import Follower
from livepdf_gui.qt import QtCore, QtGui, QtWidgets
from livepdf_gui.show import memory
from livepdf_gui.show.choice import ThemeName
from livepdf_gui.show.headline import Headline
from livepdf_gui.show.keys import KEYS
from livepdf_gui.show.reference import STRUCTURES, UnusableReferenceError, read_reference
from livepdf_gui.show.session import Session
from livepdf_gui.show.tasks import Act, Calculate
from livepdf_gui.widgets.curve_panel import CurvePanel
from livepdf_gui.widgets.detector_panel import DetectorPanel
from livepdf_gui.widgets.filing import save_as
from livepdf_gui.widgets.header import Banner, Counters, Header
from livepdf_gui.widgets.help import KeySheet
from livepdf_gui.widgets.map_panel import MapPanel
from livepdf_gui.widgets.menus import make_act_menu, make_save_menu
from livepdf_gui.widgets.paint import paint_window
from livepdf_gui.widgets.panel import Panel
from livepdf_gui.widgets.retune_sheet import RetuneSheet
from livepdf_gui.widgets.shots_pages import ShotsPagesView
from livepdf_gui.widgets.splitters import splitter
from livepdf_gui.widgets.trend_panel import TrendPanel

_BUTTONS = (
    ("● Live", "live"),
    ("Ⅱ Pause", "pause"),
    ("Window / run", "scope"),
    ("I S F", "curve"),
    ("Map kind", "map"),
    ("Axis", "axis"),
    ("Pin", "pin"),
    ("Mark", "mark"),
    ("Retune", "retune"),
    ("Theme", "theme"),
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
        remembered: memory.Memory | None = None,
        keep: Path | None = None,
    ) -> None:
        """Make it.

        Parameters
        ----------
        remembered
            How it was left the last time.
        keep
            File that it is remembered in when it is closed; None remembers nothing.
        """
        super().__init__()
        self._application = application
        self._endpoint, self._keep = endpoint, keep
        self._own_complaint, self._last_said = "", ""
        self._said = QtWidgets.QStatusBar()
        self.setWindowTitle(f"livepdf  {endpoint}")
        self._follower = follower
        self.session = Session(endpoint, theme=theme)
        if remembered is not None:
            memory.restore(self.session, remembered.wishes)
        self._make_panels()
        self._lay_out()
        self._make_menu()
        self._resize(remembered)
        self._paint()
        self.refresh()
        self._timer = QtCore.QTimer(self)
        self._timer.timeout.connect(self.refresh)
        self._timer.start(_PULL)

    def refresh(self) -> None:
        """Pull the newest state; draw all panels of it together, if anything changed."""
        now = time.monotonic()
        self.session.take(self._follower.newest())
        self._tell_done()
        self._look_closer()
        self.shots.draw(self.session.state, self.session.theme)
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
        if self.shots.act(name):
            return
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
            case "save":
                self._pop_up(self._save_menu)
            case "act":
                self._pop_up(self._act_menu)
            case "open":
                self._choose_reference()
            case "control":
                holds = self.session.newest.in_control
                self._follower.ask(Act(deed="leave control" if holds else "take control"))
            case "full":
                self.setWindowState(self.windowState() ^ QtCore.Qt.WindowFullScreen)
            case "unpin":
                self.session.act(name)
                self._follower.forget_structures()
                self.refresh()
            case panel if panel.startswith("panel "):
                self._show_alone(self._panels[int(panel.removeprefix("panel ")) - 1])
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
        """Stop looking and remember how it was; the daemon is not concerned."""
        self._timer.stop()
        if self._keep is not None:
            self._remember(self._keep)
        super().closeEvent(event)

    def open_reference(self, path: Path) -> None:
        """Lay a file over the curves: columns at once, a structure when it is calculated."""
        self._own_complaint = ""
        try:
            text = path.read_text(encoding="utf-8", errors="replace")
            if path.suffix.lower() in STRUCTURES:
                self._follower.ask(Calculate(name=path.name, text=text))
            else:
                self.session.compare_with(read_reference(path.name, text))
        except (OSError, UnusableReferenceError) as error:
            self._own_complaint = str(error)
        self.refresh()

    def save(self, what: str, path: Path) -> None:
        """Write what a name of the menu stands for; a failure is said in the banner."""
        self._own_complaint = ""
        try:
            said = self.shots.save(what, path) or save_as(
                what,
                path,
                view=self.session.view(now=time.monotonic()),
                panels=self._panel_by_name,
                ask=self._follower.ask,
            )
            if said:
                self._said.showMessage(said, 8000)
        except OSError as error:
            self._own_complaint = str(error)
        self.refresh()

    def dragEnterEvent(self, event: QtGui.QDragEnterEvent | None) -> None:  # noqa: N802  Qt's name
        """Take files that are dropped."""
        data = None if event is None else event.mimeData()
        if event is not None and data is not None and data.hasUrls():
            event.acceptProposedAction()

    def dropEvent(self, event: QtGui.QDropEvent | None) -> None:  # noqa: N802  Qt's name
        """Lay each dropped file over the curves."""
        data = None if event is None else event.mimeData()
        for url in [] if data is None else data.urls():
            self.open_reference(Path(url.toLocalFile()))

    def _choose_save(self, what: str) -> None:
        known = {"curves": ".gr", "chi": ".chi", "trends": ".csv", "table": ".csv"}
        suffix = known.get(what.split()[0], ".png")
        run = self.session.newest.status.run if self.session.newest.status else ""
        proposed = Path.cwd() / f"{run or 'livepdf'}_{what.split()[-1]}{suffix}"
        path, _ = QtWidgets.QFileDialog.getSaveFileName(self, "Save", str(proposed))
        if path:
            self.save(what, Path(path))

    def _choose_reference(self) -> None:
        known = "Curves and structures (*.gr *.fq *.sq *.iq *.chi *.xy *.dat *.cif);;All files (*)"
        path, _ = QtWidgets.QFileDialog.getOpenFileName(self, "Compare with", "", known)
        if path:
            self.open_reference(Path(path))

    def _pop_up(self, menu: QtWidgets.QMenu) -> None:
        menu.popup(self.mapToGlobal(QtCore.QPoint(self.width() // 3, self.height() // 4)))

    def _show_alone(self, panel: QtWidgets.QWidget) -> None:
        """Give one panel the whole window; the same again gives all of them their place."""
        alone = all(p is panel or p.isHidden() for p in self._panels)
        for other in self._panels:
            other.setVisible(alone or other is panel)
        for part in self._splitters:
            inside = [p for p in self._panels if part.isAncestorOf(p)]
            part.setVisible(any(not p.isHidden() for p in inside))

    def _point(self, place: float | None) -> None:
        """Show one moment in all panels that have a time axis."""
        self.map.point(place)
        self.trends.point(place)

    def _look_closer(self) -> None:
        """Ask for full resolution where the map was zoomed."""
        seen = self.map.windows_in_view()
        wanted = None if seen is None else self.session.zoomed(*seen)
        if wanted is not None:
            self._follower.zoom(wanted)

    def _tell_done(self) -> None:
        said = self.session.newest.said
        if said and said != self._last_said:
            self._said.showMessage(said, 8000)
        self._last_said = said

    def _remember(self, path: Path) -> None:
        kept = memory.Memory(
            wishes=memory.wishes_of(self.session),
            size=(self.width(), self.height()),
            splitters=tuple(tuple(s.sizes()) for s in self._splitters),
            endpoint=self._endpoint,
        )
        try:
            memory.remember(path, kept)
        except OSError as error:
            # nothing is lost but the look of the window
            self._said.showMessage(f"{path}: {error}")

    def _resize(self, remembered: memory.Memory | None) -> None:
        if remembered is None:
            return
        if remembered.size is not None:
            self.resize(*remembered.size)
        if len(remembered.splitters) == len(self._splitters):
            for part, sizes in zip(self._splitters, remembered.splitters, strict=True):
                if len(sizes) == part.count() and sum(sizes) > 0:
                    part.setSizes(list(sizes))

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
        problems = (*headline.problems, self.session.newest.complaint, self._own_complaint)
        self.problems.say("\n".join(p for p in problems if p))
        self.display.say(self.session.banner())

    def _make_panels(self) -> None:
        self.header = Header()
        colours = QtGui.QPalette
        self.problems = Banner(points=12.0, ground=colours.LinkVisited, text=colours.BrightText)
        self.display = Banner(points=11.0, ground=colours.Highlight, text=colours.HighlightedText)
        self.iq = CurvePanel("iq", "Scattered intensity I(Q)")
        self.gr = CurvePanel("gr", "Pair distribution G(r)")
        self.detector = DetectorPanel()
        self.counters = Counters()
        self.counters_panel = Panel("Frames", self.counters)
        self.map = MapPanel(self._select, hovered=self._point)
        self.trends = TrendPanel(
            time_plot=self.map.plot,
            select=self._select,
            toggle=self.session.toggle_trend,
            overlay=self.session.overlay,
            hovered=self._point,
        )
        self._panels = (
            *(self.gr, self.iq, self.detector),
            *(self.counters_panel, self.map, self.trends),
        )
        self._panel_by_name = {
            "gr": self.gr,
            "iq": self.iq,
            "map": self.map,
            "trends": self.trends,
            "detector": self.detector,
        }
        self.keys = KeySheet(self)
        self.retune = RetuneSheet(self, ask=self._follower.tune)
        self._said.setVisible(False)
        self._said.messageChanged.connect(lambda text: self._said.setVisible(bool(text)))
        self.setStatusBar(self._said)
        self.mark_line = QtWidgets.QLineEdit()
        self.mark_line.setPlaceholderText("Mark: what happened now?  Enter writes it, Esc leaves")
        self.mark_line.setVisible(False)
        self.mark_line.returnPressed.connect(self._mark)

    def _lay_out(self) -> None:
        beside = splitter(QtCore.Qt.Horizontal, (self.detector, 5), (self.counters_panel, 4))
        left = splitter(QtCore.Qt.Vertical, (self.gr, 5), (self.iq, 4), (beside, 4))
        right = splitter(QtCore.Qt.Vertical, (self.map, 5), (self.trends, 6))
        both = splitter(QtCore.Qt.Horizontal, (left, 6), (right, 7))
        self._splitters = (beside, left, right, both)
        self.setAcceptDrops(True)
        centre = QtWidgets.QWidget()
        layout = QtWidgets.QVBoxLayout(centre)
        layout.setContentsMargins(6, 4, 6, 6)
        layout.setSpacing(5)
        for widget in (self.header, self.problems, self.display, self.mark_line):
            layout.addWidget(widget)
        self.shots = ShotsPagesView(both)
        layout.addWidget(self.shots, 1)
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
        self._act_menu = make_act_menu(bar, self._follower.ask)
        self._save_menu = make_save_menu(bar, self._choose_save)
        self.shots.add_saves(self._save_menu, self._choose_save)
        bar.addMenu(self._act_menu)
        bar.addMenu(self._save_menu)
        escape = QtWidgets.QShortcut(QtGui.QKeySequence("Esc"), self.mark_line)
        escape.setContext(QtCore.Qt.WidgetShortcut)
        escape.activated.connect(self._leave_mark)
        for words, name in _BUTTONS:
            button = QtWidgets.QAction(words, self)
            button.triggered.connect(lambda _, n=name: self.act(n))
            bar.addAction(button)

    def _paint(self) -> None:
        theme = self.session.theme
        paint_window(self, theme)
        self.iq.paint(theme, theme.curves[1])
        self.gr.paint(theme, theme.curves[0])
        self.map.paint(theme)
        self.trends.paint(theme)
        self.detector.paint(theme)
        self.shots.paint(theme)
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
