"""Change the reduction of a running daemon: drafts, revisions, references, captures."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal, TypeVar

from numpy.typing import NDArray

from livepdf.errors import FileError, SourceError
from livepdf.model.curve import Curve, CurveKind
from livepdf.wire.curves import CurveHeader
from livepdf.wire.messages import LARGEST_REQUEST, Reply, Request
from livepdf.wire.tuning import (
    Again,
    Applied,
    ApplyRequest,
    CancelRequest,
    Captured,
    CapturedReply,
    CapturedWindows,
    CaptureEndRequest,
    CaptureRequest,
    CaptureWindowsRequest,
    FreezeRequest,
    PinRequest,
    Preview,
    PreviewRequest,
    RecipeReply,
    RecipeRequest,
    UndoRequest,
    UnpinRequest,
)

R = TypeVar("R")
Ask = Callable[[Request, float], tuple[Reply, list[NDArray[Any]]]]

_QUICK, _SLOW = 5.0, 30.0
"""s to wait for a reply: a plan with its files may take a while on a busy machine."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Look:
    """One window by a draft."""

    about: Preview
    """Which window, what the draft changes, how good it is, whether σ of G is still to come."""
    curves: tuple[Curve, ...]
    """iq, sq, fq and gr."""

    def curve(self, kind: CurveKind) -> Curve:
        """Return the curve of that kind; KeyError where there is none."""
        for curve in self.curves:
            if curve.kind == kind:
                return curve
        raise KeyError(kind)


class Retune:
    """What a client may change; `Client.retune` is one.

    Every method waits for its reply and raises SourceError when the daemon refuses, with every
    complaint in the text, or when nobody answers in time. ``again`` says what becomes of windows
    that are there already: ``"none"``, ``"last"`` (so many as ``last`` says) or ``"whole"`` for
    the whole run. They are reduced again from their sums in the background, the newest first;
    ``client.mirror.status.redo`` tells how far that is.
    """

    def __init__(self, ask: Ask) -> None:
        self._ask = ask

    def recipe(self) -> RecipeReply:
        """Return the recipe in use: its text, and every key that may be changed."""
        return self._one(RecipeReply, RecipeRequest())

    def preview(self, changes: Mapping[str, Any], *, number: int = -1, sigma: bool = False) -> Look:
        """Look at one window by a changed recipe; nothing changes in the daemon.

        Parameters
        ----------
        changes : dotted key to value
            E.g. ``{"reduction.qmax": 22.0, "reduction.rpoly": 0.9}``; None takes a key away.
        number : int
            Of the window; -1 is the newest.
        sigma : bool
            With the σ of G, which takes longer; without, it is NaN and ``about.sigma_pending``.
        """
        request = PreviewRequest(changes=dict(changes), number=number, sigma=sigma)
        reply, arrays = self._ask(request, _SLOW)
        if not isinstance(reply, Preview):
            raise SourceError(f"a {type(reply).__name__} came instead of a preview")
        return Look(about=reply, curves=tuple(_curve(c, arrays) for c in reply.curves))

    def apply(self, changes: Mapping[str, Any], *, again: Again = "none", last: int = 0) -> Applied:
        """Change the recipe: a new revision for every window from now on."""
        return self._one(Applied, ApplyRequest(changes=dict(changes), again=again, last=last))

    def undo(self, *, again: Again = "none", last: int = 0) -> Applied:
        """Go back to the recipe before, as a revision of its own."""
        return self._one(Applied, UndoRequest(again=again, last=last))

    def cancel(self) -> None:
        """Leave the stored windows that are not done yet as they are."""
        self._ask(CancelRequest(), _SLOW)

    def freeze_scale(
        self,
        number: int = -1,
        *,
        kind: Literal["lsq", "mean", "high-q"] = "mean",
        again: Again = "none",
        last: int = 0,
    ) -> Applied:
        """Take the scale of one window, with its σ, for all: drift-free.

        Parameters
        ----------
        number : int
            Of the window; -1 is the newest.
        kind : str
            How the scale is found in that window.
        """
        return self._one(Applied, FreezeRequest(number=number, kind=kind, again=again, last=last))

    def pin(self, number: int = -1) -> None:
        """Compare every window with this one: each gets a curve ``dgr``, ΔG with its σ."""
        self._ask(PinRequest(number=number), _SLOW)

    def pin_file(self, file: str) -> None:
        """Compare every window with a file: ours, or one of the daemon's output directory.

        A file of ours is sent; the daemon opens none but its own.

        A .gr is taken as it is; anything else is I(Q) in the units of the windows and goes
        through the same reduction as they do, whatever revision holds.
        """
        path = Path(file)
        text = _text_of(path) if path.is_file() else ""
        self._ask(PinRequest(file=path.name if text else file, text=text), _SLOW)

    def unpin(self) -> None:
        """Compare no longer."""
        self._ask(UnpinRequest(), _SLOW)

    def capture(self, what: Captured) -> None:
        """Add up the frames from now on, until `end_capture`; of blanks, whole windows."""
        self._ask(CaptureRequest(what=what), _SLOW)

    def end_capture(
        self, *, use: bool = False, again: Again = "none", last: int = 0
    ) -> CapturedReply:
        """Save what was added up beside the results, Q, I and σ.

        With ``use`` a background is subtracted at once, by a new revision, a reference is pinned,
        a precursor is fitted along, blanks become a ramp whose changes are fitted, and a dark
        holds from the next run on: sums that are stored cannot follow it.
        """
        return self._one(CapturedReply, CaptureEndRequest(use=use, again=again, last=last))

    def capture_windows(
        self,
        what: CapturedWindows,
        *,
        first: int = 0,
        count: int = 1,
        mark: str = "",
        use: bool = False,
        again: Again = "none",
        last: int = 0,
    ) -> CapturedReply:
        """Save the sum of some windows, as `end_capture` does.

        Parameters
        ----------
        first, count : int
            Number of the first window, and how many.
        mark : str
            Begin with the window after the newest mark of this text instead.
        """
        request = CaptureWindowsRequest(
            what=what, first=first, count=count, mark=mark, use=use, again=again, last=last
        )
        return self._one(CapturedReply, request)

    def _one(self, wanted: type[R], request: Request) -> R:
        reply, _ = self._ask(request, _QUICK if isinstance(request, RecipeRequest) else _SLOW)
        if not isinstance(reply, wanted):
            raise SourceError(f"a {type(reply).__name__} came instead of a {wanted.__name__}")
        return reply


def _text_of(path: Path) -> str:
    try:
        with path.open("rb") as file:
            data = file.read(LARGEST_REQUEST)
    except OSError as error:
        raise FileError(f"{path}: {error.strerror or error}") from None
    if len(data) + 1000 > LARGEST_REQUEST:
        raise FileError(f"{path}: wanted less than {LARGEST_REQUEST >> 10} KiB")
    return data.decode(errors="replace")


def _curve(header: CurveHeader, arrays: list[NDArray[Any]]) -> Curve:
    return Curve(
        kind=header.kind, x=arrays[header.x], y=arrays[header.y], sigma=arrays[header.sigma]
    )
