"""Files that are there already become chunks of frames, read ahead in a thread of its own."""

import queue
import threading
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from itertools import count
from pathlib import Path

import numpy as np

from livepdf.config.sources import Directory
from livepdf.daemon.assemble import Pipeline, Prepared
from livepdf.daemon.runs import Run
from livepdf.errors import FrameError
from livepdf.model.frame import Frame, FrameRefused, RunStart
from livepdf.sources.batch import NO_FACTS, Facts
from livepdf.sources.files import read_file
from livepdf.sources.reader import FileReader

SERIES = "run"
MOST_FRAMES = 16
"""So many are added up side by side."""
MOST_BYTES = 64 << 20
_AHEAD = 2
"""Chunks that wait to be worked on."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Entry:
    """One image of a file: a frame with what reduces it, or why there is none."""

    file: Path
    origin: str
    stem: str = ""
    """Of the text files."""
    frame: Frame | None = None
    run: Run | None = None
    pipeline: Pipeline | None = None
    refusal: FrameError | None = None


Chunk = list[Entry]
"""Images that follow one another, all frames of one pipeline."""


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


class FileFeed:
    """Reads files one after the other; each is a file, a folder of a run, or FILE::DATASET."""

    def __init__(self, prepared: Prepared) -> None:
        self._prepared = prepared
        self._reader = FileReader()
        self._names = _Names()
        self._runs: list[tuple[Facts, Run]] = []
        self._grid: Pipeline | None = None
        self._stop = threading.Event()
        self._chunks: queue.Queue[Chunk | BaseException | None] = queue.Queue(maxsize=_AHEAD)

    def chunks(self, files: Sequence[Path]) -> Iterator[Chunk]:
        """Yield all images of all files, in order; raises what ended the reading."""
        thread = threading.Thread(target=self._read, args=(files,), name="file feed", daemon=True)
        thread.start()
        try:
            while True:
                chunk = self._chunks.get()
                if chunk is None:
                    return
                if isinstance(chunk, BaseException):
                    raise chunk
                yield chunk
        finally:
            self._stop.set()
            self._reader.kill()

    def _read(self, files: Sequence[Path]) -> None:
        try:
            for chunk in _gathered(self._entries(files)):
                self._put(chunk)
            self._put(None)
        except Exception as error:  # noqa: BLE001  (the other thread raises it)
            self._put(error)

    def _put(self, chunk: Chunk | BaseException | None) -> None:
        while not self._stop.is_set():
            try:
                self._chunks.put(chunk, timeout=0.2)
            except queue.Full:
                continue
            return

    def _entries(self, files: Sequence[Path]) -> Iterator[Entry]:
        first = 0
        for given in files:
            name, _, dataset = str(given).partition("::")
            file = Path(name)
            images = self._images(file, dataset or None, first)
            for entry in self._named(file, images):
                if self._stop.is_set():
                    return
                first += 1
                yield entry

    def _images(
        self, file: Path, dataset: str | None, first: int
    ) -> Iterator[tuple[Facts, Frame | FrameRefused]]:
        source = self._prepared.settings.profile.source
        watched = source if isinstance(source, Directory) else None
        facts = NO_FACTS
        for item in read_file(
            file,
            reader=self._reader,
            series=SERIES,
            first=first,
            sidecar=watched is not None and watched.metadata == "qxrd",
            dataset=dataset or (watched.dataset if watched is not None else None),
            read_timeout=watched.read_timeout if watched is not None else 20.0,
        ):
            if isinstance(item, Facts):
                facts = item
            else:
                yield facts, item

    def _named(
        self, file: Path, images: Iterator[tuple[Facts, Frame | FrameRefused]]
    ) -> Iterator[Entry]:
        # One image ahead: only then is it known whether the file holds several.
        waiting = next(images, None)
        number = None
        while waiting is not None:
            following = next(images, None)
            if number is None and following is not None and isinstance(following[1], Frame):
                number = 0
            number = None if number is None else number + 1
            yield self._entry(file, *waiting, number)
            waiting = following

    def _entry(
        self, file: Path, facts: Facts, item: Frame | FrameRefused, number: int | None
    ) -> Entry:
        if isinstance(item, FrameRefused):
            error = FrameError(item.reason, item.detail)
            return Entry(file=file, origin=file.name, refusal=error)
        run = self._run(facts, item)
        try:
            pipeline = self._on_one_grid(run.pipeline(item.image.shape))
        except FrameError as error:
            return Entry(file=file, origin=item.origin, refusal=error)
        return Entry(
            file=file,
            origin=item.origin,
            stem=self._names.of(file, number),
            frame=item,
            run=run,
            pipeline=pipeline,
        )

    def _run(self, facts: Facts, frame: Frame) -> Run:
        """Return what reduces files that say this; files that say the same share it."""
        for known, run in self._runs:
            if _alike(known, facts):
                return run
        start = RunStart(
            series=SERIES,
            name=SERIES,
            time=frame.time,
            mask=facts.mask,
            wavelength=facts.wavelength,
            saturation=facts.saturation,
            integrated=facts.integrated,
            metadata=facts.metadata,
        )
        run = Run(start, name=SERIES, build=self._prepared.for_series, shape=None)
        # A pipeline may be large: of all that were needed the newest are kept.
        self._runs = [(facts, run), *self._runs[:3]]
        return run

    def _on_one_grid(self, pipeline: Pipeline) -> Pipeline:
        self._grid = self._grid or pipeline
        if not np.array_equal(self._grid.plan.q, pipeline.plan.q):
            raise FrameError(
                "another grid",
                f"{pipeline.plan.q.size} points to {pipeline.plan.q[-1]:.4g} Å⁻¹, the first file "
                f"has {self._grid.plan.q.size} to {self._grid.plan.q[-1]:.4g}: process it alone",
            )
        return pipeline


def _gathered(entries: Iterator[Entry]) -> Iterator[Chunk]:
    chunk: Chunk = []
    size = 0
    for entry in entries:
        before = next((e.pipeline for e in chunk if e.pipeline is not None), entry.pipeline)
        other = entry.pipeline is not None and entry.pipeline is not before
        if chunk and (other or len(chunk) >= MOST_FRAMES or size >= MOST_BYTES):
            yield chunk
            chunk, size = [], 0
        chunk.append(entry)
        size += entry.frame.image.image_bytes if entry.frame is not None else 0
    if chunk:
        yield chunk


def _alike(one: Facts, other: Facts) -> bool:
    """Whether files with these facts are reduced in the same way."""
    if one is other:
        return True
    if (one.saturation, one.wavelength) != (other.saturation, other.wavelength):
        return False
    if one.mask is None or other.mask is None:
        same_mask = one.mask is other.mask
    else:
        same_mask = bool(np.array_equal(one.mask, other.mask))
    given, wanted = one.integrated, other.integrated
    if given is None or wanted is None:
        return same_mask and given is wanted
    flags = (given.solid_angle, given.polarization) == (wanted.solid_angle, wanted.polarization)
    return same_mask and flags and bool(np.array_equal(given.q, wanted.q))
