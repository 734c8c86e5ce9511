"""One run of frames: its name on disk and the pipeline made for its detector."""

import contextlib
import re
import threading
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path

from livepdf.daemon.assemble import Pipeline
from livepdf.daemon.places import plain
from livepdf.daemon.windows import CutterState
from livepdf.errors import ConfigError, FileError, FrameError
from livepdf.model.frame import RunStart
from livepdf.model.status import Counters

_NUMBERED = re.compile(r"^(?P<name>.+)_(?P<number>\d{4,})(?:-rev\d+)?(?:-part\d+)?(?:-whole)?$")


class RunNames:
    """Gives each run a name that no file of the directory has: name and number."""

    def __init__(self, stems: Iterable[str]) -> None:
        self._last: dict[str, int] = {}
        self.know(stems)

    def know(self, stems: Iterable[str]) -> None:
        """Leave further names out."""
        for stem in stems:
            found = _NUMBERED.match(stem)
            if found:
                name, number = found["name"], int(found["number"])
                self._last[name] = max(number, self._last.get(name, 0))

    def next(self, name: str) -> str:
        """Return ``name_0001`` or the next number that is free."""
        known = plain(name, otherwise="run")
        self._last[known] = self._last.get(known, 0) + 1
        return f"{known}_{self._last[known]:04d}"


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class TakenUp:
    """How far a run had come when the process was killed that had begun it."""

    state: CutterState | None
    counters: Counters
    parts: tuple[tuple[Path, int], ...]
    """Its files so far, and the window of the first row of each; oldest first."""
    newest: int
    """The highest frame number that was received, -1 where none was."""

    @property
    def number(self) -> int:
        """Of the next window."""
        return 0 if self.state is None else self.state.number


class Run:
    """A run from its start to its end; the workers share its pipeline."""

    def __init__(
        self,
        start: RunStart,
        *,
        taken_up: "TakenUp | None" = None,
        name: str,
        below: str = "",
        build: Callable[[RunStart, tuple[int, int]], Pipeline],
        shape: tuple[int, int] | None,
    ) -> None:
        self.start = start
        self.name = name
        """Unique among all runs of this daemon and all files of the output directory."""
        self.below = below
        """Folder of its files below the output directory."""
        self.taken_up = taken_up
        """Where another process left it, None for a run of our own."""
        self.opened = -1
        """Serial of its beginning in the queue."""
        self._build = build
        self._shape = shape
        self._lock = threading.Lock()
        self._pipeline: Pipeline | None = None
        self._refusals: dict[tuple[int, int], FrameError] = {}

    @property
    def series(self) -> str:
        """Identity of the series as the source gives it."""
        return self.start.series

    @property
    def built(self) -> Pipeline | None:
        """The pipeline, None until the first frame has told the size of the images."""
        return self._pipeline

    def get_ready(self) -> None:
        """Make the pipeline now where the shape of the images is known beforehand.

        Where that fails, the frames will be refused with the reason.
        """
        if self._shape is not None and self.start.integrated is None:
            with contextlib.suppress(FrameError):
                self.pipeline(self._shape)

    def pipeline(self, shape: tuple[int, int]) -> Pipeline:
        """Return the pipeline for images of this shape, made by whoever asks first.

        Raises
        ------
        FrameError
            ``wrong shape`` or ``unusable settings``, for every frame of such a run.
        """
        with self._lock:
            refusal = self._refusals.get(shape)
            if refusal is not None:
                raise FrameError(refusal.reason, refusal.detail)
            if self._pipeline is None:
                try:
                    self._pipeline = self._made(shape)
                except FrameError as error:
                    self._refusals[shape] = error
                    raise
            return self._pipeline

    def _made(self, shape: tuple[int, int]) -> Pipeline:
        try:
            return self._build(self.start, shape)
        except (ConfigError, FileError) as error:
            raise FrameError("unusable settings", str(error)) from None
        except ValueError as error:
            raise FrameError("wrong shape", str(error)) from None
