"""Compile what images need, the most wanted first, while the intake drains and counts already."""

import threading
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from livepdf.daemon.assemble import Pipeline
from livepdf.daemon.loops import Loops, in_order, loops_of
from livepdf.daemon.results import evaluate
from livepdf.daemon.windows import Stretch
from livepdf.daemon.workers import Integrate
from livepdf.errors import FrameError
from livepdf.model.curve import Span
from livepdf.model.frame import Frame
from livepdf.model.sums import Sums

_LOOK = 0.5
"""s between two looks whether there is leisure."""


class Warmth:
    """Knows which loops are compiled and which come next: one thread compiles, others wait."""

    def __init__(
        self,
        compile_: Callable[[Loops], None],
        *,
        likely: Sequence[str],
        keeps: bool,
        leisure: Callable[[], bool] = lambda: True,
    ) -> None:
        """Make it.

        Parameters
        ----------
        compile_
            Compiles some loops, or finds them on disk.
        likely
            Types of the images that are expected.
        keeps : bool
            Whether what is compiled serves the next start as well. If not, only what is likely is
            compiled before somebody needs it.
        leisure
            Whether there is time for loops that perhaps nobody will need.
        """
        self._compile = compile_
        self._leisure = leisure
        steps = in_order(likely)
        self._soon = [step for step in steps if step.dtype in likely]
        self._first = {step for step in self._soon if step.purpose == "one"}
        self._rest = [step for step in steps if step.dtype not in likely] if keeps else []
        self._changed = threading.Condition()
        self._asked: list[Loops] = []
        self._done: set[Loops] = set()
        self._now: Loops | None = None
        self._slow = self._compiles = False
        self._hurry = self._over = False

    @property
    def ready(self) -> bool:
        """Whether the first image of the likely types need not wait.

        Nor need those after it, where what is left for them lies on disk: a queue that begins with
        images one by one takes seconds to be worked off again.
        """
        wanted = self._first if self._compiles else self._done.union(self._soon)
        return wanted <= self._done or self._over

    @property
    def progress(self) -> str:
        """What is being compiled, for people; empty while nothing is."""
        now = self._now
        if now is None or not self._slow:
            return ""
        steps = len(self._soon) + len(self._rest)
        return f"compiling loops {min(len(self._done) + 1, steps)} of {steps}: {now}"

    def not_on_disk(self) -> None:
        """Hear that the present step really compiles something."""
        with self._changed:
            self._slow = self._compiles = True
            self._changed.notify_all()

    @property
    def views(self) -> bool:
        """Whether an image can be unpacked for a preview without waiting."""
        return self._over or any(step.purpose == "view" for step in self._done)

    @property
    def asked(self) -> tuple[Loops, ...]:
        """What frames have waited for, or still do."""
        return tuple(self._asked)

    def run(self, stop: threading.Event) -> None:
        """Compile until all is done; after the stop, only what frames wait for."""
        try:
            while (step := self._next(stop)) is not None:
                self._now, self._slow = step, False
                self._compile(step)
                with self._changed:
                    self._done.add(step)
                    self._now = None
                    self._changed.notify_all()
        finally:
            with self._changed:
                self._over, self._now = True, None
                self._changed.notify_all()

    def wait_until_ready(self, timeout: float) -> bool:
        """Wait until `ready`; tell whether that is so."""
        with self._changed:
            return self._changed.wait_for(lambda: self.ready, timeout)

    def close(self) -> None:
        """Nobody waits any more: end after the present step."""
        with self._changed:
            self._hurry = True
            self._changed.notify_all()

    def before(self, integrate: Integrate) -> Integrate:
        """Return the same integration, which first waits for the loops that the images need.

        They are compiled next. While those for 16 images are not, each image goes alone.
        """

        def once_compiled(pipeline: Pipeline, frames: Sequence[Frame]) -> list[Sums | FrameError]:
            together = [self._need(t) for t in {frame.image.dtype for frame in frames}]
            if all(together) or len(frames) == 1:
                return integrate(pipeline, frames)
            return [result for frame in frames for result in integrate(pipeline, [frame])]

        return once_compiled

    def _need(self, dtype: np.dtype[Any]) -> bool:
        """Wait for the loops for single images; tell whether 16 may go side by side."""
        one, many = loops_of(dtype, "one"), loops_of(dtype, "many")
        if one is None or many is None:
            return True
        if one not in self._done:
            with self._changed:
                self._asked += [one, many]
                self._changed.notify_all()
                self._changed.wait_for(lambda: one in self._done or self._over)
        return many in self._done or self._over

    def _next(self, stop: threading.Event) -> Loops | None:
        """Wait for the next step; None for the end."""
        with self._changed:
            while not self._hurry:
                rest = self._rest if self._leisure() else []
                planned = [] if stop.is_set() else [*self._soon, *rest]
                for step in (*self._asked, *planned):
                    if step not in self._done:
                        return step
                if not stop.is_set() and self._done.issuperset((*self._soon, *self._rest)):
                    return None
                self._changed.wait(_LOOK)
        return None


def warm_curves(pipeline: Pipeline) -> None:
    """Make a window's curves once, so that the first one need not wait for libraries."""
    ones = np.ones(pipeline.plan.q.shape)
    sums = Sums(
        signal=ones,
        variance=ones,
        weight=ones,
        pixels=ones,
        frames=1,
        monitor=1.0,
        exposure=1.0,
    )
    span = Span(
        scope="window", run="", number=0, first=0, last=0, frames=1, start=0.0, end=0.0, revision=0
    )
    evaluate(pipeline, Stretch(span=span, sums=sums, environment=(), received=0.0))
