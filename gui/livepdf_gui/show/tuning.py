"""The draft of a recipe as people type it, and what they want done with it."""

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

from livepdf.model.status import Redo
from livepdf.wire.tuning import Again, RecipeKey, RecipeReply

Act = Literal["recipe", "preview", "apply", "undo", "cancel", "pin", "unpin"]


@dataclass(frozen=True, slots=True, kw_only=True)
class TuningWish:
    """One thing to ask of the daemon."""

    act: Act
    changes: Mapping[str, Any] = field(default_factory=dict)
    again: Again = "none"
    last: int = 0
    number: int = -1
    """Window to look at or to pin; -1 is the newest."""


_UNITS = ("Å", "Å⁻¹", "Å²", "Å⁻²", "keV", "s", "mm", "K", "°")


def named(key: RecipeKey) -> str:
    """Return the name of a key with its unit, with which its description begins."""
    unit = re.split("[,;.]", key.help)[0].strip()
    name = key.key.removeprefix("reduction.")
    return f"{name} ({unit})" if unit in _UNITS else name


def typed(key: RecipeKey) -> str:
    """Return the value of a key as one would type it."""
    if key.value is None:
        return ""
    return key.value if isinstance(key.value, str) else json.dumps(key.value)


def meant(text: str) -> Any:
    """Return what somebody typed: a number, true or false, nothing, or a text."""
    words = text.strip()
    if words in ("true", "false", ""):
        return {"true": True, "false": False, "": None}[words]
    try:
        return float(words)
    except ValueError:
        return words


def changes(recipe: RecipeReply, texts: Mapping[str, str]) -> dict[str, Any]:
    """Return the keys whose text is not what holds, with what is meant."""
    held = {key.key: typed(key) for key in recipe.keys}
    edited = {key: meant(text) for key, text in texts.items() if key in held}
    return {key: value for key, value in edited.items() if value != meant(held[key])}


def progress(redo: Redo | None) -> str:
    """Say how far stored windows are."""
    if redo is None:
        return ""
    words = {
        "running": f"{redo.part}: {redo.done} of {redo.total} stored windows",
        "done": f"all {redo.total} stored windows follow revision {redo.revision}",
        "cancelled": f"cancelled after {redo.done} of {redo.total} stored windows",
        "failed": "stored windows could not be reduced again: see the daemon's log",
    }
    lacking = f" ({redo.missing} could not be had)" if redo.missing else ""
    return words[redo.state] + lacking
