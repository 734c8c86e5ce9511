"""What a killed process left: its unfinished runs, frames on disk, and what was lost with it."""

import logging
import subprocess
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path

from livepdf.daemon.journal import CLOSED, Closed, FrameHead, Opened, decode
from livepdf.daemon.logbook import Logbook, Progress
from livepdf.daemon.runs import TakenUp
from livepdf.daemon.spool import Slot, Spool
from livepdf.daemon.tickets import Gap, RunCloses
from livepdf.daemon.windows import CutterState

log = logging.getLogger(__name__)

_MEND = 120.0
"""s that the repair of a file may take."""
_NOTHING = Progress(serial=-1)


Was = Slot | Gap | RunCloses


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Left:
    """One run that is not over, with what is to be queued again."""

    opened: Opened
    taken_up: TakenUp
    shape: tuple[int, int] | None
    items: Sequence[tuple[int, Was, bool]]
    """In order: serial, what it is, and whether the intake was paused."""
    missing: Sequence[int]
    """Numbers of frames that were in memory alone."""

    @property
    def frames(self) -> int:
        """How many frames lie on disk."""
        return sum(isinstance(what, Slot) for _, what, _ in self.items)

    @property
    def closed(self) -> bool:
        """Whether its end was received."""
        return any(isinstance(what, RunCloses) for _, what, _ in self.items)


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class _Found:
    """All that lies beside the results."""

    progress: Progress
    records: Mapping[int, tuple[Slot, int, bytes]]
    """Slot, kind and head of what is not settled, by serial."""
    noted: Mapping[int, int]
    """Numbers of the frames that were received, by serial; -1 for what is no frame."""


def look_back(logbook: Logbook, spool: Spool, *, folder: Path) -> list[Left]:
    """Return the runs that an earlier process left, oldest first; count serials on from there.

    Parameters
    ----------
    folder : Path
        Of the results: the last file of each run is mended there.
    """
    progress = logbook.progress() or _NOTHING
    noted = logbook.noted(progress.serial)
    records = {
        serial: (slot, kind, head)
        for slot, kind, serial, head in spool.found()
        if serial > progress.serial
    }
    logbook.next_serial = max([progress.serial, *noted, *records]) + 1
    found = _Found(progress=progress, records=records, noted=noted)
    starts = [s for s in logbook.starts() if s > progress.serial or s == progress.opened]
    runs = []
    for serial, end in pairwise([*starts, logbook.next_serial]):
        opened = logbook.start(serial)
        if opened is not None:
            runs.append(_left(opened, found, range(serial, end), folder))
    for left in runs:
        if left.taken_up.parts:
            _mend(*left.taken_up.parts[-1], number=left.taken_up.number)
    return runs


def _left(opened: Opened, found: _Found, serials: range, folder: Path) -> Left:
    progress = found.progress if opened.serial == found.progress.opened else _NOTHING
    state = decode(progress.cutter, CutterState) if progress.cutter else None
    items: list[tuple[int, Was, bool]] = []
    newest = -1 if state is None or state.whole.sums is None else state.whole.last
    missing = []
    for serial in sorted(found.records.keys() | found.noted.keys()):
        if serial not in serials:
            continue
        index = found.noted.get(serial, -1)
        record = found.records.get(serial)
        if record is not None:
            item, index = _item(record, index)
            items.append((serial, *item))
        elif index >= 0:
            missing.append(index)
            items.append((serial, Gap(frames=1), False))
        newest = max(newest, index)
    return Left(
        opened=opened,
        taken_up=TakenUp(
            state=state,
            counters=progress.counters,
            parts=tuple((folder / part.name, part.first) for part in progress.parts),
            newest=newest,
        ),
        shape=progress.shape,
        items=items,
        missing=missing,
    )


def _item(record: tuple[Slot, int, bytes], index: int) -> tuple[tuple[Was, bool], int]:
    slot, kind, head = record
    if kind == CLOSED:
        closed = decode(head, Closed)
        return (RunCloses(time=closed.time, reason=closed.reason, lost=closed.lost), False), index
    frame = decode(head, FrameHead)
    return (slot, frame.paused), max(index, frame.index)


def _mend(path: Path, first: int, *, number: int) -> None:
    """Make the last file of a run readable for everybody and cut it before window ``number``."""
    command = [sys.executable, "-m", "livepdf.sinks.nexus_mend", str(path), str(number - first)]
    try:
        subprocess.run(command, check=True, capture_output=True, timeout=_MEND, text=True)
    except subprocess.CalledProcessError as error:
        last = error.stderr.strip().splitlines()[-1:] or [f"exit code {error.returncode}"]
        log.warning("%s is left as it was: %s", path, last[0])
    except (OSError, subprocess.TimeoutExpired) as error:
        log.warning("%s is left as it was: %s", path, error)
