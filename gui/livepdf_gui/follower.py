"""The thread that follows the daemon: it alone owns the socket; others read its newest state."""

import threading
import time
from dataclasses import replace
from typing import Any

import zmq

from livepdf.errors import SourceError
from livepdf.wire.client import Client
from livepdf.wire.messages import MarkRequest
from livepdf.wire.retune import Retune
from livepdf_gui.show.columns import RecordedWindows, RecordingMirror
from livepdf_gui.show.shown import same_window
from livepdf_gui.show.state import State
from livepdf_gui.show.tuning import TuningWish

_WAIT = 0.05
"""s that one look at the network may take; wishes of the user wait no longer than this."""
_RETRY = 2.0
"""s before a window that could not be had is asked for again."""


class Follower:
    """Follows one daemon in a thread of its own, over any number of its restarts."""

    def __init__(self, endpoint: str) -> None:
        self._endpoint = endpoint
        self._lock = threading.Lock()
        self._state = State(endpoint=endpoint)
        self._wanted: int | None = None
        self._marks: list[str] = []
        self._wishes: list[TuningWish] = []
        self._failed: tuple[int, float] = (-1, 0.0)
        self._stop = threading.Event()
        self._defect: BaseException | None = None
        self._thread = threading.Thread(target=self._run, name="follower", daemon=True)

    def start(self) -> None:
        """Begin to follow."""
        self._thread.start()

    def stop(self) -> None:
        """Stop following and wait for the thread."""
        self._stop.set()
        if self._thread.is_alive():
            self._thread.join()

    def newest(self) -> State:
        """Return the newest state; raises what ended the thread, if anything did."""
        with self._lock:
            if self._defect is not None:
                raise self._defect
            return self._state

    def want(self, number: int | None) -> None:
        """Ask for one window with its σ; only the last wish counts."""
        with self._lock:
            self._wanted = number

    def mark(self, text: str) -> None:
        """Put a note on the time axis."""
        with self._lock:
            self._marks.append(text)

    def tune(self, wish: TuningWish) -> None:
        """Ask for a change of the recipe, or for a look at one; of looks only the last counts."""
        with self._lock:
            self._wishes = [*(w for w in self._wishes if w.act != "preview"), wish]

    def _run(self) -> None:
        context: zmq.Context[zmq.Socket[bytes]] = zmq.Context()
        client = Client(self._endpoint, context=context)
        client.mirror = RecordingMirror()
        published = -1
        try:
            while not self._stop.is_set():
                client.poll(_WAIT)
                self._serve(client)
                if client.mirror.version != published:
                    published = client.mirror.version
                    self._publish(client)
        except Exception as defect:  # noqa: BLE001  the top of a thread: the window ends with it
            with self._lock:
                self._defect = defect
        finally:
            client.close()
            context.term()

    def _publish(self, client: Client) -> None:
        mirror = client.mirror
        windows = mirror.windows
        history = windows.freeze() if isinstance(windows, RecordedWindows) else None
        with self._lock:
            old = self._state
            heard = old.status_heard if mirror.status is old.status else time.monotonic()
            self._state = replace(
                old,
                version=old.version + 1,
                connection=mirror.connection,
                connected=mirror.connected,
                met=old.met or mirror.connected,
                snapshot=mirror.snapshot,
                status=mirror.status,
                status_heard=heard,
                events=tuple(mirror.events),
                latest=mirror.latest,
                whole=mirror.whole,
                preview=mirror.preview,
                preview_image=mirror.preview_image,
                history=history,
            )

    def _serve(self, client: Client) -> None:
        """Do what the user asked for."""
        with self._lock:
            marks, self._marks = self._marks, []
            wishes, self._wishes = self._wishes, []
            wanted, fetched = self._wanted, self._state.fetched
        for text in marks:
            self._try(client, text)
        for wish in wishes:
            self._tune(client, wish)
        windows = client.mirror.windows
        if wanted is None or windows is None or not client.mirror.connected:
            return
        span = windows.spans[wanted] if wanted < len(windows) else None
        if fetched and same_window(fetched.span, span):
            return
        if self._failed[0] == wanted and time.monotonic() - self._failed[1] < _RETRY:
            return
        try:
            result = client.window(wanted, timeout=_RETRY)
        except SourceError as error:
            self._failed = (wanted, time.monotonic())
            self._note(f"window {wanted}: {error}")
            return
        with self._lock:
            state = self._state
            self._state = replace(state, version=state.version + 1, fetched=result, complaint="")

    def _try(self, client: Client, text: str) -> None:
        try:
            client.ask(MarkRequest(text=text), timeout=_RETRY)
        except SourceError as error:
            self._note(f"the mark “{text}” was not written: {error}")

    def _tune(self, client: Client, wish: TuningWish) -> None:
        changes: dict[str, Any] = {}
        try:
            changes = granted(client.retune, wish)
        except SourceError as error:
            changes = {"refusal": str(error)}
        with self._lock:
            state = self._state
            self._state = replace(state, version=state.version + 1, **changes)

    def _note(self, complaint: str) -> None:
        with self._lock:
            state = self._state
            self._state = replace(state, version=state.version + 1, complaint=complaint)


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
