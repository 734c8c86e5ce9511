"""All that the window may show, as it was at one moment."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from livepdf.model.curve import Result
from livepdf.model.status import Event, Status
from livepdf.wire.messages import PreviewMessage, Snapshot
from livepdf.wire.retune import Look
from livepdf.wire.tuning import RecipeReply
from livepdf_gui.show.columns import History


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
    history: History | None = None
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
    complaint: str = ""
    """Why the last thing asked for was not done."""
