"""What the source may still send of a run that was taken up from a killed process."""

import time

from livepdf.daemon.runs import Run
from livepdf.errors import FrameError
from livepdf.model.frame import Frame, RunStart


class Expected:
    """Tells frames that are new from those that the earlier process had already."""

    def __init__(self, run: Run, *, missing: frozenset[int], idle: float, rereads: bool) -> None:
        """Make it.

        Parameters
        ----------
        missing : frozenset of int
            Numbers of frames that were received and lost, and may come again.
        idle : float
            s without a frame after which it is over.
        rereads : bool
            Whether the source gives all its frames again, as a directory does.
        """
        self._rereads = rereads
        self._run = run
        self._missing = missing
        self._idle = idle
        self._newest = -1 if run.taken_up is None else run.taken_up.newest
        self._heard = time.monotonic()
        self._going = False
        self._first = True

    @property
    def overdue(self) -> bool:
        """Whether its source has been silent for so long that it will not go on.

        Once it goes on, the source itself tells when it is over.
        """
        return not self._going and time.monotonic() - self._heard > self._idle

    def goes_on(self, start: RunStart) -> bool:
        """Whether a start is that of the run, met again in its middle.

        A header that is sent once begins another run, even under an old number; so a stream goes
        on where its header is missing. A directory that is read from its beginning goes on as well.
        """
        known = start.metadata.get("header") == "missing" or self._rereads
        self._going = known and start.series == self._run.series
        return self._going

    def gap(self, frame: Frame) -> range:
        """Return the numbers between what was received before and this frame.

        Raises
        ------
        FrameError
            ``duplicate`` for a frame that was received before.
        """
        index = frame.index
        if index in self._missing:
            return range(0)
        if index <= self._newest:
            raise FrameError("duplicate", f"{frame.origin} was received before the restart")
        # After its first new frame the source itself counts what is lost.
        gap = range(self._newest + 1, index) if self._first else range(0)
        self._first = False
        return gap
