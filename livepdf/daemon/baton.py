"""Who may change things: one viewer at a time holds control, all others look on."""

import threading
import time
from collections.abc import Callable

from livepdf.wire.messages import NextRunRequest, PauseRequest, Request, ResetRequest
from livepdf.wire.tuning import PreviewRequest, RecipeRequest, TuningRequest
from livepdf.wire.views import LAPSE, ControlReply, ControlRequest, RecordRequest

_LONGEST_NAME = 60


class Baton:
    """Held by one client, by the address of its connection; free when nobody asked for it."""

    def __init__(
        self, *, tell: Callable[[str], None], clock: Callable[[], float] = time.monotonic
    ) -> None:
        """Make it free.

        Parameters
        ----------
        tell
            Called with words when control is taken from somebody.
        """
        self._tell, self._clock = tell, clock
        self._lock = threading.Lock()
        self._peer, self._name, self._heard = b"", "", 0.0

    def holder(self) -> str:
        """Return the name of who holds it; empty where nobody does."""
        with self._lock:
            return self._name if self._held() else ""

    def ask(self, peer: bytes, request: ControlRequest) -> ControlReply:
        """Take it, keep it or let go of it."""
        name = "".join(c for c in request.name if c.isprintable())[:_LONGEST_NAME] or "somebody"
        taken_from = ""
        with self._lock:
            free, mine = not self._held(), self._peer == peer
            if request.take and (free or mine or request.force):
                taken_from = "" if free or mine else self._name
                self._peer, self._name, self._heard = peer, name, self._clock()
            elif not request.take and mine:
                self._peer, self._name = b"", ""
            reply = ControlReply(
                holder=self._name if self._held() else "",
                here=self._held() and self._peer == peer,
            )
        if taken_from:
            self._tell(f"{name} took control from {taken_from}")
        return reply

    def refusal(self, peer: bytes, request: Request) -> str:
        """Return why a request may not be carried out; empty where it may."""
        if not _changes(request):
            return ""
        with self._lock:
            if not self._held() or self._peer == peer:
                return ""
            return f"{self._name} has control: take it first, then try again"

    def _held(self) -> bool:
        return bool(self._peer) and self._clock() - self._heard < LAPSE


def _changes(request: Request) -> bool:
    """Tell whether a request changes what others see; marks and the stop are everybody's."""
    if isinstance(request, (RecipeRequest, PreviewRequest)):
        return False
    mine = PauseRequest, ResetRequest, NextRunRequest, RecordRequest
    return isinstance(request, (*mine, *TuningRequest.__args__))
