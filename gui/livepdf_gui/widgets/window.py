"""The window: header, banners and panels, and the keys that change what they show."""

import time
from pathlib import Path

from livepdf_gui.follower import Follower
from livepdf_gui.qt import QtCore, QtGui, QtWidgets
from livepdf_gui.show import memory
from livepdf_gui.show.choice import ThemeName
from livepdf_gui.show.headline import Headline
from livepdf_gui.show.keys import KEYS
from livepdf_gui.show.reference import ASKED, UnusableReferenceError, read_reference
from livepdf_gui.show.session import Session
from livepdf_gui.show.tasks import Act, Calculate
from livepdf_gui.widgets.board import Board
from livepdf_gui.widgets.filing import save_as
from livepdf_gui.widgets.header import Banner, Header
from livepdf_gui.widgets.help import KeySheet
from livepdf_gui.widgets.menus import make_act_menu, make_save_menu
from livepdf_gui.widgets.paint import paint_window
from livepdf_gui.widgets.retune_sheet import RetuneSheet
from livepdf_gui.widgets.shots_pages import ShotsPagesView

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
        # it paints its ground itself: else Qt draws whatever lies on it twice when all changes
        self.setAttribute(QtCore.Qt.WA_NoSystemBackground)
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
        choice = self.session.choice
        self._follower.want(view.shown.fetch)
        self._follower.watch(frame=choice.scope == "frame", span=self.session.span_wanted())
        self.board.draw(view, self.session.theme)
        self._draw_draft()
        self._draw_head(view.headline)

    def act(self, name: str) -> None:
        """Carry out one of the keys; who presses one has read what went wrong before."""
        self._own_complaint = ""
        self._follower.complaints_seen()
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
                self.board.show_alone(int(panel.removeprefix("panel ")) - 1)
            case "fit":
                self.board.fit()
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

    def paintEvent(self, event: QtGui.QPaintEvent | None) -> None:  # noqa: N802  Qt's name
        """Paint the ground below all panels."""
        painter = QtGui.QPainter(self)
        painter.fillRect(self.rect() if event is None else event.rect(), self.palette().window())
        painter.end()

    def closeEvent(self, event: QtGui.QCloseEvent | None) -> None:  # noqa: N802  Qt's name
        """Stop looking and remember how it was; the daemon is not concerned."""
        self._timer.stop()
        if self._keep is not None:
            self._remember(self._keep)
        super().closeEvent(event)

    def open_reference(self, path: Path) -> None:
        """Lay a file over the curves: most columns at once, others when the daemon has done it."""
        self._own_complaint = ""
        try:
            text = path.read_text(encoding="utf-8", errors="replace")
            if path.suffix.lower() in ASKED:
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
                panels=self.board.by_name,
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
        curves = "*.gr *.fq *.sq *.iq *.chi *.xy *.dat"
        known = f"Curves and structures ({curves} *.cif *.xyz *.lammpstrj);;All files (*)"
        path, _ = QtWidgets.QFileDialog.getOpenFileName(self, "Compare with", "", known)
        if path:
            self.open_reference(Path(path))

    def _pop_up(self, menu: QtWidgets.QMenu) -> None:
        menu.popup(self.mapToGlobal(QtCore.QPoint(self.width() // 3, self.height() // 4)))

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
            splitters=self.board.sizes(),
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
        self.board.share(remembered.splitters)

    def _draw_draft(self) -> None:
        state = self.session.state
        self.retune.draw(state, self.session.choice.selected)
        draft = state.draft
        if draft is None:
            self.board.draw_draft(None, None)
        else:
            self.board.draw_draft(draft.curve("gr"), draft.curve("iq"))

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
        self.board = Board(self.session, select=self._select, ranged=self._select_range)
        self.gr, self.iq, self.map = self.board.gr, self.board.iq, self.board.map
        self.trends, self.detector = self.board.trends, self.board.detector
        self.shots = ShotsPagesView(self.board.widget)
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
        self.setAcceptDrops(True)
        centre = QtWidgets.QWidget()
        layout = QtWidgets.QVBoxLayout(centre)
        layout.setContentsMargins(6, 4, 6, 6)
        layout.setSpacing(5)
        for widget in (self.header, self.problems, self.display, self.mark_line):
            layout.addWidget(widget)
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
        self.board.paint(theme)
        self.shots.paint(theme)

    def _select(self, place: float) -> None:
        self.session.select_place(place)
        self.refresh()

    def _select_range(self, low: float, high: float) -> None:
        self.session.select_range(low, high)
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
