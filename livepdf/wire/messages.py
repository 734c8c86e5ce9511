"""What travels on the wire: published messages, requests and their replies."""

from typing import Literal

import msgspec

from livepdf.model.curve import Span, Trend
from livepdf.model.status import Event, Status
from livepdf.wire.breakdown import BreakdownHeader
from livepdf.wire.curves import CurveHeader
from livepdf.wire.laser import LaserHeader
from livepdf.wire.overview import MapReply, MapRequest, OverviewReply, OverviewRequest
from livepdf.wire.serial import SerialHeader
from livepdf.wire.tuning import TuningReply, TuningRequest
from livepdf.wire.views import (
    ControlReply,
    ControlRequest,
    RecordReply,
    RecordRequest,
    ViewReply,
    ViewRequest,
)

VERSION = 3
"""Raised when a message changes so that an older reader would misread it."""
LARGEST_REQUEST = 1 << 20
"""Bytes of a request; the line of who sends more is cut."""
Role = Literal["viewer", "controller"]
"""A viewer sees everything and changes nothing; a controller may ask for anything."""


class Published(msgspec.Struct, frozen=True, kw_only=True, tag_field="type"):
    """Anything on the results socket."""

    sequence: int
    """Counts every published message of this daemon, from 1."""


class ResultMessage(Published, frozen=True, kw_only=True, tag="result"):
    """All curves and trends of one frame, window or run."""

    span: Span
    curves: tuple[CurveHeader, ...]
    trends: tuple[Trend, ...]
    environment: tuple[tuple[str, float], ...]
    flags: tuple[str, ...] = ()
    quality: tuple[tuple[str, float], ...] = ()
    flagged: tuple[tuple[str, int, int], ...] = ()
    left_out: int = 0


class StatusMessage(Published, frozen=True, kw_only=True, tag="status"):
    """The status line, about twice a second: also the heartbeat."""

    status: Status


class EventMessage(Published, frozen=True, kw_only=True, tag="event"):
    """Something happened."""

    event: Event


class PreviewMessage(Published, frozen=True, kw_only=True, tag="preview"):
    """The newest detector image, binned for the screen: mean counts per used pixel."""

    run: str
    frame: int
    time: float
    image: int
    """Number of the buffer: (ny, nx) float32, NaN where every pixel is masked."""
    binning: int
    """Detector pixels per pixel of the image, along each side."""
    saturated: int = -1
    """Number of the buffer: (ny, nx) bool, what holds a saturated pixel; -1 without."""


class LaserMessage(Published, frozen=True, kw_only=True, tag="laser"):
    """Shots with and without a laser: what is known now; buffers as `livepdf.wire.laser` says."""

    header: LaserHeader


class SerialMessage(Published, frozen=True, kw_only=True, tag="serial"):
    """Hits, their powder and sizes, now; buffers as `livepdf.wire.serial` says."""

    header: SerialHeader


class BreakdownMessage(Published, frozen=True, kw_only=True, tag="breakdown"):
    """Samples that a laser destroys, now; buffers as `livepdf.wire.breakdown` says."""

    header: BreakdownHeader


class ByeMessage(Published, frozen=True, kw_only=True, tag="bye"):
    """The daemon stops; nothing follows."""

    reason: str


PublishedMessage = (
    ResultMessage
    | StatusMessage
    | EventMessage
    | PreviewMessage
    | LaserMessage
    | SerialMessage
    | BreakdownMessage
    | ByeMessage
)


class SnapshotRequest(msgspec.Struct, frozen=True, tag="snapshot"):
    """Ask for all that a viewer needs before it follows the stream."""


class HistoryRequest(msgspec.Struct, frozen=True, kw_only=True, tag="history"):
    """Ask for windows of a run, oldest first."""

    run: str
    first: int = 0
    limit: int = 500
    """At most this many windows in the reply."""


