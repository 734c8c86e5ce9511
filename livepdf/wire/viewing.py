"""Ask a daemon for what windows show beside curves."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, TypeVar

import numpy as np
from numpy.typing import NDArray

from livepdf.errors import SourceError
from livepdf.model.curve import Curve, CurveKind, Result
from livepdf.wire.messages import Reply, Request, Window
from livepdf.wire.unpack import result_of
from livepdf.wire.views import (
    AnglesReply,
    AnglesRequest,
    ControlReply,
    ControlRequest,
    ExportReply,
    ExportRequest,
    FrameRequest,
    RecordReply,
    RecordRequest,
    StructureReply,
    StructureRequest,
    TogetherRequest,
)

R = TypeVar("R")
Ask = Callable[[Request, float], tuple[Reply, list[NDArray[Any]]]]

_PATIENCE = 15.0
"""s for what has to be looked up."""
_CALCULATED = 120.0
"""s for what has to be calculated: the first time, code is compiled for it."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class PixelAngles:
    """Where the pixels of the preview look."""

    q: NDArray[np.float32]
    """(ny, nx) Å⁻¹"""
    wavelength: float
    """Å"""
    sectors: NDArray[np.uint16] | None
    """(ny, nx) number of the sector of each; None where rings are not cut."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Calculated:
    """What a structure would give."""

    about: StructureReply
    curves: tuple[Curve, ...]


class Viewing:
    """Made from `Client.ask`; every method waits and raises SourceError with the reason."""

    def __init__(self, ask: Ask) -> None:
        self._ask = ask

    def angles(self) -> PixelAngles:
        """Return where the pixels of the preview look."""
        reply, arrays = self._one(AnglesReply, AnglesRequest())
        sectors = arrays[reply.sectors] if reply.sectors >= 0 else None
        return PixelAngles(q=arrays[reply.q], wavelength=reply.wavelength, sectors=sectors)

    def structure(self, name: str, text: str = "") -> Calculated:
        """Calculate curves, bonds and reflections of a file's text, or by a name."""
        reply, arrays = self._one(
            StructureReply, StructureRequest(name=name, text=text), patience=_CALCULATED
        )
        curves = tuple(
            Curve(kind=c.kind, x=arrays[c.x], y=arrays[c.y], sigma=arrays[c.sigma])
            for c in reply.curves
        )
        return Calculated(about=reply, curves=curves)

    def export(self, run: str, number: int, kind: CurveKind) -> tuple[str, str]:
        """Return name and text of the file of one window, -1 for the run so far."""
        reply, _ = self._one(ExportReply, ExportRequest(run=run, number=number, kind=kind))
        return reply.name, reply.text

    def frame(self) -> Result:
        """Return the curves of the newest frame alone."""
        reply, arrays = self._one(Window, FrameRequest())
        return result_of(reply, arrays)

    def together(self, run: str, *, first: int, last: int) -> Result:
        """Return the windows from first to last as one."""
        reply, arrays = self._one(
            Window, TogetherRequest(run=run, first=first, last=last), patience=_CALCULATED
        )
        return result_of(reply, arrays)

    def control(self, name: str, *, take: bool, force: bool = False) -> ControlReply:
        """Take control, keep it, or let go of it."""
        reply, _ = self._one(ControlReply, ControlRequest(name=name, take=take, force=force))
        return reply

    def record(self, *, on: bool) -> RecordReply:
        """Begin a recording of the raw stream, or end the one that is running."""
        reply, _ = self._one(RecordReply, RecordRequest(on=on), patience=_CALCULATED)
        return reply

    def _one(
        self, wanted: type[R], request: Request, *, patience: float = _PATIENCE
    ) -> tuple[R, list[NDArray[Any]]]:
        reply, arrays = self._ask(request, patience)
        if not isinstance(reply, wanted):
            raise SourceError(f"a {type(reply).__name__} came instead of a {wanted.__name__}")
        return reply, arrays
