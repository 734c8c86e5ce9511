"""What is handed to the store, in the order in which it is to be on disk."""

from collections.abc import Sequence
from concurrent.futures import Future
from dataclasses import dataclass
from pathlib import Path

from livepdf.daemon.collector import Checkpoint
from livepdf.model.finding import Finding
from livepdf.model.status import Counters, Event
from livepdf.sinks.nexus import RunHeader, WindowRow
from livepdf.sinks.nexus_difference import Reference
from livepdf.sinks.nexus_read import Stored


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Begin:
    """Results of another run follow, or of the same run by a new revision."""

    header: RunHeader
    earlier: Sequence[tuple[Path, int]] = ()
    """Files of the run that another process wrote, and the window of the first row of each."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Again:
    """Windows that were reduced once more."""

    rows: Sequence[WindowRow]
    trends_only: bool = False


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Recall:
    """Windows of the run are wanted back."""

    numbers: Sequence[int]
    reply: "Future[dict[int, Stored]]"


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Finish:
    """The run is over."""

    time: float
    counters: Counters
    findings: tuple[Finding, ...] = ()
    """What the whole run says."""


@dataclass(frozen=True, slots=True)
class Quit:
    """Nothing follows."""


Parts = Sequence[tuple[Path, int]]
Entry = Begin | WindowRow | Again | Recall | Reference | Event | Checkpoint | Finish | Quit


def row_bytes(row: WindowRow) -> int:
    """Return about how much memory a window takes."""
    curves = sum(curve.y.nbytes + curve.sigma.nbytes for curve in row.result.curves)
    return curves + 4 * row.sums.signal.nbytes
