"""Follow a daemon from any moment on: first its whole history, then the stream."""

import time
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
import zmq
from numpy.typing import NDArray

from livepdf.errors import SilenceError, SourceError
from livepdf.model.curve import CurveKind, Result
from livepdf.wire.codec import WireError, decode_published, decode_reply, encode
from livepdf.wire.dataset import to_dataset
from livepdf.wire.joining import Joining
from livepdf.wire.keys import ClientKey, key_from_environment
from livepdf.wire.line import Line
from livepdf.wire.messages import (
    VERSION,
    ByeMessage,
    EventMessage,
    History,
    HistoryRequest,
    PublishedMessage,
    Refused,
    Reply,
    Request,
    Snapshot,
    SnapshotRequest,
    StatusMessage,
    Window,
    WindowRequest,
)
from livepdf.wire.mirror import Mirror, RunWindows
from livepdf.wire.overview import (
    MapReply,
    MapRequest,
    OverviewReply,
    OverviewRequest,
    unpack_overview,
)
from livepdf.wire.published import put_published
from livepdf.wire.retune import Retune
from livepdf.wire.unpack import put_history, result_of

if TYPE_CHECKING:
    import xarray

Array = NDArray[Any]

SILENCE = 3.0
"""s without any message after which the daemon counts as gone; it speaks twice a second."""
_KNOCK = 0.3
"""s between two requests for a snapshot."""
_AT_ONCE = 0.1
"""s that one look takes results for."""
_CATCH_UP = 0.5
"""s at most for what came while a notebook did not look."""


