"""What a killed process left: its unfinished runs, frames on disk, and what was lost with it."""

import logging
import re
import subprocess
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import pairwise
from pathlib import Path

import h5py

from livepdf.daemon.adopting import adopt, irreplaceable
from livepdf.daemon.journal import CLOSED, Closed, FrameHead, Opened, decode
from livepdf.daemon.logbook import Logbook, Progress
from livepdf.daemon.runs import TakenUp
from livepdf.daemon.spool import Slot, Spool
from livepdf.daemon.tickets import Gap, RunCloses
from livepdf.daemon.windows import CutterState
from livepdf.sinks.nexus_read import Stored, read_windows

log = logging.getLogger(__name__)

_MEND = 120.0
"""s that the repair of a file may take."""
_NOTHING = Progress(serial=-1)


Was = Slot | Gap | RunCloses


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Left:
    """One run that is not over, with what is to be queued again."""

    opened: Opened
    serial: int
    """All of the run up to it is settled."""
    taken_up: TakenUp
    shape: tuple[int, int] | None
    items: Sequence[tuple[int, Was, bool]]
    """In order: serial, what it is, and whether the intake was paused."""
    missing: Sequence[int]
    """Numbers of frames that were in memory alone."""
    indices: Mapping[int, int]
    """Numbers of the frames among the items, by serial."""

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
    return [_mended(left, folder) for left in runs]


def _mended(left: Left, folder: Path) -> Left:
    """Make the last file of a run readable, with the windows that cannot be made again."""
    left = _with_unnoted_file(left, folder)
    taken_up = left.taken_up
    if not taken_up.parts:
        return left
    path, first = taken_up.parts[-1]
    on_disk = {left.indices.get(s, -1) for s, what, _ in left.items if isinstance(what, Slot)}
    _mend(path, "all")
    kept = irreplaceable(_rows(path, first, taken_up.number), taken_up, on_disk=on_disk)
    if kept:
        return _adopted(left, kept)
    _mend(path, str(max(0, taken_up.number - first)))
    return left


def _with_unnoted_file(left: Left, folder: Path) -> Left:
    """Add the file that was begun after the last note, where there is one."""
    known = {path for path, _ in left.taken_up.parts}
    stems = re.compile(re.escape(left.opened.name) + r"(-rev\d+)?(-part\d+)?")
    beside = [
        path for path in (folder / left.opened.below).glob("*.nxs") if stems.fullmatch(path.stem)
    ]
    new = sorted(set(beside) - known, key=lambda path: path.stat().st_mtime)
    # One that is older than a file that was noted is what an earlier restart left empty.
    newest = max((path.stat().st_mtime for path in known if path.exists()), default=0.0)
    parts = [(path, left.taken_up.number) for path in new if path.stat().st_mtime >= newest]
    taken_up = replace(left.taken_up, parts=(*left.taken_up.parts, *parts))
    return replace(left, taken_up=taken_up)


def _adopted(left: Left, rows: Sequence[Stored]) -> Left:
    """Return a run without the frames that are in these windows."""
    within = {index for row in rows for index in range(row.span.first, row.span.last + 1)}
    gone = {serial for serial, index in left.indices.items() if index in within}
    return replace(
        left,
        taken_up=adopt(left.taken_up, rows),
        items=[item for item in left.items if item[0] not in gone],
        missing=[index for index in left.missing if index not in within],
    )


def _rows(path: Path, first: int, number: int) -> list[Stored]:
    """Return the windows of a file from ``number`` on, none where it cannot be read."""
    try:
        with h5py.File(path, "r") as file:
            rows = file["entry/windows/number"].shape[0]
            found = read_windows(file, range(max(0, number - first), rows))
    except (OSError, RuntimeError, ValueError, KeyError) as error:
        log.warning("%s cannot be read: %s", path, error)
        return []
    return [found[place] for place in sorted(found)]


def _left(opened: Opened, found: _Found, serials: range, folder: Path) -> Left:
    progress = found.progress if opened.serial == found.progress.opened else _NOTHING
    state = decode(progress.cutter, CutterState) if progress.cutter else None
    items: list[tuple[int, Was, bool]] = []
    newest = -1 if state is None or state.whole.sums is None else state.whole.last
    missing, indices = [], {}
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
        if index >= 0:
            indices[serial] = index
    return Left(
        opened=opened,
        serial=max(opened.serial, progress.serial),
        taken_up=TakenUp(
            state=state,
            counters=progress.counters,
            parts=tuple((folder / part.name, part.first) for part in progress.parts),
            newest=newest,
        ),
        shape=progress.shape,
        items=items,
        missing=missing,
        indices=indices,
    )


def _item(record: tuple[Slot, int, bytes], index: int) -> tuple[tuple[Was, bool], int]:
    slot, kind, head = record
    if kind == CLOSED:
        closed = decode(head, Closed)
        return (RunCloses(time=closed.time, reason=closed.reason, lost=closed.lost), False), index
    frame = decode(head, FrameHead)
    return (slot, frame.paused), max(index, frame.index)


def _mend(path: Path, rows: str) -> None:
    """Make a file readable for everybody and cut it to some rows, or to all that are whole."""
    command = [sys.executable, "-m", "livepdf.sinks.nexus_mend", str(path), rows]
    try:
        subprocess.run(command, check=True, capture_output=True, timeout=_MEND, text=True)
    except subprocess.CalledProcessError as error:
        last = error.stderr.strip().splitlines()[-1:] or [f"exit code {error.returncode}"]
        log.warning("%s is left as it was: %s", path, last[0])
    except (OSError, subprocess.TimeoutExpired) as error:
        log.warning("%s is left as it was: %s", path, error)
