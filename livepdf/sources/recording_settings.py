"""Lay the settings of a recording out as files again."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

from livepdf.model.recorded import Attached


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """Where the files are; None for what the recording does not hold."""

    profile: Path | None
    recipe: Path | None


def lay_out(attached: Sequence[Attached], folder: Path) -> Settings:
    """Write profile, recipe and the files that they name into an empty folder.

    A name never leads out of the folder: a file that was named with an absolute path, or from a
    folder above, gets a plain name, also in the settings.
    """
    return Settings(
        profile=_lay_out("profile", attached, folder), recipe=_lay_out("recipe", attached, folder)
    )


def _lay_out(role: str, attached: Sequence[Attached], folder: Path) -> Path | None:
    settings = next((item for item in attached if item.name == f"{role}.toml"), None)
    if settings is None:
        return None
    place = folder / role
    place.mkdir(parents=True)
    text = settings.data.decode("utf-8", errors="replace")
    files = [item for item in attached if item.name.startswith(f"{role}/")]
    for number, item in enumerate(files):
        written = item.name.removeprefix(f"{role}/")
        plain = written if _is_inside(written) else f"file-{number}-{Path(written).name}"
        if plain != written:
            text = text.replace(f'"{written}"', f'"{plain}"').replace(f"'{written}'", f'"{plain}"')
        path = place / plain
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(item.data)
    path = place / f"{role}.toml"
    path.write_text(text, encoding="utf-8")
    return path


def _is_inside(written: str) -> bool:
    """Whether a path stays in its folder wherever that is."""
    path = PurePosixPath(written)
    return not path.is_absolute() and ".." not in path.parts and "~" not in written
