"""One train of a Karabo bridge (versions 1.0 and 2.2), read into words; no socket, no state."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from math import prod

import msgspec
import numpy as np
from numpy.typing import NDArray

from livepdf.errors import FrameError
from livepdf.sources.described import PIXELS, sizes
from livepdf.sources.fields import LARGEST_INDEX, Part, in_words, number
from livepdf.sources.typed_array import LARGEST_IMAGE

SHORT = re.compile(r"^[<>|=]?[iuf][1248]$")
"""Pixel types as numpy writes them, e.g. ``<f4``."""
MOST_AXES = 8


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Values:
    """What one source of the train sent."""

    train: int | None
    time: float | None
    """Unix seconds."""
    values: dict[str, object] = field(repr=False)
    """By key: plain values, ``Array`` or, where an array cannot be used, FrameError."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Array:
    """An array, checked but not copied."""

    values: NDArray[np.generic]
    """A read-only view of the message."""


Train = Mapping[str, Values]
"""By the name of the source."""


def parse(parts: Sequence[Part]) -> Train:
    """Read one train: one part in version 1.0, pairs of parts in version 2.2.

    Raises FrameError ``malformed`` where it is none of the protocol. An array of a type or size
    that cannot be used does not cost the others: it is in the train as a FrameError.
    """
    if len(parts) == 1:
        return _one_part(parts[0])
    if not parts or len(parts) % 2:
        raise FrameError("malformed", f"a train of {len(parts)} parts")
    train: dict[str, Values] = {}
    for header, payload in zip(parts[::2], parts[1::2], strict=True):
        fields = _map(_unpacked(header), "header")
        source = fields.get("source")
        if not isinstance(source, str):
            raise FrameError("malformed", f"source {in_words(source)}")
        if fields.get("content") == "msgpack":
            train[source] = _values(_map(_unpacked(payload), "values"), fields.get("metadata"))
        elif fields.get("content") == "array" and source in train:
            key = in_words(fields.get("path"), longest=200)
            train[source].values[key] = _array(fields.get("dtype"), fields.get("shape"), payload)
        else:
            raise FrameError("malformed", f"content {in_words(fields.get('content'))}")
    return train


def _one_part(part: Part) -> Train:
    train: dict[str, Values] = {}
    for source, content in _map(_unpacked(part), "train").items():
        if not isinstance(content, dict):
            raise FrameError("malformed", f"{source} is no map")
        values = {
            key: _numpy(value)
            for key, value in content.items()
            if isinstance(key, str) and key != "metadata"
        }
        train[source] = _values(values, content.get("metadata"))
    return train


def _unpacked(part: Part) -> object:
    try:
        return msgspec.msgpack.decode(part)
    except (msgspec.MsgspecError, ValueError, TypeError, RecursionError) as error:
        raise FrameError("malformed", f"no msgpack: {str(error)[:100]}") from error
    except MemoryError as error:
        raise FrameError("too large", "a msgpack item that does not fit into memory") from error


def _map(value: object, what: str) -> dict[str, object]:
    if not isinstance(value, dict) or not all(isinstance(key, str) for key in value):
        raise FrameError("malformed", f"{what} is no map of names")
    return value


def _values(values: dict[str, object], metadata: object) -> Values:
    about = metadata if isinstance(metadata, dict) else {}
    train = about.get("timestamp.tid")
    known = isinstance(train, int) and not isinstance(train, bool) and 0 <= train < LARGEST_INDEX
    return Values(train=train if known else None, time=_time(about), values=values)


def _time(about: Mapping[object, object]) -> float | None:
    # Seconds and attoseconds are texts.
    try:
        seconds = float(str(about["timestamp.sec"])[:20])
        return number(seconds + float(str(about.get("timestamp.frac", "0"))[:20]) * 1e-18)
    except (KeyError, ValueError, RecursionError):
        return number(about.get("timestamp"))


def _numpy(value: object) -> object:
    """Turn what msgpack-numpy made of an array or a numpy number back; its keys are bytes."""
    if not isinstance(value, dict) or b"nd" not in value:
        return value
    kind, data = value.get(b"type"), value.get(b"data")
    if isinstance(kind, bytes):
        kind = kind.decode(errors="replace")
    if not isinstance(data, bytes):
        return FrameError("malformed", "an array without bytes")
    if value[b"nd"]:
        return _array(kind, value.get(b"shape"), data)
    one = _array(kind, [1], data)
    return one.values[0].item() if isinstance(one, Array) else one


def _array(kind: object, shape: object, data: Part) -> Array | FrameError:
    if not isinstance(kind, str) or not (kind in PIXELS or SHORT.match(kind)):
        return FrameError("unsupported dtype", in_words(kind))
    dtype = np.dtype(kind)
    try:
        axes = sizes(shape)
    except FrameError as error:
        return error
    if len(axes) > MOST_AXES:
        return FrameError("malformed", f"an array of {len(axes)} axes")
    wanted = prod(axes) * dtype.itemsize
    if wanted > LARGEST_IMAGE:
        return FrameError("too large", f"shape {in_words(shape)}")
    if len(data) != wanted:
        reason = "truncated" if len(data) < wanted else "wrong size"
        return FrameError(reason, f"{len(data)} bytes for {wanted}")
    return Array(values=np.frombuffer(data, dtype).reshape(axes))
