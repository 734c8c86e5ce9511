"""Recording of the raw stream that viewers start and stop."""

import threading
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path
from typing import Any

import msgspec
from numpy.typing import NDArray

from livepdf.errors import LivepdfError
from livepdf.model.raw import RawMessage
from livepdf.sinks.recording import Recorder
from livepdf.wire.messages import Refused
from livepdf.wire.views import RecordReply, RecordRequest

Answer = tuple[msgspec.Struct, list[NDArray[Any]]]


class Tape:
    """Hands messages to a recorder while there is one; a new file for each recording."""

    def __init__(self, make: Callable[[], Recorder]) -> None:
        """Make it; nothing is recorded yet.

        Parameters
        ----------
        make
            Begins a file; raises LivepdfError where that cannot be.
        """
        self._make = make
        self._recorder: Recorder | None = None
        self._lock = threading.Lock()
        self._listener: Callable[[str], None] = lambda _: None
        self._pool = ThreadPoolExecutor(max_workers=1, thread_name_prefix="tape")
        self.opening: Callable[[], RawMessage | None] = lambda: None
        """Tells the message that the series under way began with: frames need it in a replay."""

    @property
    def name(self) -> str:
        """File that is being recorded, empty where none is."""
        recorder = self._recorder
        return "" if recorder is None else recorder.path.name

    def put(self, raw: RawMessage) -> None:
        """Hand over a message; never waits."""
        with self._lock:
            if self._recorder is not None:
                self._recorder.put(raw)

    def tell(self, listener: Callable[[str], None]) -> None:
        """Let somebody hear of trouble with a recording."""
        self._listener = listener
        if self._recorder is not None:
            self._recorder.tell(listener)

    def begin(self) -> Path:
        """Record from now on; raises LivepdfError where that cannot be."""
        if self._recorder is not None:
            raise LivepdfError(f"{self.name} is being recorded already")
        recorder = self._make()
        recorder.tell(self._listener)
        with self._lock:
            opening = self.opening()
            if opening is not None:
                recorder.put(opening)
            self._recorder = recorder
        return recorder.path

    def end(self) -> RecordReply:
        """Write what waits and finish the file; raises LivepdfError where nothing is recorded."""
        with self._lock:
            recorder, self._recorder = self._recorder, None
        if recorder is None:
            raise LivepdfError("nothing is being recorded")
        state = recorder.close()
        return RecordReply(file=str(recorder.path), messages=state.written, missing=state.dropped)

    def ask(self, request: RecordRequest) -> "Future[Answer]":
        """Begin or end in a thread of its own: the disk may be slow."""
        return self._pool.submit(self._answer, request)

    def close(self) -> None:
        """End what is being recorded."""
        self._pool.shutdown(wait=True)
        with self._lock:
            recorder, self._recorder = self._recorder, None
        if recorder is not None:
            recorder.close()

    def _answer(self, request: RecordRequest) -> Answer:
        try:
            if not request.on:
                return self.end(), []
            path = self.begin()
        except LivepdfError as error:
            return Refused(why="failed", text=str(error)), []
        return RecordReply(file=str(path), messages=0, missing=0), []
