"""All that the window may show, as it was at one moment."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from livepdf.model.breakdown import BreakdownReport
from livepdf.model.curve import CurveKind, Result
from livepdf.model.laser import LaserReport
from livepdf.model.serial import SerialReport
from livepdf.model.status import Event, Status
from livepdf.wire.messages import PreviewMessage, Snapshot
from livepdf.wire.retune import Look
from livepdf.wire.tuning import RecipeReply
from livepdf_gui.show.columns import History
from livepdf_gui.show.reference import Reference


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class MapDetail:
    """One kind of curve of consecutive windows, every point of it."""

    run: str
    kind: CurveKind
    first: int
    """Number of the first window."""
    x: NDArray[np.float64]
    y: NDArray[np.float32]
    """(windows, n)"""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Angles:
    """Where the pixels of the preview look."""

    q: NDArray[np.float32]
    """(ny, nx) Å⁻¹"""
    wavelength: float
    """Å"""
    sectors: NDArray[np.uint16] | None = None
    """(ny, nx) number of the sector of each, None where rings are not cut."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class State:
    """A picture of the daemon, made by the thread that follows it; nobody changes it."""

    endpoint: str
    version: int = 0
    """Grows with every change."""
    connection: str = "not connected yet"
    connected: bool = False
    met: bool = False
    """Whether this daemon was ever reached."""
    snapshot: Snapshot | None = None
    status: Status | None = None
    status_heard: float = float("nan")
    """Monotonic seconds when the status came."""
    events: tuple[Event, ...] = ()
    latest: Result | None = None
    whole: Result | None = None
    preview: PreviewMessage | None = None
    preview_image: NDArray[np.float32] | None = None
    saturated: NDArray[np.bool_] | None = None
    """(ny, nx) which pixels of the preview hold a saturated one."""
    angles: Angles | None = None
    detail: MapDetail | None = None
    """A part of a map at full resolution, where somebody zoomed in."""
    references: tuple[Reference, ...] = ()
    """Calculated by the daemon from structures."""
    laser: LaserReport | None = None
    """Shots with and without a laser, for pages of their own; None where there are none."""
    serial: SerialReport | None = None
    breakdown: BreakdownReport | None = None
    history: History | None = None
    frame: Result | None = None
    """The newest frame alone, where it is looked at."""
    together: Result | None = None
    """Windows as one."""
    together_of: tuple[str, int, int, int] | None = None
    """Run, first and last window, and revision of that."""
    fetched: Result | None = None
    """The window that was asked for, with its σ."""
    recipe: RecipeReply | None = None
    """What holds in the daemon, once it was asked for."""
    draft: Look | None = None
    """One window by the draft; None where nothing is drafted."""
    tuned: str = ""
    """What was changed last."""
    refusal: str = ""
    """Why a draft is none."""
    said: str = ""
    """What was done last for the user."""
    in_control: bool = False
    """Whether this window holds control."""
    complaint: str = ""
    """Why the last thing asked for was not done."""
