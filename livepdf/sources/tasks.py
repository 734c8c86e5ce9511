"""What is still to be read, in order, and how far the files that hold a series were read."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from livepdf.sources.batch import NO_FACTS, Facts, FileState
from livepdf.sources.naming import Place
from livepdf.sources.scan import Found


@dataclass(frozen=True, slots=True, kw_only=True)
class Task:
    """A file, or the rest of one, to be read."""

    found: Found
    since: float
    """When it was first wanted, or last gave something."""
    first: int = 0
    """Number of the first image wanted; settled when it is asked for."""
    attempts: int = 0
    due: float = 0.0
    """Not to be tried before."""
    lacks: str = ""
    """Why it could not be read the last time."""


class TaskList:
    """Tasks in the order of their files' names at arrival; one for each file."""

    def __init__(self) -> None:
        self._tasks: dict[Path, Task] = {}

    def add(self, task: Task) -> None:
        """Add a task; a newer state of the same file takes the place of the older."""
        before = self._tasks.get(task.found.path)
        if before is not None and before.found.mtime_ns > task.found.mtime_ns:
            return
        self._tasks[task.found.path] = task

    def add_first(self, task: Task) -> None:
        """Put the rest of a file before all others, so that one series is not cut by another."""
        self._tasks = {task.found.path: task} | self._tasks

    def drop(self, path: Path, state: FileState) -> bool:
        """Forget a file in a state in which it has been read; say whether it was waiting."""
        task = self._tasks.get(path)
        if task is None or task.found.state != state:
            return False
        del self._tasks[path]
        return True

    def next(self, now: float, allowed: Callable[[Task], bool]) -> Task | None:
        """Take the first task whose time has come."""
        for path, task in self._tasks.items():
            if task.due <= now and allowed(task):
                del self._tasks[path]
                return task
        return None

    def next_due(self) -> float | None:
        """Return when the first task may be tried, None without any."""
        return min((task.due for task in self._tasks.values()), default=None)

    def longest_waiting(self) -> Task | None:
        """Return the file that was tried in vain for the longest time."""
        tried = [task for task in self._tasks.values() if task.lacks]
        return min(tried, key=lambda task: task.since, default=None)


@dataclass(slots=True)
class _Progress:
    found: Found
    place: Place
    taken: int
    facts: Facts


class Stacks:
    """How far each file that holds a series of images was read."""

    def __init__(self) -> None:
        self._progress: dict[Path, _Progress] = {}

    def resume(self, found: Found) -> int:
        """Return the first image not yet taken; 0 for a file that was written anew."""
        before = self._progress.get(found.path)
        if before is None or before.found.inode != found.inode or found.size < before.found.size:
            self._progress.pop(found.path, None)
            return 0
        return before.taken

    def place(self, found: Found, *, anew: bool) -> Place | None:
        """Return the series under which the file is being read, None for a new one."""
        before = self._progress.get(found.path)
        return None if before is None or (anew and before.taken > 0) else before.place

    def facts(self, found: Found) -> Facts:
        """Return what the file said about its images when it was read first."""
        before = self._progress.get(found.path)
        return NO_FACTS if before is None else before.facts

    def note(self, found: Found, *, place: Place, taken: int, facts: Facts) -> None:
        """Remember how far it was read."""
        self._progress[found.path] = _Progress(found, place, taken, facts)
