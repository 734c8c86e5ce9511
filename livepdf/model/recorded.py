"""What a recording holds: raw messages as they came, and the settings they were received with."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from livepdf.model.raw import RawMessage

Bytes = bytes | memoryview
ENCODING = "cbor"
"""A message of a recording is one CBOR array of byte strings: the parts of the raw message."""
SLOW = "slow"
"""Channel of what the feeds of slow values gave each frame; all other channels are the source's."""
SLOW_NAMES = "slow.json"
"""File that goes along where that channel is recorded: the names of the values, JSON."""
_ARRAY, _BYTES = 0x80, 0x40
_SIZES = {24: 1, 25: 2, 26: 4, 27: 8}
"""Bytes that a number takes, by the low five bits before it."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Recorded:
    """One raw message in a recording."""

    raw: RawMessage
    sequence: int
    """Counts the messages of its channel as they were received: a gap is one not recorded."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Attached:
    """A file that goes along with a recording."""

    name: str
    data: bytes = field(repr=False)
    media_type: str = "application/octet-stream"


@dataclass(frozen=True, slots=True, kw_only=True)
class Origin:
    """Where the messages of a recording came from."""

    kind: str
    """Of the source, as a profile names it."""
    settings: str = "{}"
    """Of the source, JSON."""

    def as_text(self) -> Mapping[str, str]:
        """Return it as texts by name."""
        return {"kind": self.kind, "settings": self.settings}


def nanoseconds(seconds: float) -> int:
    """Return Unix seconds as whole nanoseconds, so that `seconds` gives back the same number."""
    whole = int(seconds)
    return whole * 1_000_000_000 + round((seconds - whole) * 1e9)


def seconds(nanoseconds: int) -> float:
    """Return nanoseconds since 1970 as Unix seconds."""
    return nanoseconds / 1_000_000_000


def framed(parts: Sequence[Bytes]) -> list[Bytes]:
    """Return the pieces that, one after the other, are the CBOR array of the parts."""
    pieces: list[Bytes] = [_head(_ARRAY, len(parts))]
    for part in parts:
        pieces += [_head(_BYTES, len(part)), part]
    return pieces


def unframed(data: memoryview) -> tuple[memoryview, ...]:
    """Return the parts, as views of ``data``; ValueError where it is no array of byte strings."""
    count, place = _number(data, 0, _ARRAY)
    if count > len(data):
        raise ValueError(f"{count} parts in {len(data)} bytes")
    parts = []
    for _ in range(count):
        size, place = _number(data, place, _BYTES)
        if place + size > len(data):
            raise ValueError(f"a part of {size} bytes, {len(data) - place} are left")
        parts.append(data[place : place + size])
        place += size
    if place != len(data):
        raise ValueError(f"{len(data) - place} bytes are left over")
    return tuple(parts)


def _head(kind: int, number: int) -> bytes:
    if number < 24:
        return bytes([kind | number])
    for code, size in _SIZES.items():
        if number < 1 << (8 * size):
            return bytes([kind | code]) + number.to_bytes(size, "big")
    raise ValueError(f"{number} is too large")


def _number(data: memoryview, place: int, kind: int) -> tuple[int, int]:
    """Read a head of that kind; return its number and the place after it."""
    if place >= len(data) or data[place] & 0xE0 != kind:
        raise ValueError("no array of byte strings")
    code = data[place] & 0x1F
    if code < 24:
        return code, place + 1
    size = _SIZES.get(code, 0)
    end = place + 1 + size
    if not size or end > len(data):
        raise ValueError("no array of byte strings")
    return int.from_bytes(data[place + 1 : end], "big"), end
