"""What is asked of the daemon for the user, each in one go; SourceError tells why it was not."""

import getpass
import socket
from collections.abc import Callable
from pathlib import Path
from typing import Any

from livepdf.errors import SourceError
from livepdf.model.curve import Result
from livepdf.wire.client import Client
from livepdf.wire.messages import PauseRequest, ResetRequest
from livepdf.wire.retune import Retune
from livepdf.wire.viewing import Viewing
from livepdf_gui.show.columns import History
from livepdf_gui.show.tasks import Act
from livepdf_gui.show.tuning import TuningWish

_PATIENCE = 2.0
"""s for a window."""


def done(client: Client, task: Act) -> dict[str, Any]:
    """Change what everybody sees, and return what changes in the state."""
    if task.deed == "end capture":
        saved = client.retune.end_capture(use=task.use)
        words = f"{saved.frames} frames are saved in {saved.file}"
        return {"said": words, "recipe": client.retune.recipe()}
    if task.deed in ("begin recording", "end recording"):
        return {"said": _recorded(client, on=task.deed == "begin recording")}
    deeds: dict[str, Callable[[], object]] = {
        "pause": lambda: client.ask(PauseRequest(paused=True)),
        "go on": lambda: client.ask(PauseRequest(paused=False)),
        "reset": lambda: client.ask(ResetRequest()),
        "capture dark": lambda: client.retune.capture("dark"),
        "capture background": lambda: client.retune.capture("background"),
        "capture reference": lambda: client.retune.capture("reference"),
        "capture precursor": lambda: client.retune.capture("precursor"),
        "capture blanks": lambda: client.retune.capture("blanks"),
    }
    deeds[task.deed]()
    if task.deed.startswith("capture"):
        return {"said": f"{task.deed}: frames are added up until you end it"}
    return {"said": f"{task.deed}: done"}


def _recorded(client: Client, *, on: bool) -> str:
    told = Viewing(client.ask).record(on=on)
    if on:
        return f"every message of the detector is recorded in {told.file}"
    missing = f"; {told.missing} are MISSING: the disk did not take them" if told.missing else ""
    return f"{told.messages} messages are recorded in {told.file}{missing}"


def granted(retune: Retune, wish: TuningWish) -> dict[str, Any]:
    """Carry a wish out and return what changes in the state; SourceError when it is refused."""
    found: dict[str, Any] = {"refusal": ""}
    match wish.act:
        case "preview":
            look = retune.preview(wish.changes, number=wish.number) if wish.changes else None
            return {**found, "draft": look}
        case "apply":
            applied = retune.apply(wish.changes, again=wish.again, last=wish.last)
            found["tuned"] = f"revision {applied.revision}: {applied.changed}"
        case "undo":
            applied = retune.undo(again=wish.again, last=wish.last)
            found["tuned"] = f"revision {applied.revision}: {applied.changed}"
        case "cancel":
            retune.cancel()
        case "pin":
            retune.pin(wish.number)
        case "unpin":
            retune.unpin()
    return {**found, "draft": None, "recipe": retune.recipe()}


def window_or_reduced(client: Client, history: History, number: int) -> Result:
    """Fetch a window; one that left the daemon's memory is reduced from its stored sums.

    Raises
    ------
    SourceError
        When neither can be had.
    """
    try:
        return client.window(number, timeout=_PATIENCE)
    except SourceError as error:
        if "not there" not in str(error):
            raise
    look = client.retune.preview({}, number=number, sigma=True)
    return Result(
        span=look.about.span,
        curves=look.curves,
        trends=history.trends_of(number),
        environment=history.environment_of(number),
    )


def save_text(path: Path, text: str) -> None:
    """Write a text file; it appears whole or not at all."""
    part = path.with_name(f".{path.name}.part")
    part.write_text(text, encoding="utf-8", newline="\n")
    part.replace(path)


def user_name() -> str:
    """Return by what name others see this window."""
    try:
        return f"{getpass.getuser()}@{socket.gethostname()}"
    except (OSError, KeyError):
        return socket.gethostname()
