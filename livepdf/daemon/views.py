"""Answers what windows ask beside curves, in a thread of its own: angles, structures, files."""

import copy
import tempfile
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import msgspec
import numpy as np
from numpy.typing import NDArray

from livepdf.daemon.alike import alike_gr
from livepdf.daemon.asides import NewestFrame, together, window_reply
from livepdf.daemon.assemble import Pipeline
from livepdf.daemon.history import History
from livepdf.daemon.modelled import model_curves
from livepdf.daemon.preview import PREVIEW_SIDE, binning_factor, shrink
from livepdf.daemon.publish import curve_buffers
from livepdf.daemon.results import Summed
from livepdf.errors import FileError
from livepdf.files.structures import read_structure, structure_names
from livepdf.model.curve import Curve, CurveKind, Result
from livepdf.numerics.geometry import Geometry
from livepdf.numerics.sectors import sector_numbers
from livepdf.reduction.corrections import flipped
from livepdf.reduction.crystal import crystal_curve, near_bonds, visible_lines
from livepdf.reduction.recipes import plan_extras, plan_header
from livepdf.sinks.columns import write_curve
from livepdf.wire.messages import Refused
from livepdf.wire.views import (
    MOST_TOGETHER,
    AnglesReply,
    AnglesRequest,
    Bond,
    ExportReply,
    ExportRequest,
    FrameRequest,
    StructureReply,
    StructureRequest,
    TogetherRequest,
    ViewRequest,
)

Answer = tuple[msgspec.Struct, list[NDArray[Any]]]

