"""Frames between intake and workers: in order, bounded in memory by bytes, then on disk."""

import logging
import threading
from collections import deque
from dataclasses import dataclass, replace

from livepdf.daemon.runs import Run
from livepdf.daemon.spool import Slot, Spool
from livepdf.errors import FrameError
from livepdf.model.frame import Frame, PackedImage

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class RunOpens:
    """From here on the frames are of this run."""


@dataclass(frozen=True, slots=True)
class RunCloses:
    """The run is over."""

    time: float
    reason: str
    lost: int = 0
    """Frames of it that never arrived."""


@dataclass(frozen=True, slots=True)
class PauseBegins:
    """The open window ends here, whole or not."""


@dataclass(frozen=True, slots=True)
class Stop:
    """Nothing follows."""


@dataclass(frozen=True, slots=True)
class Ticket:
    """A place in the queue: later stages restore the order of the numbers."""

    number: int
    item: Frame | RunOpens | RunCloses | PauseBegins | Stop
    run: Run | None = None
    paused: bool = False
    slot: Slot | None = None
    """Where the image lies on disk, where memory had no room."""


class FrameQueue:
    """First in, first out, for one intake and several workers."""

    def __init__(self, *, limit: int, spool: Spool) -> None:
        self.limit = limit
        """Bytes of images kept in memory."""
        self._spool = spool
        lock = threading.RLock()
        self._changed = threading.Condition(lock)
        self._taken = threading.Condition(lock)
        self._tickets: deque[Ticket] = deque()
        self._bytes = 0
        self._number = 0
        self._idle = 0
        """Workers that wait for a ticket."""

    @property
    def waiting_bytes(self) -> int:
        """Bytes of all images that wait, in memory and on disk."""
        return self._bytes + self._spool.held_bytes

    @property
    def spooled_bytes(self) -> int:
        """Bytes of images that wait on disk."""
        return self._spool.held_bytes

    def put_frame(self, frame: Frame, run: Run, *, paused: bool) -> None:
        """Queue a frame; it goes to disk when memory is full.

        Raises
        ------
        FrameError
            ``queue full`` when the disk is full too.
        """
        size = len(frame.image.blob)
        slot = None
        if self._bytes and self._bytes + size > self.limit:
            try:
                slot = self._spool.append(frame.image.blob)
            except OSError as error:
                raise FrameError("queue full", str(error)) from None
            frame = without_image(frame)
        with self._changed:
            self._bytes += 0 if slot else size
            self._append(Ticket(self._number, frame, run, paused, slot))

    def put(self, item: RunOpens | RunCloses | PauseBegins | Stop, run: Run | None = None) -> None:
        """Queue what is no frame; it never is refused."""
        with self._changed:
            self._append(Ticket(self._number, item, run))

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
            while not self._tickets:
                self._changed.wait()
            share = min(-(-len(self._tickets) // self._idle), most)
            self._idle -= 1
            if isinstance(self._tickets[0].item, Stop):
                return [self._tickets[0]]
            taken = [self._pop()]
            while len(taken) < share >= fewest and self._goes_along(taken[0]):
                taken.append(self._pop())
            self._taken.notify_all()
            return taken

    def wait_for_room(self, timeout: float) -> bool:
        """Wait until half the memory is free and nothing lies on disk; tell whether that is so.

        For sources that can wait: a recording is not spooled.
        """
        with self._taken:
            return self._taken.wait_for(self._has_room, timeout)

    def _has_room(self) -> bool:
        return self._bytes <= self.limit // 2 and not self._spool.held_bytes

    def frame(self, ticket: Ticket) -> Frame:
        """Return the ticket's frame with its image, read back from disk where it lies there.

        Raises
        ------
        FrameError
            ``spool unreadable``.
        """
        assert isinstance(ticket.item, Frame)
        if ticket.slot is None:
            return ticket.item
        try:
            return _with_blob(ticket.item, self._spool.read(ticket.slot))
        except OSError as error:
            raise FrameError("spool unreadable", str(error)) from None

    def _pop(self) -> Ticket:
        ticket = self._tickets.popleft()
        if isinstance(ticket.item, Frame) and ticket.slot is None:
            self._bytes -= len(ticket.item.image.blob)
        return ticket

    def _goes_along(self, first: Ticket) -> bool:
        if not self._tickets or not isinstance(first.item, Frame):
            return False
        ticket = self._tickets[0]
        return isinstance(ticket.item, Frame) and ticket.run is first.run

    def _append(self, ticket: Ticket) -> None:
        self._tickets.append(ticket)
        self._number += 1
        if isinstance(ticket.item, Stop):
            self._changed.notify_all()
        else:
            self._changed.notify()


def without_image(frame: Frame) -> Frame:
    """Return the frame with all it says, but no bytes of its image."""
    return _with_blob(frame, b"")


def _with_blob(frame: Frame, blob: bytes) -> Frame:
    image = frame.image
    packed = PackedImage(blob=blob, algorithm=image.algorithm, shape=image.shape, dtype=image.dtype)
    return replace(frame, image=packed)
