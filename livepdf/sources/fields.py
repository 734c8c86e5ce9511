"""Values out of messages that anybody may have sent: each is what it must be, or refused."""

import json
from collections.abc import Mapping
from datetime import datetime
from math import isfinite

from livepdf.errors import FrameError

Scalar = str | int | float | bool | None
Part = bytes | memoryview
LARGEST_INDEX = 1 << 40
"""No detector counts so far; a damaged message may."""
LONGEST_TEXT = 10_000
"""Characters of a text kept with a run."""
LARGEST_JSON = 1 << 20
"""Bytes of a JSON part; the longest header seen has 1.5 kB."""


def json_map(part: Part) -> dict[str, object]:
    """Read a part that must be a JSON object. Raises FrameError ``malformed``."""
    fields = json_or_none(part)
    if not isinstance(fields, dict):
        raise FrameError("malformed", f"no JSON object: begins {bytes(part[:8]).hex(' ')}")
    return fields


def json_or_none(part: Part) -> object:
    """Read a part that may be JSON; None where it is not, or too long to be a header."""
    if len(part) > LARGEST_JSON:
        return None
    try:
        return json.loads(bytes(part))
    except (ValueError, RecursionError):
        return None


def whole(fields: Mapping[str, object], key: str, *, least: int = 0) -> int:
    """Return a whole number that a message must have. Raises FrameError ``malformed``."""
    value = fields.get(key)
    if isinstance(value, bool) or not isinstance(value, int) or not least <= value < LARGEST_INDEX:
        raise FrameError("malformed", f"{key} {in_words(value)}")
    return value


def number(value: object) -> float | None:
    """Return a finite number, None for anything else."""
    if not isinstance(value, int | float) or isinstance(value, bool):
        return None
    try:
        found = float(value)
    except OverflowError:
        return None
    return found if isfinite(found) else None


def positive(value: object) -> float | None:
    """Return a finite number above zero, None for anything else."""
    found = number(value)
    return found if found is not None and found > 0 else None


def text(value: object, *, longest: int = LONGEST_TEXT) -> str:
    """Return a text, empty for anything else."""
    return value[:longest] if isinstance(value, str) else ""


def scalar(value: object) -> Scalar:
    """Return what may be kept with a run as it is; None for lists, maps and absurd numbers."""
    if isinstance(value, str):
        return value[:LONGEST_TEXT]
    if isinstance(value, bool):
        return value
    found = number(value)
    if found is None:
        return None
    return int(found) if isinstance(value, int) and abs(found) < LARGEST_INDEX else found


def date(value: object) -> float | None:
    """Return Unix seconds of a date with its time zone.

    A date that cannot be read costs the frame its time stamp, not its pixels.
    """
    try:
        found = datetime.fromisoformat(value) if isinstance(value, str) else value
        return found.timestamp() if isinstance(found, datetime) and found.tzinfo else None
    except (ValueError, OverflowError):
        return None


def in_words(value: object, *, longest: int = 40) -> str:
    """Show anything that a message can hold; str fails for huge integers and deep nesting."""
    try:
        return str(value)[:longest]
    except (ValueError, RecursionError):
        return f"a {type(value).__name__} too large to show"
