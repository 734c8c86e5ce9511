"""Frames between intake and workers: in order, bounded in memory by bytes, then on disk.

What comes in waits in memory: *ready* for the workers as far as there is room, the rest *late*. A
thread of its own, `page`, brings late frames to disk in order; so a disk that is slow, refuses or
hangs never keeps the intake, and what it does not take is worked off from memory all the same.
"""

import logging
import threading
import time
from collections import deque
from collections.abc import Callable
from dataclasses import replace

import numpy as np

from livepdf.daemon.journal import CLOSED, FRAME, Closed, encode, frame_head, frame_of
from livepdf.daemon.logbook import Logbook
from livepdf.daemon.paged import Paged
from livepdf.daemon.runs import Run
from livepdf.daemon.spool import Slot, Spool
from livepdf.daemon.tickets import Item, PauseBegins, RunCloses, RunOpens, Stop, Ticket
from livepdf.errors import FrameError
from livepdf.model.frame import Frame, PackedImage

log = logging.getLogger(__name__)

OVERHEAD = 2048
"""Bytes reckoned for a frame in memory beside its image."""
STALL = 1.0
"""s that the disk may take for a frame; then the workers take those that wait for it."""
_RETRY = 0.5
"""s between two attempts at a disk that refused."""
_SYNC = 1.0
"""s between two times that what was written is forced onto the medium."""


