"""The tabs above the panels: they are there when the run has shots of a special kind."""

from collections.abc import Callable
from pathlib import Path

from livepdf_gui.qt import QtWidgets
from livepdf_gui.show.shots_pages import OVERVIEW, ShotsPages, Tab
from livepdf_gui.show.shots_table import board_csv, laser_csv
from livepdf_gui.show.state import State
from livepdf_gui.show.theme import Theme
from livepdf_gui.widgets.laser_page import LaserPageView
from livepdf_gui.widgets.panel import Panel
from livepdf_gui.widgets.pictures import save_png, save_svg
from livepdf_gui.widgets.shots_board import BoardPanel
from livepdf_gui.widgets.shots_breakdown_page import BreakdownPageView
from livepdf_gui.widgets.shots_serial_page import SerialPageView

_DELAY = "table this-delay"
_Page = LaserPageView | SerialPageView | BreakdownPageView


class ShotsPagesView(QtWidgets.QWidget):
    """The overview, and beside it the pages of shots; one is seen at a time."""

    def __init__(self, overview: QtWidgets.QWidget) -> None:
        super().__init__()
        self.pages = ShotsPages()
        self._state: State | None = None
        self._theme: Theme | None = None
        self._tabs: tuple[Tab, ...] = ()
        self.bar = QtWidgets.QTabBar()
        self.bar.setAccessibleName("pages")
        self.bar.setExpanding(False)
        self.bar.setVisible(False)
        self.bar.currentChanged.connect(self._turned)
        self.made: dict[str, _Page] = {}
        """Pages that were seen so far: most runs need none, and plots take long to make."""
        self._stack = QtWidgets.QStackedWidget()
        self._places = {OVERVIEW: self._stack.addWidget(overview)}
        layout = QtWidgets.QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(4)
        layout.addWidget(self.bar)
        layout.addWidget(self._stack, 1)

    def draw(self, state: State, theme: Theme) -> None:
        """Offer the pages that there are, and draw the one that is seen."""
        self._state, self._theme = state, theme
        self._offer(self.pages.tabs(state))
        match self._page(self.pages.page, theme):
            case LaserPageView() as page:
                page.draw(self.pages.laser_view(state), state.laser, theme)
            case SerialPageView() as page:
                page.draw(self.pages.serial_view(state), theme)
            case BreakdownPageView() as page:
                page.draw(self.pages.breakdown_view(state), state.breakdown, theme)
        self._stack.setCurrentIndex(self._places[self.pages.page])

    def act(self, name: str) -> bool:
        """Carry out a key; tell whether it is done with."""
        state = self._state
        if state is None:
            return False
        seen = self.made.get(self.pages.page)
        if seen is not None and name == "fit":
            seen.fit()
            self._redraw()
            return True
        if seen is not None and name.startswith("panel "):
            self._show_alone(seen.panels, int(name.removeprefix("panel ")) - 1)
            return True
        done = self.pages.act(name, state)
        if done:
            self._redraw()
        return done

    def paint(self, theme: Theme) -> None:
        """Take the colours of the theme."""
        for page in self.made.values():
            page.paint(theme)

    def add_saves(self, menu: QtWidgets.QMenu, save: Callable[[str], None]) -> None:
        """Offer pictures and tables of the panels of the page that is seen."""
        inner = QtWidgets.QMenu("Shots", menu)
        menu.addMenu(inner)
        inner.aboutToShow.connect(lambda: self._fill(inner, save))

    def save(self, what: str, path: Path) -> str:
        """Write a panel of these pages; return what was done, empty where it is none of them.

        Raises
        ------
        OSError
            When there is nothing to save, or it cannot be written.
        """
        kind, _, name = what.partition(" ")
        panel = next((p.panels[name] for p in self.made.values() if name in p.panels), None)
        if what == _DELAY:
            path.write_text(self._delay_table(), encoding="utf-8", newline="")
        elif panel is None:
            return ""
        elif kind == "table":
            board = panel.board if isinstance(panel, BoardPanel) else None
            if board is None or not board.charts:
                raise OSError(f"“{panel.accessibleName()}” shows nothing that could be saved yet")
            path.write_text(board_csv(board), encoding="utf-8", newline="")
        else:
            (save_svg if path.suffix.lower() == ".svg" else save_png)(panel, path)
        return f"saved {path}"

    def _fill(self, menu: QtWidgets.QMenu, save: Callable[[str], None]) -> None:
        menu.clear()
        page = self.made.get(self.pages.page)
        offers = []
        if isinstance(page, LaserPageView):
            offers.append(("I(Q) and G(r) of this delay as a table: .csv …", _DELAY))
        for name, panel in ({} if page is None else page.panels).items():
            title = panel.accessibleName()
            offers.append((f"{title}, as a picture: .png or .svg …", f"panel {name}"))
            if isinstance(panel, BoardPanel):
                offers.append((f"{title}, as a table: .csv …", f"table {name}"))
        for words, what in offers or [("Turn to a page of shots first: key J", "")]:
            action = QtWidgets.QAction(words, menu)
            action.setEnabled(bool(what))
            action.triggered.connect(lambda _, w=what: save(w))
            menu.addAction(action)

    def _page(self, name: str, theme: Theme) -> _Page | None:
        """Return a page, made when it is first seen; None for the overview."""
        if name == OVERVIEW or name in self.made:
            return self.made.get(name)
        page: _Page
        if name == "laser":
            page = LaserPageView(self.pages.laser, changed=self._redraw)
        elif name == "serial":
            page = SerialPageView()
        else:
            page = BreakdownPageView(select=self._choose_samples)
        page.paint(theme)
        self.made[name] = page
        self._places[name] = self._stack.addWidget(page)
        return page

    def _delay_table(self) -> str:
        report = self._state.laser if self._state is not None else None
        if self._state is None or report is None:
            raise OSError("there are no shots with a laser to save yet")
        return laser_csv(report, self.pages.laser_view(self._state).bin)

    def _offer(self, tabs: tuple[Tab, ...]) -> None:
        if tabs != self._tabs:
            self._tabs = tabs
            self.bar.blockSignals(True)
            while self.bar.count():
                self.bar.removeTab(0)
            for tab in tabs:
                place = self.bar.addTab(tab.words)
                self.bar.setTabToolTip(place, f"{tab.hint} Key J turns to the next page.".strip())
            self.bar.blockSignals(False)
            self.bar.setVisible(bool(tabs))
        names = [tab.name for tab in tabs]
        if self.pages.page not in names:
            self.pages.turn_to(OVERVIEW)
        if names:
            self.bar.blockSignals(True)
            self.bar.setCurrentIndex(names.index(self.pages.page))
            self.bar.blockSignals(False)

    def _show_alone(self, panels: dict[str, Panel], number: int) -> None:
        """Give one panel the whole page; the same again gives all of them their place."""
        shown = list(panels.values())
        if number >= len(shown):
            return
        alone = all(p is shown[number] or p.isHidden() for p in shown)
        for place, panel in enumerate(shown):
            panel.setVisible(alone or place == number)
        for part in self.findChildren(QtWidgets.QSplitter):
            inside = [p for p in shown if part.isAncestorOf(p)]
            if inside:
                part.setVisible(any(not p.isHidden() for p in inside))

    def _turned(self, place: int) -> None:
        if 0 <= place < len(self._tabs):
            self.pages.turn_to(self._tabs[place].name)
            self._redraw()

    def _choose_samples(self, place: float) -> None:
        if self._state is not None:
            self.pages.choose_samples(self._state, place)
            self._redraw()

    def _redraw(self) -> None:
        if self._state is not None and self._theme is not None:
            self.draw(self._state, self._theme)
