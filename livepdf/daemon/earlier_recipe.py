"""By which recipe a run was reduced before its daemon was killed: another one may hold now."""

import logging
from pathlib import Path

import h5py

from livepdf.config.load import recipe_from_text
from livepdf.daemon.assemble import Settings
from livepdf.daemon.drafts import change_words
from livepdf.errors import ConfigError

log = logging.getLogger(__name__)


def how_it_differed(path: Path, settings: Settings) -> str:
    """Return in words how the recipe that holds now differs from that of a file of the run.

    Parameters
    ----------
    path : Path
        The newest file of the run, as the killed process left it and it was mended.

    Returns
    -------
    words : str
        Empty where both say the same, and where the file cannot be read at all.
    """
    try:
        with h5py.File(path, "r") as file:
            process = file["entry/livepdf"]
            text = process["recipe"].asstr()[()]
            folder = Path(process["folder"].asstr()[()])
            revision = int(process["revision"][()])
    except (OSError, RuntimeError, ValueError, KeyError) as error:
        log.warning("the recipe in %s cannot be read: %s", path, error)
        return ""
    try:
        before = recipe_from_text(text, name=folder / settings.recipe_file.name)
    except ConfigError as error:
        return f"that in {path.name} is none any more ({error.complaints[0]})"
    words = change_words(before, settings.recipe)
    return words and f"after revision {revision}, {words}"
