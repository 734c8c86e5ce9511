"""Judges every frame on its way into the windows, and looks at the images of some.

Which images is said by the frames alone, so that a replay looks at the same, however fast it goes
and however many workers there are.
"""

import copy
import logging
import math
import threading
import time
from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

import numpy as np

from livepdf.analysis.quality.judge import Judge, Verdict
from livepdf.analysis.quality.limits import BELOW, SAMPLED, UNITS, Limits
from livepdf.analysis.quality.rings import Look, RingMap, chosen_places, look_at, ring_map
from livepdf.config.quality import Quality
from livepdf.daemon.assemble import Pipeline
from livepdf.daemon.board import Board
from livepdf.daemon.runs import Run
from livepdf.daemon.workers import Integrate
from livepdf.errors import FrameError
from livepdf.model.frame import Frame
from livepdf.model.marks import Marks
from livepdf.model.quality import FLAGS, Lamp
from livepdf.model.sums import Sums
from livepdf.numerics.integrate import usable_range

log = logging.getLogger(__name__)

_QUIET = 5.0
"""s between two events about the same flag."""
_MOST_LOOKS = 1 << 14
"""Looks that wait for their frames to be booked."""
_SHORTEST = 0.004
"""s that an exposure counts at least: a look costs as much as several frames."""
_RAREST = 2.0**40
"""Frames: of any longer stride only the first one comes."""
_ABSENT = {
    "monitor jump": "the frames tell no I0",
    "background drift": "the recipe names no background, or the run is too young",
    "spotty rings": "no image was looked at yet",
    "texture": "no image was looked at yet, or polarization is not corrected",
}


@dataclass(frozen=True, slots=True)
class _Page:
    """What one frame was found to be."""

    frame: int
    verdict: Verdict
    left_out: bool