class Client:
    """One viewer. Not shared between threads: the thread that polls owns it.

    Only `poll` talks to the network by itself; `ask` waits for one reply.
    """

    def __init__(
        self,
        endpoint: str,
        *,
        context: zmq.Context[zmq.Socket[bytes]] | None = None,
        key: ClientKey | None = None,
    ) -> None:
        """Make it; nothing is sent yet.

        Parameters
        ----------
        key : ClientKey, optional
            For a daemon that wants one; that which LIVEPDF_KEY names when left out.

        Raises
        ------
        FileError
            When LIVEPDF_KEY names no key file.
        """
        self.endpoint = endpoint
        self.mirror = Mirror()
        self._line = Line(
            endpoint,
            context=context or zmq.Context.instance(),
            key=key or key_from_environment(),
        )
        self._pending: dict[bytes, tuple[Request, float]] = {}
        self._replies: dict[bytes, tuple[Reply, list[Array]]] = {}
        self._waiting: set[bytes] = set()
        self._number = 0
        self._heard = -np.inf
        self._knocked = -np.inf
        self._joined = False
        self._joining = Joining()
        self.retune = Retune(self.ask)
        """Drafts of the recipe, revisions, references, captures."""
        self.meanwhile: Callable[[], None] = lambda: None
        """Called while `ask` waits, whenever the stream was looked at."""

    def close(self) -> None:
        """Close both sockets; nothing is waited for."""
        self._line.close()

    def connect(self, timeout: float = 5.0) -> Snapshot:
        """Poll until the history is here.

        Raises
        ------
        SourceError
            When no daemon answers within ``timeout`` s.
        """
        deadline = time.monotonic() + timeout
        while time.monotonic() < deadline:
            self.poll(0.1)
            here = self._joined and self._joining.next(self.mirror) is None
            if self.mirror.snapshot is not None and here:
                return self.mirror.snapshot
        raise SourceError(f"no livepdf answers at {self.endpoint}: {self.mirror.connection}")

    def latest(self, timeout: float = 5.0) -> Result:
        """Return the newest window whole, for a notebook; joins when that was not done yet.

        Raises
        ------
        SourceError
            When no daemon answers, or there is no window within ``timeout`` s.
        """
        if not self._joined:
            self.connect(timeout)
        deadline = time.monotonic() + timeout
        while self.mirror.latest is None and time.monotonic() < deadline:
            self.poll(0.1)
        if self.mirror.latest is None:
            raise SourceError(f"{self.endpoint} has made no window yet")
        # what piled up while nobody looked; a stream that never pauses is not waited for
        caught_up = min(deadline, time.monotonic() + _CATCH_UP)
        while self.poll(0.05) and time.monotonic() < caught_up:
            pass
        return self.mirror.latest

    def history(self, timeout: float = 5.0) -> RunWindows:
        """Return all windows of the run so far, for a notebook.

        Raises
        ------
        SourceError
            When no daemon answers, or there is no window within ``timeout`` s.
        """
        self.latest(timeout)
        self.connect(timeout)
        if self.mirror.windows is None:
            raise SourceError(f"{self.endpoint} has made no window yet")
        return self.mirror.windows

    def to_xarray(self, timeout: float = 5.0) -> "xarray.Dataset":
        """Return `history` as a labelled dataset; needs ``livepdf[notebook]``.

        Raises
        ------
        SourceError
            As `history` does.
        ImportError
            Without xarray.
        """
        windows, snapshot = self.history(timeout), self.mirror.snapshot
        about = {"endpoint": self.endpoint}
        if snapshot is not None:
            about |= {"instrument": snapshot.profile, "sample": snapshot.sample}
        return to_dataset(windows, about=about)

    def poll(self, timeout: float) -> bool:
        """Wait up to ``timeout`` s for news and take all of it; tell whether anything changed."""
        before = self.mirror.version
        self._keep_asking()
        self._line.wait(timeout)
        self._take_replies()
        self._take_results()
        self._watch_silence()
        return self.mirror.version != before

    def ask(self, request: Request, timeout: float = 5.0) -> tuple[Reply, list[Array]]:
        """Send a request and wait for its reply; the stream is followed meanwhile.

        Raises
        ------
        SourceError
            When the daemon refuses.
        SilenceError
            When no reply comes in time.
        """
        key = self._send(request)
        self._waiting.add(key)
        deadline = time.monotonic() + timeout
        try:
            while time.monotonic() < deadline:
                self.poll(0.05)
                self.meanwhile()
                if key in self._replies:
                    reply, arrays = self._replies.pop(key)
                    if isinstance(reply, Refused):
                        raise SourceError(f"refused ({reply.why}): {reply.text}")
                    return reply, arrays
        finally:
            self._waiting.discard(key)
        raise SilenceError(f"no reply from {self.endpoint} within {timeout:g} s")

    def window(self, number: int, timeout: float = 5.0) -> Result:
        """Fetch one window whole, with σ.

        Raises
        ------
        SourceError
            When it is not there, or nobody answers.
        """
        run = self.mirror.windows.run if self.mirror.windows else ""
        reply, arrays = self.ask(WindowRequest(run=run, number=number), timeout)
        if not isinstance(reply, Window):
            raise SourceError(f"a {type(reply).__name__} came instead of a window")
        return result_of(reply, arrays)

    def map(
        self, kind: CurveKind, *, first: int, limit: int = 500, timeout: float = 5.0
    ) -> tuple[int, Array, Array]:
        """Fetch one kind of curve of some windows, every point of it.

        Returns
        -------
        first : int
            Number of the first window that came.
        x : (n,) float64, Å or Å⁻¹
        y : (windows, n) float32, NaN where there is nothing

        Raises
        ------
        SourceError
            When they are not there, or nobody answers.
        """
        run = self.mirror.windows.run if self.mirror.windows else ""
        asked = MapRequest(run=run, kind=kind, first=first, limit=limit)
        reply, arrays = self.ask(asked, timeout)
        if not isinstance(reply, MapReply):
            raise SourceError(f"a {type(reply).__name__} came instead of a map")
        return reply.first, arrays[reply.x], arrays[reply.y]

    def _keep_asking(self) -> None:
        """Send what is due: a snapshot when there is none, history where windows are missing."""
        now = time.monotonic()
        stale = [k for k, (_, sent) in self._pending.items() if now - sent > SILENCE]
        for key in stale:
            del self._pending[key]
        asked = {type(request) for request, _ in self._pending.values()}
        heard = now - self._heard < SILENCE
        if not (self._joined and heard):
            if SnapshotRequest not in asked and now - self._knocked > _KNOCK:
                self._knocked = now
                if not heard and not self._waiting:
                    self._pending.clear()
                    self._line.reopen()
                self._send(SnapshotRequest())
        elif not asked & {HistoryRequest, OverviewRequest, WindowRequest}:
            wanted = self._joining.next(self.mirror)
            if wanted is not None:
                self._send(wanted)

    def _send(self, request: Request) -> bytes:
        self._number += 1
        key = self._number.to_bytes(8, "little")
        self._pending[key] = (request, time.monotonic())
        if not self._line.send([key, *encode(request)]):
            self.mirror.connection = f"waiting for {self.endpoint}"
        return key

    def _take_replies(self) -> None:
        for key, *parts in self._line.replies():
            try:
                reply, arrays = decode_reply(parts)
            except WireError as error:
                self._say(f"a reply from {self.endpoint} cannot be read: {error}")
                continue
            request, _ = self._pending.pop(key, (None, 0.0))
            if key in self._waiting:
                self._replies[key] = (reply, arrays)
            else:
                self._take_reply(request, reply, arrays)

    def _take_reply(self, request: Request | None, reply: Reply, arrays: Sequence[Array]) -> None:
        if isinstance(reply, Snapshot):
            self._take_snapshot(reply)
        elif isinstance(reply, History) and isinstance(request, HistoryRequest):
            # One that comes after its request was given up does not tell where it should begin.
            try:
                self._take_history(reply, arrays, request.first)
            except (IndexError, ValueError) as error:
                self._say(f"a history from {self.endpoint} does not fit together: {error}")
        elif isinstance(reply, OverviewReply):
            self._take_overview(reply, arrays)
        elif isinstance(reply, Window):
            self._take_window(reply, arrays)
        elif isinstance(reply, Refused) and isinstance(request, HistoryRequest):
            self._joined = False
        elif isinstance(reply, Refused) and isinstance(request, WindowRequest):
            self._joining.give_up(request.run)
        elif isinstance(reply, Refused) and isinstance(request, OverviewRequest):
            self._joining.surveyed()

    def _take_window(self, reply: Window, arrays: Sequence[Array]) -> None:
        try:
            self.mirror.add(result_of(reply, arrays))
        except (IndexError, ValueError) as error:
            self._joining.give_up(reply.span.run)
            self._say(f"a window from {self.endpoint} does not fit together: {error}")

    def _take_snapshot(self, snapshot: Snapshot) -> None:
        """Join in two steps: only once the stream is heard is a snapshot sure to meet it."""
        if snapshot.version != VERSION:
            self._say(f"the daemon speaks version {snapshot.version} of the wire, we {VERSION}")
            return
        if snapshot.results != self._line.results_address or not self._line.subscribed:
            self._line.subscribe(snapshot.results)
            self._joined = False
            return
        if time.monotonic() - self._heard > SILENCE:
            return
        self.mirror.snapshot = snapshot
        self.mirror.status = snapshot.status
        self.mirror.events = list(snapshot.events)
        self._joining.begin(snapshot, self.mirror)
        self._joined = True
        self.mirror.connected = True
        self._say("connected")

    def _take_history(self, history: History, arrays: Sequence[Array], first: int) -> None:
        if not history.spans:
            self._joined = False
            return
        self._joining.renewal.came(first, history.spans[-1].number)
        put_history(self.mirror, history, arrays, first=first)

    def _take_overview(self, reply: OverviewReply, arrays: Sequence[Array]) -> None:
        """Begin with the run as the daemon averaged it; what came meanwhile is asked for again."""
        self._joining.surveyed()
        try:
            self.mirror.take_overview(unpack_overview(reply, arrays))
        except (IndexError, ValueError) as error:
            self._say(f"an overview from {self.endpoint} does not fit together: {error}")
        self.mirror.version += 1

    def _take_results(self) -> None:
        source = self._line.results_address
        # a stream faster than its viewer must not keep it from being drawn and answered
        enough = time.monotonic() + _AT_ONCE
        for parts in self._line.published():
            self._heard = time.monotonic()
            try:
                message, arrays = decode_published(parts)
            except WireError as error:
                self._say(f"a message from {source} cannot be read: {error}")
                continue
            try:
                self._take(message, arrays)
            except (IndexError, KeyError, ValueError) as error:
                self._say(f"a message from {source} does not fit together: {error}")
            if time.monotonic() > enough:
                return

    def _take(self, message: PublishedMessage, arrays: Sequence[Array]) -> None:
        mirror = self.mirror
        match message:
            case StatusMessage():
                mirror.status = message.status
                self._joining.renewal.hear(message.status.redo)
            case EventMessage():
                if self._joined and message.event not in mirror.events[-50:]:
                    mirror.events.append(message.event)
            case ByeMessage():
                self._lose(f"the daemon has stopped: {message.reason}")
            case _:
                put_published(mirror, message, arrays)
        mirror.version += 1

    def _watch_silence(self) -> None:
        if self.mirror.connected and time.monotonic() - self._heard > SILENCE:
            self._lose(f"nothing heard from {self.endpoint} for {SILENCE:g} s")

    def _lose(self, why: str) -> None:
        self._joined = False
        self._heard = -np.inf
        self.mirror.connected = False
        self._say(why)

    def _say(self, words: str) -> None:
        self.mirror.connection = words
        self.mirror.version += 1
