"""Files that are there already, through the same steps as frames that arrive live."""

import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import count
from pathlib import Path

from livepdf.config.recipe import Window
from livepdf.config.sources import Directory
from livepdf.daemon.assemble import Pipeline, Prepared
from livepdf.daemon.outlet import run_header
from livepdf.daemon.results import evaluate
from livepdf.daemon.runs import Run
from livepdf.daemon.software import software_versions
from livepdf.daemon.windows import WindowCutter
from livepdf.daemon.workers import integrate_here
from livepdf.errors import FileError, FrameError
from livepdf.model.curve import Result
from livepdf.model.frame import Frame, FrameRefused, RunStart
from livepdf.model.status import Counters
from livepdf.model.sums import Sums
from livepdf.reduction.recipes import plan_extras, plan_header
from livepdf.sinks.columns import write_curve
from livepdf.sinks.nexus import NexusFile, WindowRow
from livepdf.sources.files import read_frames
from livepdf.sources.reader import FileReader

NEXUS = "run.nxs"
_SERIES = "run"


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Processed:
    """What became of one image."""

    file: Path
    origin: str
    """File name and image number."""
    result: Result | None = None
    written: tuple[Path, ...] = ()
    reason: str = ""
    """Why there is no G(r); empty when there is one."""
    detail: str = ""


@dataclass(slots=True)
class _Names:
    """Stems of the output, each given once."""

    taken: set[str] = field(default_factory=set)

    def of(self, file: Path, number: int | None) -> str:
        stem = file.stem if number is None else f"{file.stem}_{number:05d}"
        candidates = (stem if n == 1 else f"{stem}-{n}" for n in count(1))
        chosen = next(name for name in candidates if name not in self.taken)
        self.taken.add(chosen)
        return chosen


class FileJob:
    """Reduces image after image; every image is one window of the NeXus file."""

    def __init__(self, prepared: Prepared, *, out: Path, overwrite: bool = False) -> None:
        """Make the directory.

        Raises
        ------
        FileError
            When there are results in it already, or it cannot be made.
        """
        self._prepared = prepared
        self._out = out
        self._run: Run | None = None
        self._cutter: WindowCutter | None = None
        self._file: NexusFile | None = None
        self._names = _Names()
        self._books = {"received": 0, "used": 0}
        self._refused: dict[str, int] = {}
        self.nexus = out / NEXUS
        try:
            out.mkdir(parents=True, exist_ok=True)
            if self.nexus.exists() and overwrite:
                self.nexus.unlink()
        except OSError as error:
            raise FileError(f"{out}: {error.strerror or error}") from None
        if self.nexus.exists():
            raise FileError(f"{self.nexus} is there already; choose another directory")

    def run(self, files: Sequence[Path]) -> Iterator[Processed]:
        """Yield what became of each image, in the order of the files."""
        source = self._prepared.settings.profile.source
        sidecar = isinstance(source, Directory) and source.metadata == "qxrd"
        timeout = source.read_timeout if isinstance(source, Directory) else 20.0
        reader, first = FileReader(), 0
        try:
            for file in files:
                images = read_frames(
                    file,
                    reader=reader,
                    series=_SERIES,
                    first=first,
                    sidecar=sidecar,
                    read_timeout=timeout,
                )
                for processed in self._file_images(file, images):
                    first += 1
                    yield processed
        finally:
            reader.kill()
            self._close()

    def counters(self) -> Counters:
        """Return where every image went."""
        return Counters(
            received=self._books["received"],
            used=self._books["used"],
            refused=dict(self._refused),
        )

    def _file_images(
        self, file: Path, images: Iterator[Frame | FrameRefused]
    ) -> Iterator[Processed]:
        # One image ahead: only then is it known whether the file holds several.
        waiting = next(images, None)
        number = None
        while waiting is not None:
            following = next(images, None)
            if number is None and isinstance(following, Frame):
                number = 0
            number = None if number is None else number + 1
            yield self._one(file, waiting, number)
            waiting = following

    def _one(self, file: Path, item: Frame | FrameRefused, number: int | None) -> Processed:
        self._books["received"] += 1
        if isinstance(item, FrameRefused):
            return self._refuse(file, file.name, FrameError(item.reason, item.detail))
        try:
            pipeline = self._run_of(item).pipeline(item.image.shape)
        except FrameError as error:
            return self._refuse(file, item.origin, error)
        [sums] = integrate_here(pipeline, [item])
        if isinstance(sums, FrameError):
            return self._refuse(file, item.origin, sums)
        self._books["used"] += 1
        return self._reduce(pipeline, file, item, sums, self._names.of(file, number))

    def _reduce(
        self, pipeline: Pipeline, file: Path, frame: Frame, sums: Sums, stem: str
    ) -> Processed:
        cutter = self._cutter = self._cutter or WindowCutter(
            Window(frames=1), run=_SERIES, revision=pipeline.plan.revision
        )
        (window,) = cutter.add(frame, sums)
        evaluated = evaluate(pipeline, window)
        result = evaluated.result
        extras = {"file": file.name, "image": frame.origin}
        written = self._write(pipeline, result, stem, file=file, extras=extras)
        self._save(pipeline, WindowRow(result=result, sums=sums), frame)
        return Processed(
            file=file,
            origin=frame.origin,
            result=result,
            written=written,
            reason="no curves" if evaluated.trouble else "",
            detail=evaluated.trouble,
        )

    def _write(
        self,
        pipeline: Pipeline,
        result: Result,
        stem: str,
        *,
        file: Path,
        extras: Mapping[str, object],
    ) -> tuple[Path, ...]:
        header = {**plan_header(pipeline.plan), "inputfile": file.name}
        written = []
        for curve in result.curves:
            # Where nothing could be made, I(Q) is still there to look at.
            if (curve.y == curve.y).any():
                path = self._out / f"{stem}.{curve.kind}"
                more = {**plan_extras(pipeline.plan), **extras}
                write_curve(path, curve, header=header, extras=more)
                written.append(path)
        return tuple(written)

    def _save(self, pipeline: Pipeline, row: WindowRow, frame: Frame) -> None:
        try:
            if self._file is None:
                header = run_header(
                    self._run_of(frame), pipeline, source="files", software=software_versions()
                )
                self._file = NexusFile(self.nexus, header)
            self._file.add([row])
        except (OSError, RuntimeError) as error:
            raise FileError(f"{self.nexus}: {error}") from None

    def _run_of(self, frame: Frame) -> Run:
        """Return the one run: its first image decides on the shape of all."""
        if self._run is None:
            start = RunStart(series=_SERIES, name=_SERIES, time=frame.time)
            self._run = Run(start, name=_SERIES, build=self._prepared.for_series, shape=None)
        return self._run

    def _refuse(self, file: Path, origin: str, error: FrameError) -> Processed:
        self._refused[error.reason] = self._refused.get(error.reason, 0) + 1
        return Processed(file=file, origin=origin, reason=error.reason, detail=error.detail)

    def _close(self) -> None:
        if self._file is not None:
            self._file.counters(self.counters())
            self._file.close(end=time.time())
            self._file = None
