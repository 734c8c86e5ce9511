"""What the window remembers from one evening to the next."""

import json
import os
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, get_args

from livepdf_gui.show.choice import THEME_NAMES, Axis, Choice, MapKind, QKind
from livepdf_gui.show.detector import SCALES
from livepdf_gui.show.session import RINGS, Session

_VERSION = 1


@dataclass(frozen=True, slots=True, kw_only=True)
class Memory:
    """Wishes, and how large everything is; what no longer makes sense is left out."""

    wishes: Mapping[str, Any] = field(default_factory=dict)
    size: tuple[int, int] | None = None
    splitters: tuple[tuple[int, ...], ...] = ()
    endpoint: str = ""


def memory_file() -> Path:
    """Return where it is kept: below $XDG_CONFIG_HOME, else ~/.config."""
    base = os.environ.get("XDG_CONFIG_HOME") or str(Path.home() / ".config")
    return Path(base) / "livepdf" / "window.json"


def remember(path: Path, memory: Memory) -> None:
    """Write it; the file appears whole or not at all. OSError where that cannot be."""
    path.parent.mkdir(parents=True, exist_ok=True)
    part = path.with_name(f".{path.name}.{os.getpid()}.part")
    stored = {
        "version": _VERSION,
        "wishes": dict(memory.wishes),
        "size": memory.size,
        "splitters": memory.splitters,
        "endpoint": memory.endpoint,
    }
    part.write_text(json.dumps(stored, indent=1), encoding="utf-8")
    part.replace(path)


def recall(path: Path) -> tuple[Memory, str]:
    """Read it; a file that cannot be used is set aside and said in words.

    Returns
    -------
    memory : Memory
    complaint : str
        Empty when all is well.
    """
    try:
        text = path.read_text(encoding="utf-8")
    except FileNotFoundError:
        return Memory(), ""
    except (OSError, UnicodeDecodeError) as error:
        return Memory(), f"what the window remembers cannot be read: {error}"
    try:
        return _parsed(json.loads(text)), ""
    except (ValueError, TypeError, KeyError, AttributeError):
        aside = path.with_suffix(".json.bad")
        try:
            path.replace(aside)
        except OSError as error:
            return Memory(), f"{path} cannot be understood, nor set aside: {error}"
        return Memory(), f"{path} could not be understood and is now {aside.name}"


def wishes_of(session: Session) -> dict[str, Any]:
    """Return what of a session is worth remembering."""
    choice = session.choice
    return {
        "q_kind": choice.q_kind,
        "map_kind": choice.map_kind,
        "axis": choice.axis,
        "trends": choice.trends,
        "overlay": choice.overlay,
        "theme": choice.theme,
        "detector_scale": session.detector_scale,
        "rings": session.rings,
        "sectors": session.sectors,
    }


def restore(session: Session, wishes: Mapping[str, Any]) -> None:
    """Give a session the wishes that are understood; others stay as they are."""
    choice: Choice = session.choice
    allowed = {
        "q_kind": get_args(QKind),
        "map_kind": get_args(MapKind),
        "axis": get_args(Axis),
        "theme": THEME_NAMES,
    }
    for name, values in allowed.items():
        if wishes.get(name) in values:
            choice = replace(choice, **{name: wishes[name]})
    trends = wishes.get("trends")
    if isinstance(trends, list) and all(isinstance(name, str) for name in trends):
        choice = replace(choice, trends=tuple(trends))
    if isinstance(wishes.get("overlay"), str):
        choice = replace(choice, overlay=wishes["overlay"])
    session.choice = choice
    if wishes.get("detector_scale") in SCALES:
        session.detector_scale = wishes["detector_scale"]
    if wishes.get("rings") in RINGS:
        session.rings = wishes["rings"]
    session.sectors = wishes.get("sectors") is True


def _parsed(stored: Any) -> Memory:
    if stored["version"] != _VERSION:
        raise ValueError(f"version {stored['version']}")
    size = stored["size"]
    return Memory(
        wishes=dict(stored["wishes"]),
        size=None if size is None else (int(size[0]), int(size[1])),
        splitters=tuple(tuple(int(n) for n in sizes) for sizes in stored["splitters"]),
        endpoint=str(stored["endpoint"]),
    )
