"""Change the recipe while it runs: edit, look, apply, take back."""

from collections.abc import Callable

from livepdf.wire.tuning import Again, RecipeKey, RecipeReply
from livepdf_gui.qt import QtCore, QtWidgets
from livepdf_gui.show.state import State
from livepdf_gui.show.tuning import Act, TuningWish, changes, named, progress, typed

_SETTLE = 150
"""ms after the last key before a draft is looked at."""
_SCOPES: tuple[tuple[str, Again], ...] = (
    ("from now on", "none"),
    ("the last … windows too", "last"),
    ("the whole run too", "whole"),
)


class RetuneSheet(QtWidgets.QDialog):
    """All keys of the reduction; what is edited shows as a draft over the live curve."""

    def __init__(self, parent: QtWidgets.QWidget, *, ask: Callable[[TuningWish], None]) -> None:
        super().__init__(parent)
        self.setWindowTitle("Retune")
        self.setModal(False)
        self._ask = ask
        self._recipe: RecipeReply | None = None
        self._fields: dict[str, QtWidgets.QLineEdit | QtWidgets.QComboBox] = {}
        self._selected = -1
        self._grid = QtWidgets.QFormLayout()
        self.head, self.said = QtWidgets.QLabel(""), QtWidgets.QLabel("")
        for label in (self.head, self.said):
            label.setWordWrap(True)
        self.scope = QtWidgets.QComboBox()
        self.scope.addItems([words for words, _ in _SCOPES])
        self.last = QtWidgets.QSpinBox()
        self.last.setRange(1, 1_000_000)
        self.last.setValue(100)
        self._lay_out()
        self._settle = QtCore.QTimer(self)
        self._settle.setSingleShot(True)
        self._settle.setInterval(_SETTLE)
        self._settle.timeout.connect(self._look)

    def open_sheet(self) -> None:
        """Show it, with what holds now."""
        self._ask(TuningWish(act="recipe"))
        self.show()

    def draw(self, state: State, selected: int | None) -> None:
        """Take the newest answers of the daemon."""
        self._selected = -1 if selected is None else selected
        if state.recipe is not None and state.recipe is not self._recipe:
            self._take(state.recipe)
        redo = state.status.redo if state.status is not None else None
        draft = state.draft.about if state.draft is not None else None
        looked = () if draft is None else (f"draft: {draft.changed}", draft.advice)
        words = (state.refusal, *looked, state.tuned, progress(redo))
        self.said.setText("\n".join(word for word in words if word))

    def edit(self, key: str, text: str) -> None:
        """Put a text where the key is typed."""
        field = self._fields[key]
        if isinstance(field, QtWidgets.QComboBox):
            field.setCurrentText(text)
        else:
            field.setText(text)

    def act(self, act: Act) -> None:
        """Ask for something with what is typed; a look that was due is not wanted any more."""
        self._settle.stop()
        drafted = changes(self._recipe, self._texts()) if self._recipe is not None else {}
        again = _SCOPES[self.scope.currentIndex()][1]
        self._ask(
            TuningWish(
                act=act,
                changes=drafted,
                again=again,
                last=self.last.value(),
                number=self._selected,
            )
        )

    def _take(self, recipe: RecipeReply) -> None:
        before, self._recipe = self._recipe, recipe
        pinned = f"   ·   compared with {recipe.pinned}" if recipe.pinned else ""
        self.head.setText(f"Revision {recipe.revision} is in use{pinned}")
        keys = [key.key for key in recipe.keys]
        if list(self._fields) != keys:
            while self._grid.rowCount():
                self._grid.removeRow(0)
            self._fields = {key.key: self._field(key) for key in recipe.keys}
        if before is None or before.revision != recipe.revision:
            for key in recipe.keys:
                self.edit(key.key, typed(key))

    def _field(self, key: RecipeKey) -> QtWidgets.QLineEdit | QtWidgets.QComboBox:
        field: QtWidgets.QLineEdit | QtWidgets.QComboBox
        if key.choices:
            field = QtWidgets.QComboBox()
            field.addItems(list(key.choices))
            field.currentTextChanged.connect(lambda _: self._settle.start())
        else:
            field = QtWidgets.QLineEdit()
            field.textChanged.connect(lambda _: self._settle.start())
        name = QtWidgets.QLabel(named(key))
        for widget in (name, field):
            widget.setToolTip(key.help)
        field.setAccessibleName(key.key)
        self._grid.addRow(name, field)
        return field

    def _texts(self) -> dict[str, str]:
        return {
            key: field.currentText() if isinstance(field, QtWidgets.QComboBox) else field.text()
            for key, field in self._fields.items()
        }

    def _look(self) -> None:
        if self.isVisible():
            self.act("preview")

    def _lay_out(self) -> None:
        inner = QtWidgets.QWidget()
        inner.setLayout(self._grid)
        area = QtWidgets.QScrollArea()
        area.setWidgetResizable(True)
        area.setWidget(inner)
        area.setMinimumSize(380, 420)
        layout = QtWidgets.QVBoxLayout(self)
        layout.addWidget(self.head)
        layout.addWidget(area, 1)
        scope = QtWidgets.QHBoxLayout()
        for widget in (QtWidgets.QLabel("Change"), self.scope, self.last):
            scope.addWidget(widget)
        layout.addLayout(scope)
        buttons: tuple[tuple[str, Act, str], ...] = (
            ("Apply", "apply", "Make this the recipe, as a new revision"),
            ("Undo", "undo", "Go back to the recipe before"),
            ("Cancel", "cancel", "Leave the stored windows that are not done yet"),
            ("Pin window", "pin", "Compare every window with the one that is shown: ΔG, key D"),
            ("Unpin", "unpin", "Compare no longer"),
        )
        row = QtWidgets.QHBoxLayout()
        for words, act, tip in buttons:
            button = QtWidgets.QPushButton(words)
            button.setToolTip(tip)
            button.setAutoDefault(False)
            button.clicked.connect(lambda _, a=act: self.act(a))
            row.addWidget(button)
        layout.addLayout(row)
        layout.addWidget(self.said)
