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
from livepdf.sources.batch import HDF5, OPEN_END, Batch
from livepdf.sources.complete import is_swmr
from livepdf.sources.files import frame_of, refuse
from livepdf.sources.naming import Naming, Place
from livepdf.sources.notify import Notifier
from livepdf.sources.ordering import Arrival
from livepdf.sources.qxrd import sidecar_path
from livepdf.sources.reader import FileReader
from livepdf.sources.scan import Found, Ledger, scan
from livepdf.sources.series import Patience, Ready, SeriesTracker, Settled
from livepdf.sources.tasks import Stacks, Task, TaskList

log = logging.getLogger(__name__)

GAP = 2.0
"""s to wait for a missing number, beyond the wait for its metadata."""
SHORTEST_LOOK = 0.05
"""s between two looks however many events come."""
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
        self._ledger = Ledger(settings.settle)
        self._reader = FileReader()
        self._notifier: Notifier | None = None
        self._naming = Naming(settings.path)
        self._tasks = TaskList()
        self._stacks = Stacks()
        self._asked: Task | None = None
        self._next_look = self._looked = 0.0
        self._bare = 0
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
        """Begin to watch. Raises SourceError where there is no such directory."""
        root = self._settings.path
        if not root.is_dir():
            raise SourceError(f"{root} is no directory")
        self._reader.start()
        if self._settings.notify:
            self._notifier = Notifier(root)
        if self._settings.start == "new":
            self._ledger.pass_over(self._scan())
        self._opened = True

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
        if not self._settings.path.is_dir():
            return f"lost: {self._settings.path} is not there"
        task = self._tasks.longest_waiting()
        if task is not None and self._clock() - task.since > LONG_WAIT:
            return f"stalled: {task.found.path.name}: {task.lacks}"
        if self._bare:
            return f"connected, {self._bare} images without their metadata file"
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

    def _step(self) -> list[SourceItem]:
        self._look()
        items = self._read()
        items += self._hand_over(self._tracker.tick(now=self._clock()))
        return items

    def _scan(self) -> list[Found]:
        settings = self._settings
        return scan(settings.path, patterns=settings.patterns, ignore=settings.ignore)

    def _look(self) -> None:
        now = time.monotonic()
        if self._notifier is not None and self._notifier.clear():
            self._next_look = min(self._next_look, max(now, self._looked + SHORTEST_LOOK))
        if now < self._next_look:
            return
        self._looked = now
        self._next_look = now + self._settings.poll
        for found in self._ledger.look(self._scan(), at_once=_may_be_read_growing):
            self._tasks.add(Task(found=found, since=self._clock()))

    def _wait(self, longest: float) -> None:
        until_look = max(self._next_look - time.monotonic(), 0.001)
        sources: list[object] = [self._notifier] if self._notifier is not None else []
        if self._asked is not None and self._reader.connection is not None:
            sources.append(self._reader.connection)
        wait(sources, min(longest, until_look))  # type: ignore[arg-type]

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
            self._reader.ask(task.found.path, first=task.first, sidecar=self._with_sidecar)
        except FrameError:
            self._tasks.add(replace(task, due=self._clock() + self._settings.poll))
            return
        self._asked = task

    def _may_be_read(self, task: Task) -> bool:
        """Whether its metadata are there, or were waited for long enough."""
        if not self._with_sidecar or task.found.path.suffix.lower() in HDF5:
            return True
        waited = self._clock() - task.since
        there = sidecar_path(task.found.path).exists()
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
        if path.suffix.lower() in HDF5:
            return [refuse(error, path, series=path.stem, index=None, now=now)]
        place = self._naming.take(path, refused=True)
        refused = refuse(error, path, series=str(place.series), index=place.index, now=now)
        if self._tracker.current != place.series:
            return [refused]  # a file that cannot be read begins no run
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
        items: list[SourceItem] = []
        whole = self._whole(task, batch)
        for image in batch.images:
            place = self._naming.take(path) if whole is None else whole
            index = place.index if whole is None else image.number
            frame = frame_of(image, batch, path, series="", index=index, now=now)
            items += self._track(replace(place, index=index), frame, size=len(image.image.blob))
        return items

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
        self._stacks.note(found, place=place, taken=first)
        if batch.more:
            self._tasks.add_first(replace(task, since=since, due=now))
        elif batch.growing and now - since < self._settings.idle_timeout:
            lacks = "" if batch.growing == OPEN_END else batch.growing
            due = now + self._settings.poll
            self._tasks.add(replace(task, since=since, due=due, lacks=lacks))
        return place

    def _track(self, place: Place, content: Frame | FrameRefused, *, size: int) -> list[SourceItem]:
        now = self._clock()
        settled: Settled[Frame | FrameRefused] = []
        if not self._tracker.knows(place.series):
            start = RunStart(
                series=str(place.series),
                name=place.name,
                time=content.time,
                metadata={"directory": str(self._settings.path), "files": str(place.series)},
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


def _may_be_read_growing(path: Path) -> bool:
    return path.suffix.lower() in HDF5 and is_swmr(path)
