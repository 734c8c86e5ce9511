"""How the daemon is doing, in numbers that add up."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal, NamedTuple

from livepdf.model.quality import Lamp

State = Literal["starting", "waiting", "running", "paused", "draining", "stopped"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Counters:
    """Where every frame went: received = used + left out + Σ refused + waiting, always."""

    received: int = 0
    used: int = 0
    left_out: int = 0
    """Measured and flagged, and not in any window because the recipe says so."""
    refused: Mapping[str, int] = field(default_factory=dict)
    """By reason."""
    waiting: int = 0
    """In the queue, in a worker, or spooled to disk."""
    lost: int = 0
    """Frames that the numbering says existed but never arrived here."""

    def add_up(self) -> bool:
        """Whether nothing went missing inside livepdf."""
        settled = self.used + self.left_out + sum(self.refused.values())
        return self.received == settled + self.waiting


@dataclass(frozen=True, slots=True, kw_only=True)
class Redo:
    """Stored windows on their way through a new plan, the newest first."""

    run: str
    revision: int
    part: Literal["curves", "trends"]
    """Curves come first, trends follow where they take long."""
    first: int
    """Windows from this to ``last`` are done; the number after ``last`` where none is."""
    last: int
    """Newest window that is done again; later ones have the new plan anyhow."""
    done: int
    total: int
    missing: int = 0
    """Windows whose sums could not be had: they keep their revision."""
    state: Literal["running", "done", "cancelled", "failed"] = "running"
    followed: int = -1
    """Newest window that has its trends of the whole run once more, after all others; −1 before."""


@dataclass(frozen=True, slots=True, kw_only=True)
class FeedStatus:
    """One feed of slow values: temperature, monitor, motors."""

    name: str
    """Kind and address, for people."""
    state: str
    """connected, waiting, stalled or lost, with the reason."""
    clock_offset: float = float("nan")
    """s by which our clock is ahead of the feed's, from the times of receipt; NaN while unknown."""
    clock_uncertainty: float = float("nan")
    """s"""
    clock_used: float = 0.0
    """s that are added to the feed's times."""
    age: float = float("nan")
    """s since its newest reading; NaN before the first."""
    newest: tuple[tuple[str, float], ...] = ()
    """Newest reading of each value."""
    joined: int = 0
    """Frames that got a value from it."""
    missing: Mapping[str, int] = field(default_factory=dict)
    """Values that frames did not get, by reason."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Disk:
    """The disk that is written to and will be full first."""

    folder: str = ""
    free: int
    """Bytes."""
    pace: float = float("nan")
    """Bytes per s by which it fills, whoever writes; 0 where it does not, NaN while unknown."""
    lasts: float = float("nan")
    """s until it is full at that pace; infinite where it does not fill, NaN while unknown."""
    short: bool = False
    """Whether that is sooner, or less is free, than the profile wants."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Status:
    """One line about the daemon, published about twice a second."""

    state: State
    time: float
    """Unix seconds when this was written."""
    counters: Counters
    run: str = ""
    source: str = ""
    """Kind and address of the source, for people."""
    source_state: str = ""
    """connected, waiting, stalled or lost, with the reason."""
    rate: float = 0.0
    """Frames per second received, over the last seconds."""
    lag: float = float("nan")
    """s from receipt of a frame to its published result."""
    newest: float = float("nan")
    """Unix seconds of the newest frame; its age is the viewer's clock minus this."""
    queue_bytes: int = 0
    queue_limit: int = 0
    windows: int = 0
    """Windows finished in this run."""
    revision: int = 0
    redo: Redo | None = None
    """The last change that stored windows were reduced again for."""
    output: str = ""
    """File that the results go to."""
    disk: Disk | None = None
    """Room on the disk, None before anybody has looked."""
    problems: tuple[str, ...] = ()
    """What is wrong now, loudest first; empty when all is well."""
    feeds: tuple[FeedStatus, ...] = ()
    """Feeds of slow values, in the order of the profile."""
    preparing: str = ""
    """What is being compiled, after an install or an update; empty while nothing is."""
    quality: tuple[Lamp, ...] = ()
    """How good the newest frames are."""
    control: str = ""
    """Who holds control; empty where nobody does, and anybody may change things."""
    recording: str = ""
    """File that the raw stream is recorded to; empty where it is not."""
    owed: int = 0
    """Windows whose trends were skipped, as newer ones waited, and are still to come."""
    costs: tuple[tuple[str, float], ...] = ()
    """Each analysis of a window with the CPU time that it takes, s, median of the last ones."""
    clients: int = 0
    """Viewers that follow the results now."""
    sinks: Mapping[str, int] = field(default_factory=dict)
    """Results and events that each publishing sink did not take."""
    turned_away: Mapping[str, int] = field(default_factory=dict)
    """Requests and connections that were refused since the start, by reason."""


EventKind = Literal[
    "run start", "run end", "mark", "recipe", "warning", "error", "onset", "finding"
]
FOUND: tuple[EventKind, ...] = ("onset", "finding")
"""What analyses tell, which a rerun tells anew: the onset, fit to trigger by, and all else."""


class News(NamedTuple):
    """What an analysis tells of a window."""

    kind: EventKind
    """One of `FOUND`."""
    text: str
    """For people."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Event:
    """Something that happened at one moment of the run."""

    kind: EventKind
    time: float
    """Unix seconds."""
    text: str
    run: str = ""
    frame: int = -1
    """Newest frame at that moment; -1 where there is none."""