class Inspector:
    """One judge for each run; the collector's thread asks it, workers show it images."""

    def __init__(self, board: Board, *, settings: Callable[[], Quality]) -> None:
        """Make it; ``settings`` gives the limits that hold now."""
        self._board = board
        self._settings = settings
        self._lock = threading.Lock()
        self._run: Run | None = None
        self._judge: Judge | None = None
        self._pages: deque[_Page] = deque(maxlen=1_000_000)
        self._looks: dict[tuple[str, int], Look] = {}
        self._limits_of: tuple[Quality, Limits] | None = None
        self._map_of: tuple[Pipeline, RingMap | None] | None = None
        self._mapping = threading.Lock()
        self._numbers: dict[str, float] = {}
        self._raised: dict[str, bool] = {}
        self._counts: dict[str, int] = {}
        self._said: dict[str, float] = {}
        self._listeners: list[Callable[[str, bool, str], None]] = []

    def listen(self, listener: Callable[[str, bool, str], None]) -> None:
        """Let a listener hear of every flag that is raised or taken back, with words."""
        self._listeners.append(listener)

    def get_ready(self, pipeline: Pipeline) -> None:
        """Find out where the pixels are before the first image is looked at, which would wait."""
        self._map(pipeline)

    def watching(self, integrate: Integrate) -> Integrate:
        """Return the same integration, which shows this the images to be looked at."""

        def integrate_seen(pipeline: Pipeline, frames: Sequence[Frame]) -> list[Sums | FrameError]:
            results = integrate(pipeline, frames)
            settings = self._settings()
            for frame, found in zip(frames, results, strict=True):
                if isinstance(found, Sums) and is_looked_at(frame, settings):
                    self._look(pipeline, frame, found)
            return results

        return integrate_seen

    def judge(self, run: Run, frame: Frame, sums: Sums) -> bool:
        """Judge a frame; tell whether it is to be left out of the windows."""
        settings = self._settings()
        if run is not self._run or self._judge is None:
            self._begin(run, settings, sums)
        assert self._judge is not None
        self._judge.limits = self._limits(settings)
        with self._lock:
            look = self._looks.pop((frame.series, frame.index), None)
        verdict = self._judge.judge(sums, look)
        out = any(flag in settings.leave_out for flag in verdict.flags)
        if verdict.flags or verdict.numbers:
            self._pages.append(_Page(frame.index, verdict, out))
        self._show(verdict, frame.index)
        return out

    def marks(self, last: int) -> Marks:
        """Return what is to be known of the frames up to ``last``, and forget them."""
        pages = []
        while self._pages and self._pages[0].frame <= last:
            pages.append(self._pages.popleft())
        return gathered(pages)

    def lamps(self) -> tuple[Lamp, ...]:
        """Return how each flag stands."""
        limits = self._limits(self._settings())
        return tuple(
            Lamp(
                name=flag,
                value=self._numbers.get(flag, math.nan),
                limit=limits.of(flag),
                unit=UNITS[flag],
                raised=self._raised.get(flag, False),
                sampled=flag in SAMPLED,
                frames=self._counts.get(flag, 0),
                reason="" if flag in self._numbers else _ABSENT.get(flag, "no frame yet"),
            )
            for flag in FLAGS
        )

    def _begin(self, run: Run, settings: Quality, sums: Sums) -> None:
        plan = None if run.built is None else run.built.plan
        backgrounds = [] if plan is None else sorted(plan.backgrounds, key=lambda b: not b.cell)
        size = sums.signal.size
        cells = [b.intensity for b in backgrounds if b.intensity.shape == (size,)]
        if self._run is not None and self._run.series != run.series:
            self._forget_looks(self._run.series)
        self._run, self._judge = run, Judge(self._limits(settings), bins=size, cells=cells)
        self._pages.clear()
        self._numbers, self._raised, self._counts = {}, {}, {}

    def _limits(self, settings: Quality) -> Limits:
        known = self._limits_of
        if known is None or known[0] is not settings:
            fields = settings.model_dump(exclude={"leave_out", "look_every", "look_stride"})
            known = self._limits_of = (settings, Limits(**fields))
        return known[1]

    def _show(self, verdict: Verdict, frame: int) -> None:
        # Numbers of images stand until the next look.
        self._numbers = {
            **{k: v for k, v in self._numbers.items() if k in SAMPLED},
            **verdict.numbers,
        }
        for flag in FLAGS:
            raised = flag in verdict.flags
            if raised:
                self._counts[flag] = self._counts.get(flag, 0) + 1
            if flag in SAMPLED and flag not in verdict.numbers:
                continue
            if raised != self._raised.get(flag, False):
                self._raised[flag] = raised
                self._tell(flag, raised, frame)

    def _tell(self, flag: str, raised: bool, frame: int) -> None:
        limit = self._limits(self._settings()).of(flag)
        value = self._numbers.get(flag, math.nan)
        if raised:
            side = "below" if flag in BELOW else "limit"
            words = f"{flag}: {value:.3g} {UNITS[flag]} ({side} {limit:g}), from frame {frame} on"
        else:
            words = f"{flag} is over, frame {frame}"
        now = time.monotonic()
        if now - self._said.get(flag, -_QUIET) >= _QUIET:
            self._said[flag] = now
            self._board.say("warning", words, frame=frame)
        for listener in self._listeners:
            listener(flag, raised, words)

    def _forget_looks(self, series: str) -> None:
        """Forget the images of frames that were refused later, as those without I0."""
        with self._lock:
            self._looks = {key: look for key, look in self._looks.items() if key[0] != series}

    def _look(self, pipeline: Pipeline, frame: Frame, sums: Sums) -> None:
        where = self._map(pipeline)
        if where is None:
            return
        integrator = pipeline.integrator
        try:
            image = integrator.unpack_image(frame.image)
        except FrameError:
            # It was integrated: only a frame that is damaged in passing comes here.
            return
        low, high = usable_range(
            image.dtype, sentinels=integrator.sentinels, saturation=integrator.saturation
        )
        filled = sums.weight > 0
        intensity = np.full(sums.signal.shape, np.nan)
        np.divide(sums.signal, sums.weight, out=intensity, where=filled)
        rule = pipeline.recipe.normalization
        look = look_at(
            image,
            where,
            intensity=intensity,
            factor=(sums.monitor if rule.monitor else 1.0)
            * (sums.exposure if rule.exposure else 1.0),
            gain=integrator.gain,
            low=low,
            high=high,
            textured=pipeline.profile.integration.polarization is not None,
        )
        with self._lock:
            full = len(self._looks) >= _MOST_LOOKS
            if full:
                del self._looks[next(iter(self._looks))]
            # What each ring says is not kept: many looks may wait.
            self._looks[frame.series, frame.index] = replace(look, rings=())
        if full:
            words = f"more than {_MOST_LOOKS} images wait for their frames: the oldest go unused"
            self._board.note("quality", words)

    def _map(self, pipeline: Pipeline) -> RingMap | None:
        """Return where the pixels are; who comes first finds out, and the others wait.

        An image that were passed over meanwhile would be another one in a replay.
        """
        with self._mapping:
            known = self._map_of
            if known is None or not _alike(known[0], pipeline):
                known = self._map_of = (pipeline, self._made_map(pipeline))
            return known[1]

    def _made_map(self, pipeline: Pipeline) -> RingMap | None:
        try:
            return pixel_map(pipeline)
        except (ValueError, MemoryError) as error:
            log.warning("images are not looked at: %s", error)
            self._board.note("quality", f"images are not looked at: {error}")
            return None


