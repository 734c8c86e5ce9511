"""What a finished set-up was made from, so that the next run knows what is left to do."""

import hashlib
import json
import platform
import sys
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Literal, Self

FILE_NAME = "livepdf-set-up.json"

Step = Literal["nothing", "install", "anew"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Stamp:
    """What an environment was made from."""

    inputs: str
    """Hash of the files that decide what is installed."""
    place: str
    """The checkout: an editable install names it."""
    python: str
    """Version and origin of the interpreter."""
    extras: tuple[str, ...]

    @classmethod
    def wanted(cls, *, checkout: Path, inputs: tuple[Path, ...], extras: tuple[str, ...]) -> Self:
        """Say what a set-up of this checkout with this interpreter would be made from."""
        digest = hashlib.sha256(b"\0".join(path.read_bytes() for path in inputs)).hexdigest()
        python = f"{platform.python_version()} of {sys.base_prefix}"
        return cls(inputs=digest, place=str(checkout), python=python, extras=extras)

    @classmethod
    def read(cls, folder: Path) -> Self | None:
        """Read the stamp of an environment; None where a set-up was not finished."""
        try:
            fields = json.loads((folder / FILE_NAME).read_text(encoding="utf-8"))
            return cls(**{**fields, "extras": tuple(fields["extras"])})
        except (OSError, ValueError, KeyError, TypeError):
            return None

    def write(self, folder: Path) -> None:
        """Mark the environment in ``folder`` as finished."""
        (folder / FILE_NAME).write_text(json.dumps(asdict(self), indent=1), encoding="utf-8")


def begin(folder: Path) -> None:
    """Mark ``folder`` as ours and unfinished."""
    folder.mkdir(parents=True, exist_ok=True)
    (folder / FILE_NAME).write_text("unfinished\n", encoding="utf-8")


def is_ours(folder: Path) -> bool:
    """Whether this door made ``folder``, finished or not, or may make it: it is not there."""
    return (folder / FILE_NAME).is_file() or not folder.exists() or not any(folder.iterdir())


def next_step(*, found: Stamp | None, wanted: Stamp) -> Step:
    """Decide what an environment stamped ``found`` lacks of ``wanted``.

    An unfinished one is made anew: nobody knows which of its packages are whole. So is one of
    another interpreter or of another place.
    """
    if found is None or (found.place, found.python) != (wanted.place, wanted.python):
        return "anew"
    if found.inputs == wanted.inputs and set(wanted.extras) <= set(found.extras):
        return "nothing"
    return "install"
