"""Read where the panels of a tiled detector are from a CrystFEL geometry file (.geom)."""

import re
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from livepdf.errors import FileError
from livepdf.numerics.tiles import BadRegion, Panel, TiledDetector

_TERM = re.compile(r"([+-]?\s*[0-9.]*(?:[eE][+-]?[0-9]+)?)\s*([xyz])")
_WANTED = ("min_fs", "max_fs", "min_ss", "max_ss", "fs", "ss", "corner_x", "corner_y", "res")
Entries = dict[str, str]


def read_geom(path: Path, *, distance: float | None = None) -> TiledDetector:
    """Read a CrystFEL geometry; corners are those of the first pixel, not its centre.

    Parameters
    ----------
    path : Path
    distance : float, m, optional
        From the sample; needed where the file names a motor instead of a ``clen``.

    Raises
    ------
    FileError
        Unreadable, or a panel lacks what is needed; names the panel and the key.
    """
    panels, regions = _entries(path)
    if not panels:
        raise FileError(f"{path}: no panels: is this a CrystFEL geometry?")
    stacked = _stacking(panels)
    return TiledDetector(
        panels=tuple(
            _panel(path, name, entries, base=stacked.get(name, 0), distance=distance)
            for name, entries in panels.items()
        ),
        bad=tuple(_region(path, name, entries) for name, entries in regions.items()),
    )


def _entries(path: Path) -> tuple[dict[str, Entries], dict[str, Entries]]:
    """Panels and bad regions; what is said of no panel holds for those below it."""
    try:
        text = path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise FileError(f"{path}: cannot be read: {error}") from error
    defaults: Entries = {}
    panels: dict[str, Entries] = {}
    regions: dict[str, Entries] = {}
    for line in text.splitlines():
        key, found, value = line.split(";")[0].partition("=")
        if not found:
            continue
        key, value = key.strip(), value.strip()
        owner, inside, entry = key.rpartition("/")
        if not inside:
            if not key.startswith(("rigid_group", "group")):
                defaults[key] = value
        elif owner.startswith("bad"):
            regions.setdefault(owner, {})[entry] = value
        else:
            panels.setdefault(owner, dict(defaults))[entry] = value
    return panels, regions


def _stacking(panels: dict[str, Entries]) -> dict[str, int]:
    """First row of each panel's module where the data have an axis of modules (dimN = number)."""
    modules = {name: _module(entries) for name, entries in panels.items()}
    heights: dict[int, int] = {}
    for name, module in modules.items():
        if module is not None:
            height = int(float(panels[name].get("max_ss", "-1"))) + 1
            heights[module] = max(height, heights.get(module, 0))
    rows = max(heights.values(), default=0)
    return {name: module * rows for name, module in modules.items() if module is not None}


def _module(entries: Entries) -> int | None:
    numbers = [v for k, v in sorted(entries.items()) if k.startswith("dim") and v.isdigit()]
    return int(numbers[0]) if numbers else None


def _panel(path: Path, name: str, entries: Entries, *, base: int, distance: float | None) -> Panel:
    missing = [key for key in _WANTED if key not in entries]
    if missing:
        raise FileError(f"{path}: panel {name}: {', '.join(missing)} missing")

    def number(key: str) -> float:
        try:
            return float(entries[key].split()[0])
        except (ValueError, IndexError) as error:
            found = f"found {entries[key]!r}, wanted a number"
            raise FileError(f"{path}: panel {name}: {key}: {found}") from error

    pixel = 1.0 / number("res")
    away = _distance(path, name, entries) if distance is None else distance
    offset = number("coffset") if "coffset" in entries else 0.0
    corner = np.array([number("corner_x") * pixel, number("corner_y") * pixel, away + offset])
    return Panel(
        name=name,
        top=base + int(number("min_ss")),
        bottom=base + int(number("max_ss")) + 1,
        left=int(number("min_fs")),
        right=int(number("max_fs")) + 1,
        corner=corner,
        fast=_vector(path, name, entries["fs"]) * pixel,
        slow=_vector(path, name, entries["ss"]) * pixel,
        ignored=entries.get("no_index", "0").strip() not in ("", "0"),
    )


def _distance(path: Path, name: str, entries: Entries) -> float:
    words = entries.get("clen", "").split()
    scale = {"m": 1.0, "mm": 1e-3}
    try:
        return float(words[0]) * scale[words[1] if len(words) > 1 else "m"]
    except (IndexError, KeyError, ValueError) as error:
        found = f"found {entries.get('clen', 'nothing')!r}"
        raise FileError(
            f"{path}: panel {name}: clen: {found}, wanted a length; give the distance from the "
            "sample yourself"
        ) from error


def _vector(path: Path, name: str, text: str) -> NDArray[np.float64]:
    vector = np.zeros(3)
    terms = _TERM.findall(text)
    if not terms:
        raise FileError(f"{path}: panel {name}: found {text!r}, wanted e.g. '+1.0x -0.002y'")
    for factor, axis in terms:
        bare = factor.replace(" ", "")
        vector["xyz".index(axis)] += float(bare + "1" if bare in ("", "+", "-") else bare)
    return vector


def _region(path: Path, name: str, entries: Entries) -> BadRegion:
    axes = ("fs", "ss") if "min_fs" in entries else ("x", "y")
    try:
        low = [float(entries[f"min_{axis}"]) for axis in axes]
        high = [float(entries[f"max_{axis}"]) for axis in axes]
    except (KeyError, ValueError) as error:
        raise FileError(f"{path}: {name}: its limits are not whole: {error}") from error
    return BadRegion(
        panel=entries.get("panel", ""),
        on_panel=axes[0] == "fs",
        low=(low[0], low[1]),
        high=(high[0], high[1]),
    )