def _alike(one: Pipeline, other: Pipeline) -> bool:
    """Tell whether the pixels lie alike: a series that has only its own saturation changes none."""
    return one.ignored is other.ignored and one.integrator.q is other.integrator.q


def is_looked_at(frame: Frame, settings: Quality) -> bool:
    """Tell whether the image of a frame is looked at, from what this frame says alone.

    The stride is a power of two: exposures that differ a little give the same, or one that holds
    every frame of the other.
    """
    stride = float(settings.look_stride)
    if frame.exposure is not None and frame.exposure > 0:
        stride = settings.look_every / max(frame.exposure, _SHORTEST)
    power = round(math.log2(min(max(stride, 1.0), _RAREST)))
    return frame.index % (1 << power) == 0


def pixel_map(pipeline: Pipeline) -> RingMap | None:
    """Return where pixels of a detector are on the rings; None where frames are no images.

    Only the pixels that are looked at are placed: all of them would hold frames up for seconds.
    """
    shape = pipeline.integrator.shape
    places = chosen_places(pipeline.ignored)
    if shape != pipeline.geometry.shape or places is None:
        return None
    # A geometry is for one thread: others may be using this one.
    geometry = replace(pipeline.geometry, pyfai=copy.deepcopy(pipeline.geometry.pyfai))
    flip, integration = pipeline.profile.detector.flip, pipeline.profile.integration
    rows, columns = np.divmod(places, shape[1])
    there = geometry.at(
        rows=shape[0] - 1 - rows if "ud" in flip else rows,
        columns=shape[1] - 1 - columns if "lr" in flip else columns,
    )
    weight = there.solid_angle if integration.solid_angle else np.ones(places.size)
    if integration.polarization is not None:
        weight = weight * there.polarization(integration.polarization)
    return ring_map(
        places,
        shape=shape,
        grid=pipeline.integrator.q,
        q=there.q,
        azimuth=there.azimuth,
        weight=weight,
    )


def gathered(pages: Sequence[_Page]) -> Marks:
    """Put what was found of some frames, in their order, together."""
    worst: dict[str, float] = {}
    stretches: dict[str, list[list[int]]] = {}
    for page in pages:
        for flag, value in page.verdict.numbers.items():
            pick = min if flag in BELOW else max
            worst[flag] = pick(worst.get(flag, value), value)
        for flag in page.verdict.flags:
            found = stretches.setdefault(flag, [])
            if found and found[-1][1] == page.frame - 1:
                found[-1][1] = page.frame
            else:
                found.append([page.frame, page.frame])
    return Marks(
        flags=tuple(flag for flag in FLAGS if flag in stretches),
        numbers=tuple((flag, worst[flag]) for flag in FLAGS if flag in worst),
        flagged=tuple((f, a, b) for f in FLAGS for a, b in stretches.get(f, [])),
        left_out=sum(page.left_out for page in pages),
    )