_LARGEST_TEXT = 1 << 19
_MOST_ATOMS = 400
_MODELS = (".xyz", ".lammpstrj")
"""Endings of clusters and trajectories."""
_FURTHEST = 30.0
"""Å; beyond, no curve of a structure is calculated."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Seen:
    """What the answers are made from."""

    pipeline: Callable[[], Pipeline | None]
    """In use now."""
    history: History
    windows: Callable[[Sequence[int]], Mapping[int, Summed]]
    """The sums of those that are kept, in order."""


class Views:
    """One request after the other; nothing else of the daemon waits for them."""

    def __init__(self, seen: Seen) -> None:
        self._seen = seen
        self.frame = NewestFrame()
        """Sees every frame that is used."""
        self._pool = ThreadPoolExecutor(max_workers=1, thread_name_prefix="views")
        self._angles: tuple[Geometry, Answer] | None = None

    def ask(self, request: ViewRequest) -> "Future[Answer]":
        """Hand over a request; never waits."""
        return self._pool.submit(self._answer, request)

    def close(self) -> None:
        """Leave what was not begun."""
        self._pool.shutdown(wait=True, cancel_futures=True)

    def _answer(self, request: ViewRequest) -> Answer:
        pipeline = self._seen.pipeline()
        if pipeline is None:
            return _refused("not there", "no frame has told the size of the images yet")
        try:
            match request:
                case AnglesRequest():
                    return self._where(pipeline)
                case StructureRequest():
                    return _structure(request, pipeline)
                case ExportRequest():
                    return self._export(request, pipeline)
                case FrameRequest():
                    return _found(self.frame.result(pipeline), "no frame was used yet")
                case TogetherRequest():
                    return self._together(request, pipeline)
        except (FileError, ValueError, OSError) as error:
            return _refused("failed", str(error))

    def _where(self, pipeline: Pipeline) -> Answer:
        geometry = pipeline.geometry
        if self._angles is None or self._angles[0] is not geometry:
            self._angles = (geometry, _angles(pipeline))
        return self._angles[1]

    def _together(self, request: TogetherRequest, pipeline: Pipeline) -> Answer:
        span = range(max(request.first, 0), request.last + 1)
        if request.run != self._seen.history.run or not span:
            return _refused("not there", "these windows are not of this run")
        if len(span) > MOST_TOGETHER:
            return _refused(
                "too much", f"{len(span)} windows at once, wanted at most {MOST_TOGETHER}"
            )
        return _found(together(pipeline, self._seen.windows, span), "none of them is kept")

    def _export(self, request: ExportRequest, pipeline: Pipeline) -> Answer:
        history = self._seen.history
        if request.number < 0:
            result = history.whole
        else:
            result = history.window(request.run, request.number)
        if result is None or result.span.run != request.run:
            return _refused("not there", f"window {request.number} is not kept")
        curve = next((c for c in result.curves if c.kind == request.kind), None)
        if curve is None:
            return _refused("not there", f"the window has no {request.kind}")
        part = "run" if request.number < 0 else f"{request.number:06d}"
        name = f"{request.run}_{part}.{_ENDINGS.get(request.kind, request.kind)}"
        return ExportReply(name=name, text=_file_text(curve, result, pipeline)), []


_ENDINGS: dict[CurveKind, str] = {"iq": "iq", "dgr": "dgr"}


def _file_text(curve: Curve, result: Result, pipeline: Pipeline) -> str:
    span = result.span
    extras = {
        **plan_extras(pipeline.plan),
        "revision": span.revision,
        "frames": span.frames,
        "first_frame": span.first,
        "last_frame": span.last,
        **{name.replace(" ", "_"): value for name, value in result.environment},
    }
    extras.pop("T", None)
    extras.pop("x", None)
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "curve"
        write_curve(path, curve, header=plan_header(pipeline.plan), extras=extras)
        return path.read_text(encoding="utf-8")


def _angles(pipeline: Pipeline) -> Answer:
    # pyFAI's objects belong to one thread at a time
    geometry, flip = _own(pipeline.geometry), pipeline.profile.detector.flip
    factor = binning_factor(geometry.shape, side=PREVIEW_SIDE)
    q = flipped(geometry.q(), flip=flip)
    small = shrink(q, ignored=np.zeros(q.shape, dtype=np.bool_), factor=factor)
    arrays: list[NDArray[Any]] = [small]
    if pipeline.integrator.sectors > 1:
        number = flipped(sector_numbers(geometry, sectors=pipeline.integrator.sectors), flip=flip)
        middles = [
            np.minimum(np.arange(n) * factor + factor // 2, whole - 1)
            for n, whole in zip(small.shape, q.shape, strict=True)
        ]
        arrays.append(number[np.ix_(*middles)].astype(np.uint16))
    sectors = 1 if len(arrays) > 1 else -1
    return AnglesReply(wavelength=geometry.wavelength, q=0, sectors=sectors), arrays


def _own(geometry: Geometry) -> Geometry:
    return Geometry(
        shape=geometry.shape,
        wavelength=geometry.wavelength,
        orientation=geometry.orientation,
        pyfai_version=geometry.pyfai_version,
        pyfai=copy.deepcopy(geometry.pyfai),
    )


def _structure(request: StructureRequest, pipeline: Pipeline) -> Answer:
    if len(request.text) > _LARGEST_TEXT:
        return _refused("too much", f"a file of {len(request.text)} letters")
    ending = Path(request.name).suffix.lower()
    if request.text and ending in _MODELS:
        return _laid_over(request, model_curves(request.name, request.text, pipeline), pipeline)
    if request.text and ending == ".gr":
        curve, note = alike_gr(Path(request.name).name, request.text, pipeline.plan)
        return _laid_over(request, [curve], pipeline, note=note)
    if request.text:
        with tempfile.TemporaryDirectory() as folder:
            path = Path(folder) / "structure.cif"
            path.write_text(request.text, encoding="utf-8")
            structure = read_structure(path)
    elif request.name.lower() not in structure_names():
        return _refused("failed", "send the file itself, or the name of a known structure")
    else:
        structure = read_structure(request.name)
    if len(structure.elements) > _MOST_ATOMS:
        return _refused("too much", f"{len(structure.elements)} atoms in the cell")
    plan, qdamp = pipeline.plan, pipeline.profile.resolution.qdamp
    r = plan.r[plan.r <= _FURTHEST]
    gr = crystal_curve(
        structure, r=r, qmax=plan.parameters.qmax, qdamp=0.0 if qdamp is None else qdamp
    )
    headers, arrays = curve_buffers([Curve(kind="gr", x=r, y=gr, sigma=np.full(r.shape, np.nan))])
    reply = StructureReply(
        name=Path(request.name).name,
        curves=headers,
        bonds=tuple(
            Bond(r=bond.r, elements=bond.elements, count=bond.count)
            for bond in near_bonds(structure, r_max=min(6.0, float(r[-1])))
        ),
        reflections=visible_lines(structure, q_max=float(plan.q[-1])),
        revision=plan.revision,
    )
    return reply, list[NDArray[Any]](arrays)


def _laid_over(
    request: StructureRequest, curves: Sequence[Curve], pipeline: Pipeline, *, note: str = ""
) -> Answer:
    headers, arrays = curve_buffers(curves)
    name = Path(request.name).name
    reply = StructureReply(
        name=name,
        curves=headers,
        bonds=(),
        reflections=(),
        note=note,
        revision=pipeline.plan.revision,
    )
    return reply, list[NDArray[Any]](arrays)


def _found(result: Result | None, absent: str) -> Answer:
    return _refused("not there", absent) if result is None else window_reply(result)


def _refused(why: Any, text: str) -> Answer:
    return Refused(why=why, text=text[:500]), []
