"""What travels to change the reduction while it runs: drafts, revisions, pins, captures."""

from typing import Any, Literal

import msgspec

from livepdf.model.curve import Span, Trend
from livepdf.wire.curves import CurveHeader

Again = Literal["none", "last", "whole"]
"""Which stored windows are reduced again: none, the last so many, all of the run."""
Captured = Literal["background", "reference", "dark", "precursor", "blanks"]
"""What is recorded: something to subtract, a pattern to compare with, the detector in the dark,
the solution before it reacts, or cell and solvent along a ramp of temperature."""
CapturedWindows = Literal["background", "reference", "precursor", "blanks"]


class RecipeRequest(msgspec.Struct, frozen=True, tag="recipe"):
    """Ask for the recipe in use."""


class PreviewRequest(msgspec.Struct, frozen=True, kw_only=True, tag="preview draft"):
    """Ask what one window would look like by a changed recipe; nothing changes."""

    changes: dict[str, Any]
    """Dotted key to value, e.g. ``{"reduction.qmax": 22.0}``; null takes a key away."""
    number: int = -1
    """Of the window; -1 is the newest."""
    sigma: bool = False
    """Wait for the σ of G too, which takes longer."""


class ApplyRequest(msgspec.Struct, frozen=True, kw_only=True, tag="apply"):
    """Change the recipe: a new revision for all windows from now on."""

    changes: dict[str, Any]
    again: Again = "none"
    last: int = 0
    """How many windows, with ``again = "last"``."""


class UndoRequest(msgspec.Struct, frozen=True, kw_only=True, tag="undo"):
    """Go back to the recipe before, as a revision of its own."""

    again: Again = "none"
    last: int = 0


class CancelRequest(msgspec.Struct, frozen=True, tag="cancel"):
    """Leave the stored windows that are not done yet as they are."""


class FreezeRequest(msgspec.Struct, frozen=True, kw_only=True, tag="freeze scale"):
    """Take the scale of one window for all: drift-free, and differences keep their size."""

    number: int = -1
    kind: Literal["lsq", "mean", "high-q"] = "mean"
    """How it is found in that window."""
    again: Again = "none"
    last: int = 0


class PinRequest(msgspec.Struct, frozen=True, kw_only=True, tag="pin"):
    """Compare every window with one window or with a file: ΔG."""

    number: int = -1
    """Of the window; -1 is the newest."""
    file: str = ""
    """A .gr, .iq or .chi of the daemon's output directory, instead of a window; with ``text``, the
    name of that."""
    text: str = ""
    """What stands in a file of the client's."""


class UnpinRequest(msgspec.Struct, frozen=True, tag="unpin"):
    """Compare no longer."""


class CaptureRequest(msgspec.Struct, frozen=True, kw_only=True, tag="capture"):
    """Add up frames from now on, until `CaptureEndRequest`."""

    what: Captured


class CaptureEndRequest(msgspec.Struct, frozen=True, kw_only=True, tag="capture end"):
    """Save what was added up; with ``use`` it is used at once by a new revision."""

    use: bool = False
    again: Again = "none"
    last: int = 0


class CaptureWindowsRequest(msgspec.Struct, frozen=True, kw_only=True, tag="capture windows"):
    """Save the sum of some windows; with ``use`` it is used at once by a new revision."""

    what: CapturedWindows
    first: int = 0
    count: int = 1
    mark: str = ""
    """Begin with the window after the newest mark of this text, instead of ``first``."""
    use: bool = False
    again: Again = "none"
    last: int = 0


TuningRequest = (
    RecipeRequest
    | PreviewRequest
    | ApplyRequest
    | UndoRequest
    | CancelRequest
    | FreezeRequest
    | PinRequest
    | UnpinRequest
    | CaptureRequest
    | CaptureEndRequest
    | CaptureWindowsRequest
)


class RecipeKey(msgspec.Struct, frozen=True, kw_only=True):
    """One key of the recipe that may be changed."""

    key: str
    """Dotted, e.g. ``reduction.qmax``."""
    value: Any
    """What holds now."""
    help: str
    """Its meaning with its unit."""
    choices: tuple[str, ...] = ()
    """All values that it may have; empty where it is free."""


class RecipeReply(msgspec.Struct, frozen=True, kw_only=True, tag="recipe"):
    """The recipe in use."""

    revision: int
    text: str
    """As TOML."""
    keys: tuple[RecipeKey, ...]
    pinned: str = ""
    """What windows are compared with, in words; empty for nothing."""
    capturing: str = ""


class Preview(msgspec.Struct, frozen=True, kw_only=True, tag="preview draft"):
    """One window by the draft."""

    span: Span
    """Its revision is that of the recipe in use: the draft has none yet."""
    curves: tuple[CurveHeader, ...]
    trends: tuple[Trend, ...]
    """How good the reduction is."""
    sigma_pending: bool
    """Whether the σ of G is still to come: ask again with ``sigma``."""
    changed: str
    """What the draft changes, in words."""
    advice: str = ""
    """What is unwise about it; empty when nothing is."""


class Applied(msgspec.Struct, frozen=True, kw_only=True, tag="applied"):
    """The recipe was changed; stored windows follow in the background."""

    revision: int
    changed: str
    again: int
    """How many stored windows are reduced again."""
    advice: str = ""


class CapturedReply(msgspec.Struct, frozen=True, kw_only=True, tag="captured"):
    """What was recorded is saved."""

    file: str
    """Of blanks, the first of them: they are numbered."""
    frames: int
    revision: int
    """In use now."""
    temperatures: tuple[float, ...] = ()
    """Of blanks, K."""


TuningReply = RecipeReply | Preview | Applied | CapturedReply
