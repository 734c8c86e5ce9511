"""Files that are there already, through the same steps as frames that arrive live."""

import time
from collections import deque
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Literal

from livepdf.daemon.assemble import Pipeline, Prepared
from livepdf.daemon.file_chunks import SERIES, Chunk, Entry, FileFeed
from livepdf.daemon.following import Follower
from livepdf.daemon.headers import run_header
from livepdf.daemon.results import Evaluated, evaluate
from livepdf.daemon.software import software_versions
from livepdf.daemon.windows import Stretch
from livepdf.daemon.workers import integrate_here
from livepdf.errors import FileError, FrameError
from livepdf.model.curve import Result, Span
from livepdf.model.frame import Frame
from livepdf.model.status import Counters
from livepdf.model.sums import Sums
from livepdf.reduction.recipes import plan_extras, plan_header, resolution_header
from livepdf.sinks.columns import write_curve
from livepdf.sinks.nexus import NexusFile, WindowRow

NEXUS = "run.nxs"
Text = Literal["all", "gr", "none"]
"""Which text files are written."""


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


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class _Done:
    entry: Entry
    sums: Sums | None = None
    evaluated: Evaluated | None = None
    written: tuple[Path, ...] = ()
    refusal: FrameError | None = None


class FileJob:
    """Reduces image after image; every image is one window of the NeXus file."""

    def __init__(
        self, prepared: Prepared, *, out: Path, overwrite: bool = False, text: Text = "all"
    ) -> None:
        """Make the directory.

        Raises
        ------
        FileError
            When there are results in it already, or it cannot be made.
        """
        self._prepared = prepared
        self._out = out
        self._text = text
        self._file: NexusFile | None = None
        self._follower: Follower | None = None
        self._books = {"received": 0, "used": 0}
        self._refused: dict[str, int] = {}
        self.notes: list[str] = []
        """What the files say that people must know, e.g. that they have no errors."""
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
        """Yield what became of each image, in the order of the files.

        While one chunk of images is handed out, others are worked on in as many threads as the
        profile has workers.
        """
        workers = self._prepared.settings.profile.limits.workers
        chunks = FileFeed(self._prepared).chunks(files)
        waiting: deque[Future[list[_Done]]] = deque()
        pool = ThreadPoolExecutor(max_workers=workers, thread_name_prefix="process")
        try:
            for chunk in chunks:
                waiting.append(pool.submit(self._work, chunk))
                if len(waiting) > workers:
                    yield from self._settle(waiting.popleft().result())
            while waiting:
                yield from self._settle(waiting.popleft().result())
        finally:
            pool.shutdown(cancel_futures=True)
            self._close()

    def counters(self) -> Counters:
        """Return where every image went."""
        return Counters(
            received=self._books["received"],
            used=self._books["used"],
            refused=dict(self._refused),
        )

    def _work(self, chunk: Chunk) -> list[_Done]:
        """Reduce the frames of a chunk and write their text files; any thread may."""
        frames = [entry.frame for entry in chunk if entry.frame is not None]
        pipeline = next((entry.pipeline for entry in chunk if entry.pipeline is not None), None)
        found = iter([] if pipeline is None else integrate_here(pipeline, frames))
        done = []
        for entry in chunk:
            if entry.frame is None or entry.pipeline is None:
                done.append(_Done(entry=entry, refusal=entry.refusal))
                continue
            sums = next(found)
            if isinstance(sums, FrameError):
                done.append(_Done(entry=entry, refusal=sums))
                continue
            evaluated = evaluate(entry.pipeline, _window(entry.frame, sums))
            written = self._write(entry, entry.pipeline, evaluated.result)
            done.append(_Done(entry=entry, sums=sums, evaluated=evaluated, written=written))
        return done

    def _write(self, entry: Entry, pipeline: Pipeline, result: Result) -> tuple[Path, ...]:
        header: Mapping[str, object] = {
            **plan_header(pipeline.plan),
            **resolution_header(pipeline.profile.resolution),
            "inputfile": entry.file.name,
        }
        extras = {**plan_extras(pipeline.plan), "file": entry.file.name, "image": entry.origin}
        written = []
        for curve in result.curves:
            # A model belongs to its data: it is in the NeXus file, beside them.
            wanted = curve.kind == self._text or (self._text == "all" and curve.kind != "gr_model")
            # Where nothing could be made, I(Q) is still there to look at.
            if wanted and (curve.y == curve.y).any():
                path = self._out / f"{entry.stem}.{curve.kind}"
                write_curve(path, curve, header=header, extras=extras)
                written.append(path)
        return tuple(written)

    def _settle(self, chunk: list[_Done]) -> Iterator[Processed]:
        """Book what was done, in order, and write it to the NeXus file."""
        rows: list[WindowRow] = []
        outcomes: list[Processed] = []
        for done in chunk:
            self._books["received"] += 1
            if done.evaluated is None or done.sums is None:
                outcomes.append(self._refuse(done))
                continue
            result = done.evaluated.result
            result = replace(result, span=replace(result.span, number=self._books["used"]))
            result = self._followed(done, replace(done.evaluated, result=result))
            self._books["used"] += 1
            rows.append(WindowRow(result=result, sums=done.sums))
            outcomes.append(_processed(done, done.evaluated, result))
        self._save(chunk, rows)
        yield from outcomes

    def _followed(self, done: _Done, evaluated: Evaluated) -> Result:
        """Add what only many images tell, as a live run does."""
        entry = done.entry
        if entry.pipeline is None or entry.run is None:
            return evaluated.result
        if self._follower is None:
            self._follower = Follower(entry.pipeline, start=entry.run.start.time)
        return self._follower.add(evaluated)[0]

    def _refuse(self, done: _Done) -> Processed:
        entry = done.entry
        error = done.refusal or FrameError("unreadable", entry.origin)
        self._refused[error.reason] = self._refused.get(error.reason, 0) + 1
        return Processed(
            file=entry.file, origin=entry.origin, reason=error.reason, detail=error.detail
        )

    def _save(self, chunk: list[_Done], rows: list[WindowRow]) -> None:
        if not rows:
            return
        try:
            if self._file is None:
                self._file = self._begin(next(done.entry for done in chunk if done.sums))
            self._file.add(rows)
        except (OSError, RuntimeError) as error:
            raise FileError(f"{self.nexus}: {error}") from None

    def _begin(self, entry: Entry) -> NexusFile:
        if entry.run is None or entry.pipeline is None:
            raise RuntimeError(f"results of {entry.origin} without a pipeline")
        said = entry.run.start.metadata
        self.notes += [f"{entry.file.name}: {key}: {said[key]}" for key in _TOLD if key in said]
        header = run_header(entry.run, entry.pipeline, source="files", software=software_versions())
        return NexusFile(self.nexus, header)

    def _close(self) -> None:
        if self._file is not None:
            self._file.counters(self.counters())
            if self._follower is not None:
                self._file.findings(self._follower.findings())
            self._file.close(end=time.time())
            self._file = None


_TOLD = ("errors", "taken as applied", "flat field", "photon energy")
"""What files say that people must know."""


def _window(frame: Frame, sums: Sums) -> Stretch:
    span = Span(
        scope="window",
        run=SERIES,
        number=0,
        first=frame.index,
        last=frame.index,
        frames=1,
        start=frame.time,
        end=frame.time,
        revision=1,
    )
    environment = tuple(frame.environment.items())
    return Stretch(span=span, sums=sums, environment=environment, received=frame.received)


def _processed(done: _Done, evaluated: Evaluated, result: Result) -> Processed:
    return Processed(
        file=done.entry.file,
        origin=done.entry.origin,
        result=result,
        written=done.written,
        reason="no curves" if evaluated.trouble else "",
        detail=evaluated.trouble,
    )