class FrameQueue:
    """First in, first out, for one intake, one pager and several workers."""

    def __init__(
        self, *, limit: int, spool: Spool, logbook: Logbook | None = None, journal: bool = False
    ) -> None:
        """Make it.

        Parameters
        ----------
        logbook : Logbook, optional
            Keeps what another process needs to go on after this one was killed.
        journal : bool
            Bring every frame to disk before it is worked on; needs a logbook.
        """
        self.limit = limit
        """Bytes of images kept in memory."""
        self._room = limit * 3 // 4
        """Bytes of them that may be ready."""
        self._spool = spool
        self._logbook = logbook
        self._journal = journal
        lock = threading.RLock()
        self._changed = threading.Condition(lock)
        self._taken = threading.Condition(lock)
        self._arrived = threading.Condition(lock)
        self._ready: deque[Ticket | Paged] = deque()
        self._late: deque[Ticket] = deque()
        self._waiting = 0
        """Tickets that are ready."""
        self._ready_bytes = self._late_bytes = self._paged_bytes = 0
        self._number = 0
        self._serial = 0 if logbook is None else logbook.next_serial
        self._idle = 0
        """Workers that wait for a ticket."""
        self._busy_since = float("inf")
        """When the disk was given something that it has not taken yet."""
        self._told = ""
        self._bare = 0
        self._over = False
        """Whether the stop is ready."""
        self.tell: Callable[[str], None] = lambda _: None
        """Hears of a disk that refuses, in words; of an empty text when all is well again."""

    @property
    def waiting_bytes(self) -> int:
        """Bytes of all images that wait, in memory and on disk."""
        return self._ready_bytes + self._late_bytes + self._paged_bytes

    @property
    def spooled_bytes(self) -> int:
        """Bytes of images that wait on disk."""
        return self._paged_bytes

    @property
    def journal(self) -> bool:
        """Whether every frame goes to disk first."""
        return self._journal

    @property
    def without_journal(self) -> int:
        """Frames that should have been on disk first and were not, as the disk refused."""
        return self._bare

    def put_frame(self, frame: Frame, run: Run, *, paused: bool) -> None:
        """Queue a frame; it goes to disk when memory is full.

        Raises
        ------
        FrameError
            ``queue full`` when memory is full and the disk does not take more.
        """
        size = _size(frame)
        with self._changed:
            if not self._wait_for_memory(size):
                raise FrameError("queue full", self._told or "the disk takes nothing now")
            ticket = self._numbered(frame, run, paused=paused)
            if self._journal or self._late or not self._fits(size):
                self._late_bytes += size
                self._wait_for_disk(ticket)
            else:
                self._make_ready(ticket)
        if self._logbook is not None:
            self._logbook.note(ticket.serial, frame.index)

    def put(self, item: RunOpens | RunCloses | PauseBegins | Stop, run: Run | None = None) -> None:
        """Queue what is no frame; it never is refused."""
        with self._changed:
            ticket = self._numbered(item, run, paused=False)
            if isinstance(item, RunOpens) and run is not None:
                run.opened = ticket.serial
            if self._logbook is not None:
                self._logbook.note(ticket.serial, -1)
            if self._late or (self._logbook is not None and not isinstance(item, PauseBegins)):
                self._wait_for_disk(ticket)
            else:
                self._make_ready(ticket)

    def restore(self, what: Item | Slot, run: Run, *, serial: int, paused: bool = False) -> None:
        """Queue what an earlier process left, under its old serial; before anything else."""
        with self._changed:
            if isinstance(what, Slot):
                self._page_out(Ticket(self._number, Stop(), run, paused, None, serial), what)
            else:
                self._make_ready(Ticket(self._number, what, run, serial=serial))
            self._number += 1

    def take(self) -> Ticket:
        """Wait for the next ticket. `Stop` stays in the queue, so that every worker meets it."""
        return self.take_share(fewest=1, most=1)[0]

    def take_share(self, *, fewest: int, most: int) -> list[Ticket]:
        """Wait for the next ticket; take the frames that follow it along where many wait.

        They are shared with the workers that wait here too; those that are busy get nothing.

        Parameters
        ----------
        fewest : int
            A share of fewer frames is left but for its first one.
        most : int

        Returns
        -------
        tickets : one of any kind, or frames of one run in their order
        """
        with self._changed:
            self._idle += 1
            while not self._ready and not self._rescue():
                self._changed.wait(STALL / 2)
            share = min(-(-self._waiting // self._idle), most)
            self._idle -= 1
            first = self._ready[0]
            if isinstance(first, Ticket) and isinstance(first.item, Stop):
                return [first]
            taken = [self._pop()]
            while len(taken) < share >= fewest and self._goes_along(taken[0]):
                taken.append(self._pop())
            self._taken.notify_all()
            self._arrived.notify()
        return [self._loaded(ticket) for ticket in taken]

    def wait_for_room(self, timeout: float) -> bool:
        """Wait until half the memory is free and nothing lies on disk; tell whether that is so.

        For sources that can wait: a recording is not spooled.
        """
        with self._taken:
            return self._taken.wait_for(self._has_room, timeout)

    def frame(self, ticket: Ticket) -> Frame:
        """Return the ticket's frame with its image.

        Raises
        ------
        FrameError
            ``spool unreadable``.
        """
        assert isinstance(ticket.item, Frame)
        if ticket.slot is not None:
            raise FrameError("spool unreadable", ticket.item.origin)
        return ticket.item

    def page(self) -> None:
        """Bring to disk what is late, until the stop; for a thread of its own."""
        while True:
            with self._arrived:
                self._arrived.wait_for(lambda: self._late or self._over)
                if not self._late:
                    return
                ticket = self._late[0]
                if not self._wants_disk(ticket):
                    self._advance(ticket, None)
                    continue
            self._bring(ticket)

    def sync(self, stop: threading.Event) -> None:
        """Force what is on disk onto the medium again and again; for a thread of its own."""
        while not stop.wait(_SYNC):
            try:
                self._spool.sync()
            except OSError as error:
                log.warning("the spool is not on its medium: %s", error)

    def _bring(self, ticket: Ticket) -> None:
        slot, trouble = None, ""
        self._busy_since = time.monotonic()
        try:
            slot = self._write(ticket)
        except OSError as error:
            trouble = error.strerror or str(error)
        self._busy_since = float("inf")
        self._say(trouble)
        with self._arrived:
            if not self._late or self._late[0] is not ticket:
                return  # the disk took so long that a worker has it
            if trouble and isinstance(ticket.item, Frame) and not self._fits(_size(ticket.item)):
                self._arrived.wait(_RETRY)
                return
            self._bare += bool(trouble and self._journal and isinstance(ticket.item, Frame))
            self._advance(ticket, slot)

    def _write(self, ticket: Ticket) -> Slot | None:
        item, run = ticket.item, ticket.run
        if isinstance(item, Frame) and run is not None:
            head = frame_head(item, opened=run.opened, paused=ticket.paused)
            return self._spool.append(FRAME, head, item.image.blob, serial=ticket.serial)
        if self._logbook is not None and run is not None:
            if isinstance(item, RunOpens):
                self._logbook.keep_start(run)
            elif isinstance(item, RunCloses):
                closed = Closed(run.opened, item.time, item.reason, item.lost)
                self._spool.append(CLOSED, encode(closed), serial=ticket.serial)
        return None

    def _wants_disk(self, ticket: Ticket) -> bool:
        if not isinstance(ticket.item, Frame):
            return self._logbook is not None and isinstance(ticket.item, RunOpens | RunCloses)
        return self._journal or not self._fits(_size(ticket.item))

    def _advance(self, ticket: Ticket, slot: Slot | None) -> None:
        """Let the first of the late ones be ready: in memory where it fits, else on disk."""
        self._late.popleft()
        self._taken.notify_all()
        if isinstance(ticket.item, Frame):
            self._late_bytes -= _size(ticket.item)
            if slot is not None and not self._fits(_size(ticket.item)):
                self._page_out(ticket, slot)
                return
        self._make_ready(ticket)

    def _rescue(self) -> bool:
        """Take what waits for a disk that hangs; tell whether there is any."""
        if not self._late or time.monotonic() - self._busy_since < STALL:
            return False
        self._say(f"the disk has hung for {STALL:g} s")
        self._bare += self._journal and isinstance(self._late[0].item, Frame)
        self._advance(self._late[0], None)
        return True

    def _wait_for_memory(self, size: int) -> bool:
        """Let a burst wait for a disk that is only slower; tell whether there is room.

        It never waits for a disk that refuses or hangs.
        """

        def room() -> bool:
            held = self._ready_bytes + self._late_bytes
            return not self._late or held + size <= self.limit

        end = time.monotonic() + STALL
        while not room() and not self._told and time.monotonic() < end:
            if time.monotonic() - self._busy_since > STALL / 2:
                break
            self._taken.wait(STALL / 10)
        return room()

    def _say(self, trouble: str) -> None:
        if trouble != self._told:
            self._told = trouble
            self.tell(trouble)

    def _numbered(self, item: Item, run: Run | None, *, paused: bool) -> Ticket:
        ticket = Ticket(self._number, item, run, paused, serial=self._serial)
        self._number += 1
        self._serial += 1
        return ticket

    def _wait_for_disk(self, ticket: Ticket) -> None:
        self._late.append(ticket)
        self._arrived.notify()

    def _make_ready(self, ticket: Ticket) -> None:
        if isinstance(ticket.item, Frame):
            self._ready_bytes += _size(ticket.item)
        self._ready.append(ticket)
        self._waiting += 1
        if isinstance(ticket.item, Stop):
            self._over = True
            self._changed.notify_all()
            self._arrived.notify_all()
        else:
            self._changed.notify()

    def _page_out(self, ticket: Ticket, slot: Slot) -> None:
        run = ticket.run
        assert run is not None
        last = self._ready[-1] if self._ready else None
        if not isinstance(last, Paged) or not last.takes(run, paused=ticket.paused):
            last = Paged(run, paused=ticket.paused)
            self._ready.append(last)
        last.add(ticket.number, ticket.serial, slot)
        self._paged_bytes += slot.length
        self._waiting += 1
        self._changed.notify()

    def _pop(self) -> Ticket:
        self._waiting -= 1
        first = self._ready[0]
        if isinstance(first, Ticket):
            self._ready.popleft()
            if isinstance(first.item, Frame):
                self._ready_bytes -= _size(first.item)
            return first
        number, serial, slot = first.pop()
        self._paged_bytes -= slot.length
        if not len(first):
            self._ready.popleft()
        return Ticket(number, _unread(first.run), first.run, first.paused, slot, serial)

    def _loaded(self, ticket: Ticket) -> Ticket:
        """Return the ticket with its frame; without its image where the disk lost it."""
        if ticket.slot is None:
            return ticket
        try:
            frame, _ = frame_of(self._spool.read(ticket.slot))
        except (OSError, FrameError) as error:
            log.warning("a frame cannot be read back: %s", error)
            return ticket
        return replace(ticket, item=frame, slot=None)

    def _fits(self, size: int) -> bool:
        return not self._ready_bytes or self._ready_bytes + size <= self._room

    def _has_room(self) -> bool:
        held = self._ready_bytes + self._late_bytes
        return held <= self.limit // 2 and not self._paged_bytes

    def _goes_along(self, first: Ticket) -> bool:
        if not self._ready or not isinstance(first.item, Frame):
            return False
        following = self._ready[0]
        if isinstance(following, Ticket) and not isinstance(following.item, Frame):
            return False
        return following.run is first.run


def _size(frame: Frame) -> int:
    return len(frame.image.blob) + OVERHEAD


def _unread(run: Run) -> Frame:
    """Return what stands for a frame of which nothing is known but its run."""
    image = PackedImage(blob=b"", algorithm="raw", shape=(0, 0), dtype=np.dtype("u1"))
    now = time.time()
    return Frame(
        series=run.series, index=-1, image=image, received=now, time=now, origin=run.series
    )
