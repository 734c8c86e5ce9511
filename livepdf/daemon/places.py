"""Where the files of a run go, from what people call things; never outside the output directory."""

import re
import time
from pathlib import Path

from livepdf.daemon.disk import require_room
from livepdf.daemon.fence import inside
from livepdf.model.frame import RunStart

_LONGEST = 120
"""Bytes of a name; file systems take 255, and endings are added."""


def plain(words: str, *, otherwise: str) -> str:
    """Return words as one name on disk: no separators, no dots or dashes at its ends, not long."""
    name = re.sub(r"[^\w.+-]+", "-", words).strip("-.")
    return name.encode()[:_LONGEST].decode(errors="ignore").strip("-.") or otherwise


def place_of(
    template: str,
    *,
    start: RunStart,
    run: str,
    proposal: str,
    sample: str,
    composition: str,
    instrument: str,
) -> str:
    """Return the folder of a run below the output directory, e.g. ``p1234/HfO2-in-water``.

    Parameters
    ----------
    template : str
        As ``output.folders`` of the profile has it, checked there; empty for no folder.
    """
    fields = {
        "proposal": proposal,
        "sample": sample or composition,
        "composition": composition,
        "instrument": instrument,
        "date": _day(start.time),
        "series": start.name,
        "run": run,
    }
    named = {name: plain(value, otherwise="unnamed") for name, value in fields.items()}
    parts = [part.format_map(named) for part in template.split("/") if part]
    return "/".join(plain(part, otherwise="unnamed") for part in parts)


def _day(moment: float) -> str:
    try:
        return time.strftime("%Y-%m-%d", time.localtime(moment))
    except (ValueError, OverflowError, OSError):
        return "undated"  # the detector's clock is not to be trusted


def folder_with_room(directory: Path, below: str, size: int) -> Path:
    """Make the folder of a run and return it.

    Raises
    ------
    OSError
        Where it cannot be made, has no room for so many bytes, or a link leads elsewhere.
    """
    folder = directory / below
    if below and not inside(folder, directory):
        raise OSError(f"{folder} leads out of {directory}")
    require_room(folder, size)
    return folder
