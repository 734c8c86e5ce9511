"""All that changes the reduction while it runs, put together; two threads of the service."""

from collections.abc import Callable
from pathlib import Path

from livepdf.daemon.assemble import Pipeline, Prepared
from livepdf.daemon.board import Board
from livepdf.daemon.capture import Capture
from livepdf.daemon.dark import DarkCapture
from livepdf.daemon.history import History
from livepdf.daemon.lookup import Parts
from livepdf.daemon.outlet import Outlet
from livepdf.daemon.publish import Publisher
from livepdf.daemon.redo import Reworker
from livepdf.daemon.shelf import Shelf
from livepdf.daemon.store import Store
from livepdf.daemon.tuner import Tuner
from livepdf.model.frame import RunStart
from livepdf.model.status import Redo


class Retuning:
    """Drafts, revisions, references and captures of one daemon."""

    def __init__(
        self,
        prepared: Prepared,
        *,
        board: Board,
        history: History,
        shelf: Shelf,
        store: Store,
        outlet: Outlet,
        publisher: Publisher,
        folder: Path,
        tell: Callable[[], None],
    ) -> None:
        """Make it.

        Parameters
        ----------
        folder : Path
            Of the results.
        tell
            Called when stored windows have got on.
        """
        self._board = board
        self._outlet = outlet
        self.capture = Capture()
        self.dark = DarkCapture()
        self._reworker = Reworker(
            history=history,
            shelf=shelf,
            store=store,
            busy=lambda: outlet.busy,
            tell=tell,
            done=self._reworked,
            retrace=lambda new: outlet.between(lambda: outlet.retrace(new)),
        )
        outlet.reworking = self._reworker.active
        outlet.interrupt = self._reworker.cancel
        parts = Parts(
            board=board,
            history=history,
            shelf=shelf,
            store=store,
            outlet=outlet,
            publisher=publisher,
            reworker=self._reworker,
            capture=self.capture,
            dark=self.dark,
            folder=folder,
        )
        self._tuner = Tuner(prepared, parts)
        self.ask = self._tuner.ask
        """Hand over a request; its answer comes later."""
        self.reload = self._tuner.reload
        """Read the recipe file again; the answer comes later."""

    @property
    def prepared(self) -> Prepared:
        """What new runs are made from."""
        return self._tuner.prepared

    @property
    def redo(self) -> Redo | None:
        """How far stored windows are, None before the first time."""
        return self._reworker.state

    def threads(self) -> list[tuple[str, Callable[[], None]]]:
        """Return the names of the threads and what runs in them."""
        return [("tuner", self._tuner.run), ("reworker", self._reworker.run)]

    def build(self, start: RunStart, shape: tuple[int, int]) -> Pipeline:
        """Return a pipeline by the newest recipe; raises as :meth:`Prepared.for_series`."""
        return self.prepared.for_series(start, shape)

    def known_shape(self) -> tuple[int, int] | None:
        """Return the shape of the images where it is known beforehand."""
        known = self.prepared.pipeline
        return None if known is None else known.integrator.shape

    def stop(self) -> None:
        """Let both threads end soon."""
        self._tuner.stop()
        self._reworker.stop()

    def _reworked(self, redo: Redo) -> None:
        how = {"done": "are", "cancelled": "were being", "failed": "could not be"}[redo.state]
        left = "" if redo.state == "done" else f", {redo.done} of {redo.total} are done"
        lacking = f", {redo.missing} could not be had" if redo.missing else ""
        self._board.say(
            "recipe",
            f"revision {redo.revision}: {redo.total} windows {how} reduced again{left}{lacking}",
        )
        self._outlet.between(self._outlet.finish_again)
