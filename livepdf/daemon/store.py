"""Results go to disk in a thread of their own; a disk that refuses never stops the run."""

import logging
import queue
import threading
import time
from collections import deque
from collections.abc import Callable, Sequence
from concurrent.futures import Future
from pathlib import Path

from livepdf.daemon.board import Board
from livepdf.daemon.collector import Checkpoint
from livepdf.daemon.disk import DiskWatch
from livepdf.daemon.entries import (
    Again,
    Begin,
    Entry,
    Finish,
    Parts,
    Quit,
    Recall,
    row_bytes,
)
from livepdf.daemon.orphans import Orphans
from livepdf.daemon.owed import RETRY, Debts, Owed
from livepdf.daemon.places import folder_with_room
from livepdf.model.status import Counters, Event
from livepdf.sinks.nexus import NexusFile, RunHeader, WindowRow
from livepdf.sinks.nexus_difference import Reference
from livepdf.sinks.nexus_read import Stored, read_closed

log = logging.getLogger(__name__)


class Store:
    """Writes what is put into it; keeps what the disk refuses until it takes it again.

    While the disk is nearly full nothing is written, and the file goes on when there is room
    again. After any other failure the run goes on in another file, named ``…-part2``: the first
    one can be read up to its last flush, and everything since then is written again.
    """

    def __init__(
        self,
        directory: Path,
        board: Board,
        *,
        flush: float,
        budget: int,
        counters: Callable[[], Counters],
        settle: Callable[[Checkpoint, str, Parts], None] = lambda _checkpoint, _stem, _parts: None,
        disk: DiskWatch | None = None,
    ) -> None:
        """Make it.

        Parameters
        ----------
        settle
            Told how far everything is on disk, with the name and the files of the run.
        disk
            Is to look at the disk now and then; only this thread may wait for one.
        """
        self._disk = disk
        self._settle = settle
        self._checkpoint: Checkpoint | None = None
        """How far everything is settled once it is saved."""
        self._directory = directory
        self._board = board
        self._interval = flush
        self._budget = budget  # bytes of windows kept while the disk refuses
        self._counters = counters
        self._entries: queue.Queue[Entry] = queue.Queue()
        self._file: NexusFile | None = None
        self._header: RunHeader | None = None
        self._part = 0
        self._unsafe: deque[WindowRow] = deque()
        """Windows since the last flush that worked; the file has those before `_written`."""
        self._written = 0
        self._unsafe_bytes = 0
        self._events: list[Event] = []
        self._events_written = 0
        self._past: list[Event] = []  # of the last run after its file was closed
        self._reference: Reference | None = None
        self._closed: list[tuple[Path, int]] = []
        """Files of the present or last run that are closed, with the window of their first row."""
        self._run = ""
        self._again = False  # whether older windows may still come
        self._lock = threading.Lock()
        self._queued_bytes = 0
        self._whole: WindowRow | None = None
        self._flushed = time.monotonic()
        self._retry_at = 0.0
        self._failing = False
        self._orphans = Orphans(board)
        self._debts = Debts(directory, board, budget=budget)
        self.files: list[Path] = []
        """All files written, oldest first."""

    def put(self, entry: Entry) -> None:
        """Hand over something to write; never waits."""
        if isinstance(entry, Again):
            with self._lock:
                self._queued_bytes += sum(map(row_bytes, entry.rows))
        self._entries.put(entry)

    @property
    def owed(self) -> int:
        """Bytes that were handed over and are not on disk yet: who makes many may wait."""
        return self._queued_bytes + self._unsafe_bytes

    @property
    def failing(self) -> bool:
        """Whether something that was handed over is not on disk, as that refuses."""
        return self._failing

    def recall(self, numbers: Sequence[int]) -> "Future[dict[int, Stored]]":
        """Ask for windows of the present or last run; those that cannot be had are left out."""
        reply: Future[dict[int, Stored]] = Future()
        self._entries.put(Recall(numbers=numbers, reply=reply))
        return reply

    def run(self) -> None:
        """Write until `Quit`."""
        while True:
            batch = self._batch()
            for entry in batch:
                self._take(entry)
            if any(isinstance(entry, Quit) for entry in batch):
                self._end_run(None)
                self._pay(last=True)
                return
            self._pay()
            if time.monotonic() - self._flushed >= self._interval:
                self._save()

    def _batch(self) -> list[Entry]:
        wait = max(0.01, self._flushed + self._interval - time.monotonic())
        try:
            batch = [self._entries.get(timeout=wait)]
        except queue.Empty:
            return []
        while not self._entries.empty():
            batch.append(self._entries.get())
        return batch

    def _take(self, entry: Entry) -> None:
        match entry:
            case Begin():
                self._begin(entry.header, entry.earlier)
            case WindowRow():
                self._keep(entry)
            case Again():
                self._keep_again(entry)
            case Recall():
                entry.reply.set_result(self._recall(entry.numbers))
            case Reference():
                self._refer(entry)
            case Event():
                self._events.append(entry)
            case Checkpoint():
                self._checkpoint = entry
            case Finish():
                self._end_run(entry)

    def _begin(self, header: RunHeader, earlier: Parts) -> None:
        if header.run == self._run and header.follows:
            events = [*self._past, *self._events]
            self._end_run(None, follower=f"{header.stem}.nxs")
            self._events = events
        else:
            self._end_run(None)
            self._closed, self._again = list(earlier), False
        self._past, self._reference = [], None
        self._again = self._again or bool(header.follows)
        self._header, self._part, self._run = header, len(earlier), header.run
        self._save()

    def _keep_again(self, again: Again) -> None:
        with self._lock:
            self._queued_bytes -= sum(map(row_bytes, again.rows))
        rows = [row for row in again.rows if self._belongs(row)]
        if not again.trends_only:
            for row in rows:
                self._keep(row)
            return
        # They belong to rows that must be there first.
        if self._save() and self._file is not None:
            try:
                self._file.trends(rows)
            except (OSError, RuntimeError, ValueError) as error:
                self._fail(error)

    def _belongs(self, row: WindowRow) -> bool:
        """Whether a window is of the present file: another run or revision may have begun."""
        span, header = row.result.span, self._header
        return header is not None and (span.run, span.revision) == (header.run, header.revision)

    def _refer(self, reference: Reference) -> None:
        saved = self._save()
        self._reference = reference
        if saved and self._file is not None:
            try:
                self._file.reference(reference)
            except (OSError, RuntimeError, ValueError) as error:
                self._fail(error)

    def _recall(self, numbers: Sequence[int]) -> dict[int, Stored]:
        wanted = set(numbers)
        found = {
            row.result.span.number: Stored(
                span=row.result.span, sums=row.sums, environment=row.result.environment
            )
            for row in self._unsafe
            if row.result.span.number in wanted
        }
        try:
            if self._file is not None:
                found |= self._file.windows(sorted(wanted - found.keys()))
            for path, first in self._closed:
                if missing := sorted(wanted - found.keys()):
                    found |= read_closed(path, first=first, numbers=missing)
        except (OSError, RuntimeError, ValueError, KeyError) as error:
            log.warning("windows cannot be read back: %s", error)
        return found

    def _keep(self, row: WindowRow) -> None:
        if row.result.span.scope == "run":
            self._whole = row
            return
        self._unsafe.append(row)
        self._unsafe_bytes += row_bytes(row)
        if self._unsafe_bytes > self._budget and self._file is not None:
            self._save()
        dropped = 0
        while self._unsafe_bytes > self._budget and len(self._unsafe) > 1:
            self._unsafe_bytes -= row_bytes(self._unsafe.popleft())
            dropped += 1
        if dropped:
            self._board.note("store dropped", f"memory is full: {dropped} windows were not saved")
            log.warning("%d windows dropped: neither disk nor memory takes them", dropped)

    def _save(self) -> bool:
        """Bring everything to disk; tell whether that worked."""
        self._flushed = time.monotonic()
        if self._disk is not None:
            self._disk.look()
        if self._header is None:
            self._note_settled()
            return True
        if self._file is None and time.monotonic() < self._retry_at:
            return False
        try:
            if self._file is not None and self._orphans.adopt(self._file):
                self._closed.append((self._file.path, self._file.first))
                self._file, self._written = None, 0
            self._orphans.bring_back()
            folder = folder_with_room(self._directory, self._header.below, 2 * self._unsafe_bytes)
        except (OSError, RuntimeError, ValueError) as error:
            self._trouble(error)
            return False
        try:
            self._write(self._file or self._open(self._header, folder))
        except (OSError, RuntimeError, ValueError) as error:
            self._fail(error)
            return False
        self._failing = False
        self._board.clear("store")
        self._note_settled()
        return True

    def _note_settled(self) -> None:
        """Tell how far all is on disk, unless that is about another run than the one that is."""
        found = None if self._debts else self._checkpoint
        written = "" if self._header is None else self._header.run
        if found is None or (written and (found.run is None or found.run.name != written)):
            return
        self._checkpoint = None
        stem = "" if self._header is None else self._header.stem
        parts = [] if self._file is None else [*self._closed, (self._file.path, self._file.first)]
        try:
            self._settle(found, stem, parts)
        except OSError as error:
            log.warning("how far the results reach is not kept: %s", error)
            self._board.note("settle", f"after a crash frames may be lost: {error}")

    def _write(self, file: NexusFile) -> None:
        file.add(list(self._unsafe)[self._written :])
        self._written = len(self._unsafe)
        for event in self._events[self._events_written :]:
            file.event(event)
            self._events_written += 1
        if self._whole is not None:
            file.whole(self._whole)
        file.counters(self._checkpoint.counters if self._checkpoint else self._counters())
        file.flush()
        self._unsafe.clear()
        self._written = self._unsafe_bytes = 0

    def _open(self, header: RunHeader, folder: Path) -> NexusFile:
        self._part += 1
        suffix = "" if self._part == 1 else f"-part{self._part}"
        path = folder / f"{header.stem}{suffix}.nxs"
        try:
            earlier = [part.name for part, _ in self._closed if part.parent == folder]
            self._file = NexusFile(path, header, first=self._first_of(header), earlier=earlier)
            if self._reference is not None:
                self._file.reference(self._reference)
        except (OSError, RuntimeError, ValueError):
            if not path.exists():
                self._part -= 1
            raise
        self.files.append(path)
        self._board.output = str(path)
        self._events_written = 0
        return self._file

    def _first_of(self, header: RunHeader) -> int:
        """Return the window of the first row: in a later part, the oldest that it must take."""
        if self._part == 1 or self._again or not self._unsafe:
            return header.first
        return min(row.result.span.number for row in self._unsafe)

    def _fail(self, error: Exception) -> None:
        if self._file is not None:
            self._file.abandon()
        self._file, self._written = None, 0
        self._retry_at = time.monotonic() + RETRY
        self._trouble(error)

    def _trouble(self, error: Exception) -> None:
        text = next(iter(str(error).splitlines()), repr(error))
        if not self._failing:
            self._failing = True
            log.warning("results are not saved: %s", error)
            self._board.say("warning", f"results are not saved: {text}")
        self._board.trouble(
            "store", f"results are not saved ({text}); {len(self._unsafe)} windows in memory"
        )

    def _end_run(self, finish: Finish | None, *, follower: str = "") -> None:
        if self._header is None:
            return
        self._retry_at = 0.0
        saved = self._save() or self._save()
        if saved and self._file is not None:
            try:
                if finish is not None:
                    self._file.counters(finish.counters)
                    self._file.findings(finish.findings)
                if follower:
                    self._file.continued(follower)
                end = time.time() if follower else None
                self._file.close(end=end if finish is None else finish.time)
                self._closed.append((self._file.path, self._file.first))
            except (OSError, RuntimeError, ValueError) as error:
                self._fail(error)
        if not saved:
            self._owe(finish)
        self._file = self._header = self._whole = None
        self._unsafe.clear()
        self._past, self._events = self._events, []
        self._written = self._unsafe_bytes = self._events_written = 0
        if saved:
            self._note_settled()

    def _owe(self, finish: Finish | None) -> None:
        assert self._header is not None
        self._debts.add(
            Owed(
                header=self._header,
                part=self._part + 1,
                rows=tuple(self._unsafe),
                whole=self._whole,
                events=tuple(self._events),
                finish=finish,
            )
        )

    def _pay(self, *, last: bool = False) -> None:
        """Bring to disk what is missing of runs that are over."""
        dropped = False
        while self._debts:
            try:
                path = self._debts.pay(last=last)
                if path is not None:
                    self.files.append(path)
                    self._orphans.bring_back()
            except (OSError, RuntimeError, ValueError) as error:
                self._trouble(error)
                if not last:
                    return
                dropped = True  # what lies on disk of its frames must stay there
                continue
            if path is None:
                return
            if not self._debts and not dropped:
                self._failing = False
                self._board.clear("store")
                self._note_settled()
