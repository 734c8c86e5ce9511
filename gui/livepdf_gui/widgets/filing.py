"""Writes what is chosen in the menu of what may be saved."""

from collections.abc import Callable, Mapping
from pathlib import Path

from livepdf.model.curve import CurveKind
from livepdf_gui.qt import QtWidgets
from livepdf_gui.show.session import View
from livepdf_gui.show.tables import trends_csv
from livepdf_gui.show.tasks import SaveCurve
from livepdf_gui.widgets.pictures import save_png, save_svg


def save_as(
    what: str,
    path: Path,
    *,
    view: View,
    panels: Mapping[str, QtWidgets.QWidget],
    ask: Callable[[SaveCurve], None],
) -> str:
    """Write what a name of the menu stands for, or ask the daemon for it; return what was done.

    Raises
    ------
    OSError
        When there is nothing to save, or it cannot be written.
    """
    if what in ("curves", "chi"):
        _ask_curves(what, path, view, ask)
        return ""
    if what == "trends":
        if view.history is None:
            raise OSError("there are no trends to save yet")
        path.write_text(trends_csv(view.history), encoding="utf-8", newline="")
    else:
        panel = panels[what.removeprefix("panel ")]
        (save_svg if path.suffix.lower() == ".svg" else save_png)(panel, path)
    return f"saved {path}"


def _ask_curves(what: str, path: Path, view: View, ask: Callable[[SaveCurve], None]) -> None:
    kinds: tuple[CurveKind, ...] = ("iq",) if what == "chi" else ("iq", "sq", "fq", "gr")
    span = view.shown.span
    if span is None:
        raise OSError("there is no window to save yet")
    number = -1 if span.scope == "run" else span.number
    for kind in kinds:
        where = path.with_suffix(".chi" if what == "chi" else f".{kind}")
        ask(SaveCurve(run=span.run, number=number, kind=kind, path=where))
