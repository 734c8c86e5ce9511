"""What stands in the queue: frames, and where runs begin and end."""

from dataclasses import dataclass, replace

from livepdf.daemon.runs import Run
from livepdf.daemon.spool import Slot
from livepdf.model.frame import Frame, PackedImage


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
class Gap:
    """Frames that another process had received and that were in its memory when it was killed."""

    frames: int


@dataclass(frozen=True, slots=True)
class Stop:
    """Nothing follows."""


Item = Frame | RunOpens | RunCloses | PauseBegins | Gap | Stop


@dataclass(frozen=True, slots=True)
class Ticket:
    """A place in the queue: later stages restore the order of the numbers."""

    number: int
    item: Item
    run: Run | None = None
    paused: bool = False
    slot: Slot | None = None
    """Where the image lies on disk, where it could not be read back."""
    serial: int = -1
    """Its place among all that this directory ever received: restarts go on counting."""


def without_image(frame: Frame) -> Frame:
    """Return the frame with all it says, but no bytes of its image."""
    image = frame.image
    packed = PackedImage(blob=b"", algorithm=image.algorithm, shape=image.shape, dtype=image.dtype)
    return replace(frame, image=packed)
