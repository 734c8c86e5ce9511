"""What the daemon says about itself: written by all threads, read by the herald and control."""

import threading
import time
from collections import deque
from collections.abc import Callable

from livepdf.model.status import Event, EventKind, State

_EVENTS = 500
_RECENT = 15.0
"""s for which something that happened is shown as a problem."""


class Board:
    """The changing facts behind the status line, and the events so far."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._standing: dict[str, str] = {}
        self._passing: dict[str, tuple[float, str]] = {}
        self._events: deque[Event] = deque(maxlen=_EVENTS)
        self._listeners: list[Callable[[Event], None]] = []
        self.state: State = "starting"
        self.run = ""
        self.output = ""
        self.windows = 0
        self.revision = 0
        self.lag = float("nan")
        self.newest = float("nan")
        self.newest_frame = -1

    def listen(self, listener: Callable[[Event], None]) -> None:
        """Let a listener hear of every event from now on."""
        self._listeners.append(listener)

    def say(self, kind: EventKind, text: str, *, frame: int | None = None) -> None:
        """Note an event and tell the listeners."""
        event = Event(
            kind=kind,
            time=time.time(),
            text=text,
            run=self.run,
            frame=self.newest_frame if frame is None else frame,
        )
        with self._lock:
            self._events.append(event)
        for listener in self._listeners:
            listener(event)

    def events(self) -> tuple[Event, ...]:
        """Return the events kept, oldest first."""
        with self._lock:
            return tuple(self._events)

    def trouble(self, part: str, text: str) -> None:
        """Show a problem until `clear`."""
        with self._lock:
            self._standing[part] = text

    def clear(self, part: str) -> None:
        """Take a problem back; whether there was one is of no account."""
        with self._lock:
            self._standing.pop(part, None)

    def stand(self, part: str, text: str) -> None:
        """Show a problem; an empty text takes it back."""
        if text:
            self.trouble(part, text)
        else:
            self.clear(part)

    def note(self, part: str, text: str) -> None:
        """Show something that happened, for some seconds."""
        with self._lock:
            self._passing[part] = (time.monotonic(), text)

    def problems(self) -> tuple[str, ...]:
        """Return what is wrong now: what stands first, then what just happened."""
        horizon = time.monotonic() - _RECENT
        with self._lock:
            recent = [text for when, text in self._passing.values() if when > horizon]
            return (*self._standing.values(), *recent)
