"""Runs as they begin, each with a name that no file has, or as a killed process left them."""

from pathlib import Path

from livepdf.daemon.retuning import Retuning
from livepdf.daemon.runs import Run, RunNames
from livepdf.daemon.take_up import Left
from livepdf.errors import Complaint, ConfigError
from livepdf.model.frame import RunStart


class RunMaker:
    """Names runs and gives them the recipe that holds."""

    def __init__(self, names: RunNames, retuning: Retuning) -> None:
        self._names = names
        self._retuning = retuning

    def new(self, start: RunStart) -> Run:
        """Return the run of a series that begins."""
        return Run(
            start,
            name=self._names.next(start.name),
            build=self._retuning.build,
            shape=self._retuning.known_shape(),
        )

    def again(self, left: Left) -> Run:
        """Return the run that a killed process was in."""
        return Run(
            left.opened.start,
            name=left.opened.name,
            taken_up=left.taken_up,
            build=self._retuning.build,
            shape=self._retuning.known_shape() or left.shape,
        )


def names_beside(output: Path, file: str) -> RunNames:
    """Return names that no file of the output directory has; make it where there is none.

    Raises
    ------
    ConfigError
        When it cannot be made; ``file`` is the profile that names it.
    """
    try:
        output.mkdir(parents=True, exist_ok=True)
        return RunNames(path.stem for path in output.glob("*.nxs"))
    except OSError as error:
        found = f"{output}: {error.strerror or error}"
        wanted = "a directory that can be made"
        raise ConfigError([Complaint(file, "output.directory", found, wanted)]) from None
