"""Image files that appear in a directory tree, taken when they are whole."""

import logging
import time
from collections.abc import Callable
from dataclasses import replace
from multiprocessing.connection import wait
from pathlib import Path

from livepdf.config.sources import Directory
from livepdf.errors import FrameError, SourceError
from livepdf.model.frame import Frame, FrameRefused, RunStart, SourceItem
from livepdf.sources.batch import HDF5, NO_FACTS, OPEN_END, Batch, Facts, FileState, blob_size
from livepdf.sources.files import frame_of, refuse
from livepdf.sources.naming import Naming, Place
from livepdf.sources.notify import Notifier
from livepdf.sources.ordering import Arrival
from livepdf.sources.qxrd import sidecar_path
from livepdf.sources.reader import FileReader
from livepdf.sources.scan import Found, Ledger, scan, scan_runs
from livepdf.sources.scanner import Scanner
from livepdf.sources.series import Patience, Ready, SeriesTracker, Settled
from livepdf.sources.tasks import Stacks, Task, TaskList

log = logging.getLogger(__name__)

GAP = 2.0
"""s to wait for a missing number, beyond the wait for its metadata."""
LONG_WAIT = 5.0
"""s of trying a file in vain until people are told."""
FINAL = frozenset({"reader hung", "unsupported dtype", "no image"})
"""Reasons that another attempt would not change."""