class WindowRequest(msgspec.Struct, frozen=True, kw_only=True, tag="window"):
    """Ask for all curves of one window with their σ."""

    run: str
    number: int


class MarkRequest(msgspec.Struct, frozen=True, kw_only=True, tag="mark"):
    """Put a note on the time axis."""

    text: str


class PauseRequest(msgspec.Struct, frozen=True, kw_only=True, tag="pause"):
    """Stop or go on making windows; frames are received and counted all the same."""

    paused: bool


class ResetRequest(msgspec.Struct, frozen=True, tag="reset"):
    """Start the run's accumulated curve anew; the windows stay."""


class NextRunRequest(msgspec.Struct, frozen=True, kw_only=True, tag="next run"):
    """End the run that is open, and let another begin with the next frame of the same series."""

    name: str = ""
    """Of the run that begins; that of the series where it is empty."""


class ShutdownRequest(msgspec.Struct, frozen=True, tag="shutdown"):
    """Drain, flush, close, stop."""


Request = (
    SnapshotRequest
    | HistoryRequest
    | WindowRequest
    | MarkRequest
    | PauseRequest
    | ResetRequest
    | NextRunRequest
    | ShutdownRequest
    | OverviewRequest
    | MapRequest
    | ControlRequest
    | RecordRequest
    | ViewRequest
    | TuningRequest
)


class Snapshot(msgspec.Struct, frozen=True, kw_only=True, tag="snapshot"):
    """The state of the daemon at one moment."""

    version: int
    sequence: int
    """Of the last message published before this; the stream goes on after it."""
    results: str
    """Address of the results socket."""
    software: str
    """Name and version of the daemon."""
    status: Status
    events: tuple[Event, ...]
    first_window: int
    """Number of the oldest window kept; -1 where there is none."""
    last_window: int
    """Number of the newest window; -1 where there is none."""
    profile: str
    """Name of the instrument."""
    sample: str
    composition: str
    masked: float
    """Fraction of the detector that the static mask ignores."""
    role: Role = "controller"
    """What whoever asked may do: a viewer changes nothing."""


class History(msgspec.Struct, frozen=True, kw_only=True, tag="history"):
    """Windows of a run; the curves are stacked in buffers.

    All are on the grids of the newest: where a window was made by another revision on another
    grid, its curves are interpolated, NaN beyond their ends. Ask for the window itself to have it
    as it is.
    """

    run: str
    spans: tuple[Span, ...]
    trends: tuple[tuple[Trend, ...], ...]
    """One tuple for each window."""
    environment: tuple[tuple[tuple[str, float], ...], ...]
    flags: tuple[tuple[str, ...], ...] = ()
    """One tuple for each window."""
    q: int
    """Number of the buffer: (n_q,) float64, Å⁻¹."""
    iq: int
    """(windows, n_q) float32."""
    r: int
    """(n_r,) float64, Å."""
    gr: int
    """(windows, n_r) float32."""
    complete: bool
    """Whether these reach the newest window."""


class Window(msgspec.Struct, frozen=True, kw_only=True, tag="window"):
    """One window whole."""

    span: Span
    curves: tuple[CurveHeader, ...]
    trends: tuple[Trend, ...]
    environment: tuple[tuple[str, float], ...]
    flags: tuple[str, ...] = ()
    quality: tuple[tuple[str, float], ...] = ()
    flagged: tuple[tuple[str, int, int], ...] = ()
    left_out: int = 0


class Done(msgspec.Struct, frozen=True, tag="done"):
    """The request was carried out."""


class Refused(msgspec.Struct, frozen=True, kw_only=True, tag="refused"):
    """The request was not carried out; nothing changed."""

    why: Literal[
        "malformed", "unknown", "not there", "not allowed", "too much", "wrong settings", "failed"
    ]
    text: str


Reply = (
    Snapshot
    | History
    | Window
    | Done
    | Refused
    | OverviewReply
    | MapReply
    | ControlReply
    | RecordReply
    | ViewReply
    | TuningReply
)
