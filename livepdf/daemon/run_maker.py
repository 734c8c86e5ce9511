"""Runs as they begin, each with a name that no file has, or as a killed process left them."""

import logging
from pathlib import Path

from livepdf.daemon.board import Board
from livepdf.daemon.earlier_recipe import how_it_differed
from livepdf.daemon.places import place_of
from livepdf.daemon.retuning import Retuning
from livepdf.daemon.runs import Run, RunNames
from livepdf.daemon.take_up import Left
from livepdf.errors import Complaint, ConfigError
from livepdf.model.frame import RunStart

log = logging.getLogger(__name__)


class RunMaker:
    """Names runs and gives them the recipe that holds."""

    def __init__(self, names: RunNames, retuning: Retuning, board: Board) -> None:
        self._names = names
        self._retuning = retuning
        self._board = board

    def new(self, start: RunStart) -> Run:
        """Return the run of a series that begins."""
        name = self._names.next(start.name)
        settings = self._retuning.prepared.settings
        below = place_of(
            settings.profile.output.folders,
            start=start,
            run=name,
            proposal=settings.profile.output.proposal,
            sample=settings.recipe.sample.name,
            composition=settings.recipe.sample.composition,
            instrument=settings.profile.instrument.name,
        )
        return Run(
            start,
            name=name,
            below=below,
            build=self._retuning.build,
            shape=self._retuning.known_shape(),
        )

    def again(self, left: Left) -> Run:
        """Return the run that a killed process was in; say so when another recipe holds now."""
        self._compare_recipes(left)
        return Run(
            left.opened.start,
            name=left.opened.name,
            below=left.opened.below,
            taken_up=left.taken_up,
            build=self._retuning.build,
            shape=self._retuning.known_shape() or left.shape,
        )

    def _compare_recipes(self, left: Left) -> None:
        settings = self._retuning.prepared.settings
        parts = left.taken_up.parts
        words = how_it_differed(parts[-1][0], settings) if parts else ""
        if words:
            text = (
                f"{left.opened.name} goes on by another recipe than before the restart, that of "
                f"{settings.recipe_file}: {words}"
            )
            self._board.say("warning", text)
            self._board.note("recipe", text)
            log.warning("%s", text)


def names_beside(output: Path, file: str) -> RunNames:
    """Return names that no file of the output directory has; make it where there is none.

    Raises
    ------
    ConfigError
        When it cannot be made; ``file`` is the profile that names it.
    """
    try:
        output.mkdir(parents=True, exist_ok=True)
        return RunNames(path.stem for path in output.rglob("*.nxs"))
    except OSError as error:
        found = f"{output}: {error.strerror or error}"
        wanted = "a directory that can be made"
        raise ConfigError([Complaint(file, "output.directory", found, wanted)]) from None