class DirectorySource:
    """Watches a directory; reads in a process of its own."""

    def __init__(self, settings: Directory, *, clock: Callable[[], float] = time.time) -> None:
        self.description = f"files in {settings.path}"
        self._settings = settings
        self._clock = clock
        self._with_sidecar = settings.metadata == "qxrd"
        self._scanner: Scanner | None = None
        self._sidecars: frozenset[Path] = frozenset()
        self._reader = FileReader()
        self._notifier: Notifier | None = None
        self._naming = Naming(settings.path)
        self._tasks = TaskList()
        self._stacks = Stacks()
        self._asked: Task | None = None
        self._bare = 0
        self._ahead: dict[Path, FileState] = {}
        self._without_errors = False
        self._opened = False
        sidecar_wait = settings.metadata_timeout if self._with_sidecar else 0.0
        self._tracker: SeriesTracker[Frame | FrameRefused] = SeriesTracker(
            Patience(
                gap=max(GAP, 4 * settings.poll) + sidecar_wait,
                header=0.0,
                idle=settings.idle_timeout,
                resume=True,
            )
        )

    def open(self) -> None:
        """Begin to watch.

        Raises
        ------
        SourceError
            Where there is no such directory, or looking through it takes longer than
            ``read_timeout``.
        """
        settings = self._settings
        scanner = Scanner(
            root=settings.path,
            scan=self._scan,
            ledger=Ledger(settings.settle),
            interval=settings.poll,
            pass_over=settings.start == "new",
        )
        if settings.notify:
            self._notifier = Notifier(settings.path)
        self._reader.start()
        self._scanner = scanner
        over = scanner.start(settings.read_timeout)
        if over and scanner.there:
            self._opened = True
            return
        self.close()
        if over:
            raise SourceError(f"{settings.path} is no directory")
        raise SourceError(
            f"{settings.path} could not be looked through within {settings.read_timeout:g} s: a "
            "network mount that hangs? (source.read_timeout sets the limit)"
        )

    def poll(self, timeout: float) -> list[SourceItem]:
        """Look, read and wait, at most ``timeout`` s; return as soon as there is something."""
        if not self._opened:
            raise SourceError(f"{self.description} is not open")
        deadline = time.monotonic() + timeout
        while True:
            items = self._step()
            left = deadline - time.monotonic()
            if items or left <= 0:
                return items
            self._wait(left)

    def state(self) -> str:
        """Return ``connected``, ``waiting: …``, ``stalled: …`` or ``lost: …``."""
        if not self._opened:
            return "waiting: not open yet"
        scanner = self._scanner
        if scanner is not None and not scanner.there:
            return f"lost: {self._settings.path} is not there"
        if scanner is not None and scanner.looking_for() > self._settings.read_timeout:
            return f"stalled: {self._settings.path} does not answer"
        task = self._tasks.longest_waiting()
        if task is not None and self._clock() - task.since > LONG_WAIT:
            return f"stalled: {task.found.path.name}: {task.lacks}"
        if self._bare:
            return f"connected, {self._bare} images without their metadata file"
        if self._without_errors:
            return "connected, patterns without errors: no curve has σ"
        return "connected"

    def lost(self) -> int:
        """Count the numbers that were left out between two files of a series."""
        return self._tracker.lost

    def close(self) -> None:
        """Stop watching and end the reading process."""
        self._opened = False
        self._reader.kill()
        if self._notifier is not None:
            self._notifier.close()
            self._notifier = None
        if self._scanner is not None:
            self._scanner.close()
            self._scanner = None

    def _step(self) -> list[SourceItem]:
        self._look()
        items = self._read()
        items += self._hand_over(self._tracker.tick(now=self._clock()))
        return items

    def _scan(self) -> list[Found]:
        settings = self._settings
        if settings.layout == "extra-data":
            return scan_runs(settings.path, ignore=settings.ignore)
        more = ["*.metadata"] if self._with_sidecar else []
        return scan(settings.path, patterns=settings.patterns + more, ignore=settings.ignore)

    def _look(self) -> None:
        if self._scanner is None:
            return
        if self._notifier is not None and self._notifier.clear():
            self._scanner.hurry()
        news = self._scanner.take()
        if news is not None:
            self._sidecars = news.sidecars
            for found in news.files:
                if self._ahead.pop(found.path, None) == found.state:
                    continue  # it was read in this state before it was seen in it
                self._tasks.add(Task(found=found, since=self._clock()))

    def _wait(self, longest: float) -> None:
        due = self._tasks.next_due()
        if due is not None and self._asked is None:
            longest = min(longest, max(due - self._clock(), self._settings.poll / 10))
        sources: list[object] = [self._notifier] if self._notifier is not None else []
        sources += [self._scanner] if self._scanner is not None else []
        if self._asked is not None and self._reader.connection is not None:
            sources.append(self._reader.connection)
        wait(sources, longest)  # type: ignore[arg-type]

    def _read(self) -> list[SourceItem]:
        """Fetch the answer that was asked for, if it is there, and ask for the next file."""
        items: list[SourceItem] = []
        if self._asked is not None:
            task = self._asked
            try:
                batch = self._reader.answer(0.0, limit=self._settings.read_timeout)
            except FrameError as error:
                self._asked = None
                items = self._failed(task, error)
            else:
                if batch is None:
                    return []
                self._asked = None
                items = self._arrived(task, batch)
        self._ask()
        return items

    def _ask(self) -> None:
        task = self._tasks.next(self._clock(), self._may_be_read)
        if task is None:
            return
        # Not sooner: what was asked for before may have gone further since.
        task = replace(task, first=self._stacks.resume(task.found))
        try:
            self._reader.ask(
                task.found.path,
                first=task.first,
                sidecar=self._with_sidecar,
                dataset=self._settings.dataset,
            )
        except FrameError:
            self._tasks.add(replace(task, due=self._clock() + self._settings.poll))
            return
        self._asked = task

    def _may_be_read(self, task: Task) -> bool:
        """Whether its metadata are there, or were waited for long enough."""
        if not self._with_sidecar or _holds_a_series(task.found):
            return True
        waited = self._clock() - task.since
        there = sidecar_path(task.found.path) in self._sidecars
        return there or waited >= self._settings.metadata_timeout

    def _failed(self, task: Task, error: FrameError) -> list[SourceItem]:
        now = self._clock()
        if error.reason == "incomplete":
            if now - task.since < self._settings.read_timeout:
                due = now + self._settings.poll
                self._tasks.add(replace(task, due=due, lacks=error.detail))
                return []
        elif error.reason not in FINAL and task.attempts < self._settings.retries:
            attempts = task.attempts + 1
            due = now + self._settings.poll * attempts
            self._tasks.add(replace(task, attempts=attempts, due=due, lacks=error.detail))
            return []
        path = task.found.path
        log.warning("%s refused: %s", path, error)
        if _holds_a_series(task.found):
            return [refuse(error, path, series=path.stem, index=None, now=now)]
        place = self._naming.take(path, refused=True)
        refused = refuse(error, path, series=str(place.series), index=place.index, now=now)
        return self._track(place, refused, size=0)

    def _arrived(self, task: Task, batch: Batch) -> list[SourceItem]:
        now = self._clock()
        path = task.found.path
        if self._with_sidecar and not batch.stack and not batch.sidecar.found:
            if now - task.since < self._settings.metadata_timeout:
                self._tasks.add(replace(task, due=now + self._settings.poll / 2))
                return []
            self._bare += 1
            log.warning("%s: no usable metadata file within the time for it", path)
        if not batch.stack and batch.state not in (None, task.found.state):
            self._ran_ahead(path, batch.state)
        items: list[SourceItem] = []
        whole = self._whole(task, batch)
        facts = NO_FACTS if whole is None else self._stacks.facts(task.found)
        for image in batch.images:
            place = self._naming.take(path) if whole is None else whole
            index = place.index if whole is None else image.number
            frame = frame_of(image, batch, path, series="", index=index, now=now)
            place = replace(place, index=index)
            items += self._track(place, frame, size=blob_size(image), facts=facts)
        return items

    def _ran_ahead(self, path: Path, state: FileState) -> None:
        """Note what was written after it had been seen, and read: seeing it is no news then."""
        if not self._tasks.drop(path, state):
            self._ahead[path] = state

    def _whole(self, task: Task, batch: Batch) -> Place | None:
        """Return the series of a file that holds one, and see to its further images."""
        if not batch.stack:
            return None
        now, found = self._clock(), task.found
        place = self._stacks.place(found, anew=task.first == 0) or self._naming.whole(
            found.path, anew=task.first == 0
        )
        first = batch.images[-1].number + 1 if batch.images else task.first
        since = now if batch.images else task.since
        facts = batch.facts if task.first == 0 else self._stacks.facts(found)
        self._stacks.note(found, place=place, taken=first, facts=facts)
        self._without_errors = "errors" in facts.metadata
        if batch.more:
            self._tasks.add_first(replace(task, since=since, due=now))
        elif batch.growing and now - since < self._settings.idle_timeout:
            lacks = "" if batch.growing == OPEN_END else batch.growing
            due = now + self._settings.poll
            self._tasks.add(replace(task, since=since, due=due, lacks=lacks))
        return place

    def _track(
        self,
        place: Place,
        content: Frame | FrameRefused,
        *,
        size: int,
        facts: Facts = NO_FACTS,
    ) -> list[SourceItem]:
        now = self._clock()
        if isinstance(content, FrameRefused) and self._tracker.current != place.series:
            return [replace(content, series=str(place.series))]  # begins no run
        settled: Settled[Frame | FrameRefused] = []
        if not self._tracker.knows(place.series):
            start = RunStart(
                series=str(place.series),
                name=place.name,
                time=content.time,
                mask=facts.mask,
                saturation=facts.saturation,
                wavelength=facts.wavelength,
                integrated=facts.integrated,
                metadata={
                    "directory": str(self._settings.path),
                    "files": str(place.series),
                    **facts.metadata,
                },
            )
            settled += self._tracker.start(place.series, start, now=now)
        if place.again:
            self._tracker.reopen(place.series, place.index)
        arrival = Arrival(series=place.series, index=place.index, content=content, size=size)
        return self._hand_over(settled + self._tracker.frame(arrival, now=now))

    def _hand_over(self, settled: Settled[Frame | FrameRefused]) -> list[SourceItem]:
        return [
            replace(item.arrival.content, series=item.run) if isinstance(item, Ready) else item
            for item in settled
        ]


def _holds_a_series(found: Found) -> bool:
    return found.folder or found.path.suffix.lower() in HDF5
