"""The ready instrument profiles and recipes that come with livepdf."""

from pathlib import Path

import livepdf
from livepdf.errors import FileError


def profiles_folder() -> Path:
    """Return the folder of the ready profiles: inside an installed package, beside a checkout."""
    package = Path(livepdf.__file__).parent
    for folder in (package / "_profiles", package.parent / "profiles"):
        if (folder / "demo.toml").is_file():
            return folder
    raise FileError(f"the ready profiles are missing beside {package}; install livepdf again")


def ready_profiles() -> dict[str, Path]:
    """Return the ready profiles by name."""
    return {path.stem: path for path in sorted(profiles_folder().glob("*.toml"))}


def ready_recipes() -> dict[str, Path]:
    """Return the ready recipes by name."""
    return {path.stem: path for path in sorted((profiles_folder() / "recipes").glob("*.toml"))}
