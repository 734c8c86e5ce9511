"""Where frames are integrated: the workers, and the loops that are compiled for them."""

from collections.abc import Callable
from functools import cached_property, partial
from threading import Event

from livepdf.daemon.assemble import Prepared
from livepdf.daemon.board import Board
from livepdf.daemon.calibrating import calibrating
from livepdf.daemon.crew import WorkerProcess, hire
from livepdf.daemon.hit_looks import HitLooks
from livepdf.daemon.inspector import Inspector
from livepdf.daemon.loops import Loops, compile_loops, likely_dtypes, stand_in
from livepdf.daemon.queue import FrameQueue
from livepdf.daemon.retuning import Retuning
from livepdf.daemon.timings import Timings
from livepdf.daemon.warmth import Warmth, warm_curves
from livepdf.daemon.workers import Newest, Outcomes, integrate_here, timed, work
from livepdf.numerics.kernel import keeps_on_disk, told_of_compiling
from livepdf.reduction.integrator import Integrator

_TOLD_EVERY = 0.5
"""s between two words about what is being compiled."""


class Workshop:
    """Threads or processes that take frames from the queue, each with what it needs compiled."""

    def __init__(
        self,
        prepared: Prepared,
        *,
        board: Board,
        frames: FrameQueue,
        outcomes: Outcomes,
        timings: Timings,
        inspector: Inspector,
        looks: HitLooks,
        retuning: Retuning,
        leisure: Callable[[], bool],
    ) -> None:
        """``leisure`` tells whether no frames come: the time to compile what is rarely needed."""
        self._prepared = prepared
        self._board = board
        self._frames = frames
        self._outcomes = outcomes
        self._timings = timings
        self._inspector = inspector
        self._looks = looks
        self._retuning = retuning
        self._crew: list[WorkerProcess] = []
        self.newest = Newest()
        """The newest image, for the preview."""
        self.warmth = Warmth(
            self._compile,
            likely=likely_dtypes(prepared.settings.profile),
            keeps=keeps_on_disk(),
            leisure=leisure,
        )

    def hire(self) -> None:
        """Start the worker processes, where the profile wants any."""
        self._crew = hire(self._prepared.settings.profile.limits, say=self._say_replaced)

    def threads(self, stopping: Event) -> list[tuple[str, Callable[[], None]]]:
        """Return what runs beside the others, by name: the workers, and whoever compiles."""
        number = self._prepared.settings.profile.limits.workers
        workers = [(f"worker {n}", partial(self.work, n)) for n in range(number)]
        return [*workers, ("compiler", lambda: self.warm_up(stopping))]

    def wait_until_ready(self, say: Callable[[str], None], stopping: Event) -> None:
        """Wait until the first image need not, or for the stop; tell what is being compiled."""
        while not (self.warmth.wait_until_ready(_TOLD_EVERY) or stopping.is_set()):
            say(self.warmth.progress)

    def work(self, number: int) -> None:
        """Integrate until the queue ends: what the thread of a worker does."""
        own = timed(self._timings, self._crew[number].integrate if self._crew else integrate_here)
        seen = self._inspector.watching(self._looks.watching(self.warmth.before(own)))
        work(
            self._frames,
            self._outcomes,
            self.newest,
            integrate=calibrating(self._retuning.dark.watching(seen)),
        )

    def warm_up(self, stopping: Event) -> None:
        """Compile: what the thread of the compiler does."""
        pipeline = self._prepared.pipeline
        if pipeline is not None:
            for worker in self._crew:
                worker.prepare(pipeline)
            warm_curves(pipeline)
            self._inspector.get_ready(pipeline)
        self.warmth.run(stopping)

    def close(self) -> None:
        """Let the worker processes go."""
        for worker in self._crew:
            worker.close()

    @cached_property
    def _example(self) -> Integrator:
        """What shows the compiler the loops."""
        prepared = self._prepared
        if prepared.pipeline is not None:
            return prepared.pipeline.integrator
        return stand_in(prepared.detector, prepared.settings.profile)

    def _compile(self, loops: Loops) -> None:
        with told_of_compiling(self.warmth.not_on_disk):
            compile_loops(self._example, loops)
        for worker in self._crew:
            worker.learn(loops)

    def _say_replaced(self, text: str) -> None:
        self._board.note("worker", text)
        self._board.say("warning", text)
