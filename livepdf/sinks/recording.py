"""Record raw messages in a thread of its own: the intake hands them over and never waits."""

import logging
import os
import threading
import time
from collections import Counter, deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from livepdf.errors import FileError
from livepdf.model.raw import RawMessage
from livepdf.model.recorded import Attached, Origin, Recorded
from livepdf.sinks.recording_file import RecordingFile

log = logging.getLogger(__name__)

QUEUE = 512 << 20
"""Bytes of messages that may wait for the disk."""
RESERVE = 1 << 30
"""Bytes that stay free on the disk, for the results."""
_CHUNK = 4 << 20
"""Bytes that are written together as soon as they are there."""
_DELAY = 0.25
"""s that a message waits at most before it is handed to the kernel, which a kill cannot undo."""
_RETRY = 2.0
"""s between two attempts at a disk that refused."""
_SILENCE = 5.0
"""s between two warnings in the log."""
_OVERHEAD = 512
"""Bytes reckoned for a message beside its own."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RecorderState:
    """How a recording is doing; received = written + dropped + waiting."""

    received: int = 0
    written: int = 0
    dropped: int = 0
    """Messages that could not be written."""
    waiting: int = 0
    file_bytes: int = 0
    trouble: str = ""
    """Why nothing can be written now; empty when all is well."""


class Recorder:
    """Writes every message that is put into it, or counts and says that it could not."""

    def __init__(
        self,
        path: Path,
        *,
        origin: Origin,
        attached: Sequence[Attached] = (),
        queue: int = QUEUE,
        reserve: int = RESERVE,
        clock: Callable[[], float] = time.time,
    ) -> None:
        """Create the file and start the thread.

        Parameters
        ----------
        queue, reserve : int
            Bytes that may wait, and bytes that stay free on the disk.

        Raises
        ------
        FileError
            When the file exists or cannot be made.
        """
        try:
            self._file = RecordingFile(path, origin=origin, attached=attached, now=clock())
        except OSError as error:
            raise FileError(f"cannot record to {path}: {error.strerror or error}") from None
        self.path = path
        self._limit = queue
        self.reserve = reserve
        """Bytes that stay free on the disk; may be changed at any time."""
        self._say: Callable[[str], None] = lambda _: None
        self._changed = threading.Condition()
        self._waiting: deque[Recorded] = deque()
        self._held = 0
        """Messages that wait or are being written."""
        self._bytes = 0
        self._sequences: Counter[str] = Counter()
        self._written = self._dropped = self._received = 0
        self._trouble = ""
        self._reason = ""
        """Why the newest of the dropped messages was dropped."""
        self._closing = False
        self._final: RecorderState | None = None
        self._retry_at = 0.0
        self._said = ""
        self._logged = "", -_SILENCE
        self._thread = threading.Thread(target=self._run, name="recorder", daemon=True)
        self._thread.start()

    def put(self, raw: RawMessage) -> None:
        """Hand over a message; never waits. What there is no room for is counted as dropped."""
        with self._changed:
            self._received += 1
            sequence = self._sequences[raw.channel]
            self._sequences[raw.channel] += 1
            size = raw.size + _OVERHEAD
            if self._closing or (self._bytes and self._bytes + size > self._limit):
                self._dropped += 1
                self._reason = self._trouble or "the disk is too slow"
                return
            self._waiting.append(Recorded(raw=raw, sequence=sequence))
            self._held += 1
            self._bytes += size
            if self._bytes >= _CHUNK:
                self._changed.notify()

    def tell(self, listener: Callable[[str], None]) -> None:
        """Let somebody hear of trouble, from the writing thread; an empty text when it is over."""
        self._say = listener

    def state(self) -> RecorderState:
        """Return how it is doing; any thread may ask."""
        with self._changed:
            return RecorderState(
                received=self._received,
                written=self._written,
                dropped=self._dropped,
                waiting=self._held,
                file_bytes=self._file.size,
                trouble=self._trouble,
            )

    def close(self) -> RecorderState:
        """Write what waits, finish the file and say what is missing in it."""
        if self._final is not None:
            return self._final
        with self._changed:
            self._closing = True
            self._changed.notify()
        self._thread.join()
        state = self.state()
        notes = {"messages": str(state.written), "dropped": str(state.dropped)}
        try:
            self._file.close(notes)
        except OSError as error:
            log.warning("recording %s has no index, repair it: %s", self.path, error)
            self._say(f"the recording has no index ({error.strerror or error}); repair it")
        self._final = self.state()
        return self._final

    def _run(self) -> None:
        try:
            self._work()
        except Exception as error:
            # The run is worth more than its recording; but nobody shall believe that it goes on.
            log.exception("recording to %s stopped by a defect", self.path)
            with self._changed:
                self._closing = True
                self._trouble = self._reason = f"recording stopped by a defect: {error}"
                self._dropped += self._held
                self._waiting.clear()
                self._held = self._bytes = 0
            self._tell(always=True)

    def _work(self) -> None:
        while True:
            with self._changed:
                self._wait()
                batch, closing = self._take(), self._closing
            if batch:
                self._write(batch, last=closing)
            self._tell(always=closing and not batch)
            if closing and not batch:
                return

    def _wait(self) -> None:
        """Wait until there is enough to write, or for the next attempt at a disk that refused."""
        pause = self._retry_at - time.monotonic()
        if pause > 0:
            self._changed.wait_for(lambda: self._closing, timeout=pause)
        else:
            self._changed.wait_for(lambda: self._closing or self._bytes >= _CHUNK, timeout=_DELAY)

    def _take(self) -> list[Recorded]:
        """Take what is written together; what waits stays in the books until it is written."""
        batch, size = list[Recorded](), 0
        while self._waiting and size < _CHUNK:
            batch.append(self._waiting.popleft())
            size += batch[-1].raw.size
        return batch

    def _write(self, batch: list[Recorded], *, last: bool) -> None:
        try:
            self._require_room(batch)
            self._file.write(batch)
        except OSError as error:
            self._refused(batch, error, last=last)
            return
        with self._changed:
            self._written += len(batch)
            self._let_go(batch)
            self._trouble = ""

    def _refused(self, batch: list[Recorded], error: OSError, *, last: bool) -> None:
        """Keep the messages for another attempt, unless there will be none."""
        self._retry_at = time.monotonic() + _RETRY
        with self._changed:
            self._trouble = f"the disk refuses: {error.strerror or error}"
            self._reason = self._trouble
            if last:
                self._dropped += len(batch)
                self._let_go(batch)
            else:
                self._waiting.extendleft(reversed(batch))

    def _let_go(self, batch: Sequence[Recorded]) -> None:
        self._held -= len(batch)
        self._bytes -= sum(message.raw.size + _OVERHEAD for message in batch)

    def _require_room(self, batch: Sequence[Recorded]) -> None:
        disk = os.statvfs(self.path.parent)
        free = disk.f_bavail * disk.f_frsize
        if free < self.reserve + sum(message.raw.size for message in batch):
            raise OSError(0, f"only {free >> 20} MiB are free in {self.path.parent}")

    def _tell(self, *, always: bool) -> None:
        """Say what is missing in the recording: at once to the daemon, now and then to the log."""
        state = self.state()
        text = ""
        if state.dropped:
            text = f"{state.dropped} messages are missing in the recording: {self._reason}"
        elif state.trouble:
            text = f"nothing is recorded now, {state.waiting} messages wait: {state.trouble}"
        if text != self._said:
            self._said = text
            self._say(text)
        told, when = self._logged
        if text not in ("", told) and (always or time.monotonic() - when > _SILENCE):
            self._logged = text, time.monotonic()
            log.warning("%s: %s", self.path, text)
