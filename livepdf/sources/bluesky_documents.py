"""One bluesky document as its Publisher sends it: prefix, name and payload in one frame."""

import json
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

import msgspec
import numpy as np
from numpy.typing import NDArray

from livepdf.errors import FrameError
from livepdf.sources.fields import Part, in_words
from livepdf.sources.typed_array import LARGEST_IMAGE

NAMES = {
    "start", "descriptor", "event", "event_page", "resource", "datum", "datum_page",
    "stream_resource", "stream_datum", "stop", "bulk_events", "bulk_datum",
}  # fmt: skip
PICKLED = (
    "bluesky's Publisher pickles documents unless told otherwise, and reading a pickle runs "
    "whatever its sender put in. Make it with serializer=msgpack.packb, or with "
    "serializer=lambda doc: json.dumps(doc).encode()"
)
LONGEST_NAME = 40


class Document(NamedTuple):
    """A document of a run."""

    name: str
    fields: Mapping[str, Any]


def parse(parts: Sequence[Part], *, prefix: bytes = b"") -> Document | None:
    """Read one message; None where it is of another publisher.

    Raises FrameError: ``malformed``, ``unknown message`` or ``pickled document``.
    """
    if len(parts) != 1:
        raise FrameError("malformed", f"a message of {len(parts)} parts, bluesky's have one")
    pieces = bytes(parts[0]).split(b" ", 2)
    if len(pieces) != 3 or len(pieces[1]) > LONGEST_NAME:
        raise FrameError("malformed", "no 'prefix name document'")
    found, name, payload = pieces
    if found != prefix:
        return None
    if name.decode("latin-1") not in NAMES:
        raise FrameError("unknown message", f"document {name.decode('latin-1')!r}")
    return Document(name=name.decode(), fields=_fields(payload))


def _fields(payload: bytes) -> Mapping[str, Any]:
    if payload[:1] in (b"{", b"["):
        fields = _json(payload)
    elif payload[:1] == b"\x80" and len(payload) > 1:
        # In msgpack this byte is a whole empty map; pickles begin with it and go on.
        raise FrameError("pickled document", PICKLED)
    else:
        fields = _msgpack(payload)
    if not isinstance(fields, dict) or not all(isinstance(key, str) for key in fields):
        raise FrameError("malformed", f"a {type(fields).__name__} where a document was wanted")
    return fields


def _json(payload: bytes) -> object:
    try:
        return json.loads(payload)
    except (ValueError, RecursionError) as error:
        raise FrameError("malformed", str(error)[:200]) from error


def _msgpack(payload: bytes) -> object:
    try:
        return msgspec.msgpack.decode(payload)
    except (msgspec.MsgspecError, ValueError, TypeError, RecursionError, OverflowError) as error:
        raise FrameError("malformed", f"neither JSON nor msgpack: {error}"[:200]) from error


def array_of(value: object) -> NDArray[Any]:
    """Return the array that stands in an event: nested lists, or what msgpack_numpy makes of one.

    Raises FrameError: ``no image``, ``malformed``, ``too large``, ``unsupported dtype`` or
    ``wrong size``.
    """
    if isinstance(value, Mapping):
        return _packed_array({_text(key): item for key, item in value.items()})
    if not isinstance(value, list | tuple):
        raise FrameError("no image", f"a {type(value).__name__} where an image was wanted")
    try:
        array = np.array(value)
    except (ValueError, OverflowError) as error:
        raise FrameError("malformed", f"rows of different lengths: {error}"[:200]) from error
    if array.dtype.kind not in "iuf":
        raise FrameError("unsupported dtype", str(array.dtype))
    return array


def _packed_array(fields: Mapping[str, Any]) -> NDArray[Any]:
    name, shape, data = _text(fields.get("type", "")), fields.get("shape"), fields.get("data")
    if not isinstance(data, bytes) or not isinstance(shape, list | tuple):
        raise FrameError("malformed", "a map that is no array of msgpack_numpy")
    try:
        dtype = np.dtype(name) if len(name) < 8 else None
    except (TypeError, ValueError, SyntaxError):
        dtype = None
    if dtype is None or dtype.kind not in "iuf" or dtype.itemsize > 8:
        raise FrameError("unsupported dtype", name[:40])
    if not all(isinstance(n, int) and 0 < n < LARGEST_IMAGE for n in shape) or len(shape) > 4:
        raise FrameError("malformed", f"shape {str(shape)[:80]}")
    size = dtype.itemsize
    for length in shape:
        size *= length
    if size > LARGEST_IMAGE:
        raise FrameError("too large", f"an array of shape {tuple(shape)}")
    if size != len(data):
        raise FrameError("wrong size", f"{len(data)} bytes for {size}")
    return np.frombuffer(data, dtype).reshape(shape)


def _text(value: object) -> str:
    return value.decode("latin-1") if isinstance(value, bytes) else str(value)[:100]


def is_image(key: object) -> bool:
    """Tell whether a data key of a descriptor is one of images."""
    if not isinstance(key, Mapping):
        return False
    shape = key.get("shape")
    flat = isinstance(shape, list | tuple) and len(shape) < 2
    return bool(key.get("external")) or (key.get("dtype") == "array" and not flat)


def rows(page: Mapping[str, Any], nested: tuple[str, ...]) -> list[dict[str, Any]]:
    """Take a page of documents apart.

    Raises FrameError ``malformed`` where its columns do not match.
    """
    columns = {key: value for key, value in page.items() if isinstance(value, list)}
    tables = {key: page[key] for key in nested if isinstance(page.get(key), Mapping)}
    fixed = {k: v for k, v in page.items() if k not in columns and k not in tables}
    lengths = {len(column) for column in columns.values()}
    lengths |= {len(c) if isinstance(c, list) else -1 for t in tables.values() for c in t.values()}
    if len(lengths) != 1 or -1 in lengths:
        raise FrameError("malformed", "a page whose columns differ in length")
    return [
        {
            **fixed,
            **{key: column[row] for key, column in columns.items()},
            **{key: {k: c[row] for k, c in table.items()} for key, table in tables.items()},
        }
        for row in range(lengths.pop())
    ]


def whole_range(value: object) -> range:
    """Return the numbers that a document names as start and stop; FrameError ``malformed``."""
    start, stop = (value.get("start"), value.get("stop")) if isinstance(value, Mapping) else (0, 0)
    if not isinstance(start, int) or not isinstance(stop, int) or not 0 <= start <= stop < 1 << 40:
        raise FrameError("malformed", f"a range of {in_words(start)} to {in_words(stop)}")
    return range(start, stop)
