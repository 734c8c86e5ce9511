"""What windows ask beside curves: where pixels look, curves of structures, files, who may act."""

import msgspec

from livepdf.model.curve import CurveKind
from livepdf.wire.curves import CurveHeader


class AnglesRequest(msgspec.Struct, frozen=True, tag="angles"):
    """Ask where the pixels of the preview look."""


class AnglesReply(msgspec.Struct, frozen=True, kw_only=True, tag="angles"):
    """Where the pixels of the preview look; see there for how they are binned."""

    wavelength: float
    """Å"""
    q: int
    """Number of the buffer: (ny, nx) float32, Å⁻¹, mean of the pixels that share one."""
    sectors: int
    """(ny, nx) uint16, number of the sector; −1 where rings are not cut."""


class StructureRequest(msgspec.Struct, frozen=True, kw_only=True, tag="structure"):
    """Ask for what a structure or the G(r) of a file would be with the recipe in use."""

    name: str
    """Of a structure that the daemon knows, or of the file."""
    text: str = ""
    """The file itself, a CIF, XYZ, trajectory or .gr; empty for a structure by its name."""


class FrameRequest(msgspec.Struct, frozen=True, tag="frame"):
    """Ask for the curves of the newest frame alone; a `Window` comes, of the scope ``frame``."""


class TogetherRequest(msgspec.Struct, frozen=True, kw_only=True, tag="together"):
    """Ask for some windows as one, by the recipe in use; a `Window` comes.

    At most `MOST_TOGETHER` at once.
    """

    run: str
    first: int
    last: int
    """Inclusive."""


MOST_TOGETHER = 2000


class Bond(msgspec.Struct, frozen=True, kw_only=True):
    """A distance between atoms."""

    r: float
    """Å"""
    elements: str
    """E.g. ``Hf–O``."""
    count: float
    """Mean number of such neighbours of the first."""


class StructureReply(msgspec.Struct, frozen=True, kw_only=True, tag="structure"):
    """For an endless crystal, a cluster, the mean of a trajectory's steps, or a G(r) of a file."""

    name: str
    curves: tuple[CurveHeader, ...]
    """gr, with the termination and damping of the recipe and instrument; σ is NaN if unknown."""
    bonds: tuple[Bond, ...]
    """The shortest distances, rising."""
    reflections: tuple[float, ...]
    """Å⁻¹, rising; those that cannot be seen are left out."""
    note: str = ""
    """What was done to the G(r) of a file, for people; empty where nothing had to be."""
    revision: int = 0
    """Of the recipe by which it was calculated."""


class ExportRequest(msgspec.Struct, frozen=True, kw_only=True, tag="export"):
    """Ask for a curve of one window as the text of a file whose header repeats the calculation."""

    run: str
    number: int
    """Of the window; -1 for the run so far."""
    kind: CurveKind


class ExportReply(msgspec.Struct, frozen=True, kw_only=True, tag="export"):
    """A file."""

    name: str
    """That it would have in the folder of the results."""
    text: str


class ControlRequest(msgspec.Struct, frozen=True, kw_only=True, tag="control"):
    """Take control, keep it, or let go of it: while one holds it, nobody else changes anything.

    Who says nothing for `LAPSE` s has let go.
    """

    name: str
    """Of whoever asks, for the others to see."""
    take: bool
    force: bool = False
    """Take it from whoever holds it; they see who did."""


class ControlReply(msgspec.Struct, frozen=True, kw_only=True, tag="control"):
    """Who holds control now."""

    holder: str
    """Empty where nobody does."""
    here: bool
    """Whether that is who asked."""


class RecordRequest(msgspec.Struct, frozen=True, kw_only=True, tag="record"):
    """Begin a recording of the raw stream, or end the one that is running."""

    on: bool


class RecordReply(msgspec.Struct, frozen=True, kw_only=True, tag="record"):
    """A recording that was begun or ended."""

    file: str
    messages: int
    """Written; 0 at the beginning."""
    missing: int
    """That the disk did not take."""


LAPSE = 10.0
"""s without a word after which control is free."""

ViewRequest = AnglesRequest | StructureRequest | ExportRequest | FrameRequest | TogetherRequest
ViewReply = AnglesReply | StructureReply | ExportReply
