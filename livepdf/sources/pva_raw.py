"""An update of a PVA channel as two byte strings, and back: what a recording of PVA holds.

PVAccess hands structures to a program, not the bytes of the wire. So an update is written down
whole: part 0 is a CBOR map of the type and of every field but the pixels, part 1 the pixels as they
are in memory. Nothing is left out but the width of scalars inside ``any`` fields.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

import cbor2
import numpy as np

from livepdf.errors import FrameError

FORMAT = "livepdf-pva-1"
LARGEST_HEAD = 4 << 20
"""Bytes of part 0; attributes of a detector take some thousands."""
Bytes = bytes | memoryview
Link = Literal["connected", "disconnected"]
_NOTHING = b""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Update:
    """One update of a channel."""

    fields: Mapping[str, Any]
    """All fields of the structure but an array in ``value``, by name; structures are maps."""
    dtype: np.dtype[Any] | None
    """Of the array that the union ``value`` holds; None where it holds none."""
    pixels: Bytes = field(repr=False)
    """The array as it is in memory, little-endian."""
    type: Any = None
    """Type of the structure, as p4p spells it."""


def pack_update(fields: Mapping[str, Any], *, type_spec: Any) -> tuple[Bytes, ...]:
    """Write an update down; ``fields`` is the whole structure, ``value`` mostly an array."""
    value = fields.get("value")
    array = None
    if isinstance(value, np.ndarray) and value.dtype.kind in "iufb":
        little = value.dtype.newbyteorder("<")
        array = np.ascontiguousarray(value).astype(little, copy=False).reshape(-1)
    head = {
        "format": FORMAT,
        "type": type_spec,
        "dtype": None if array is None else array.dtype.str,
        "fields": {k: v for k, v in fields.items() if k != "value" or array is None},
    }
    pixels = _NOTHING if array is None or not array.size else array.view(np.uint8).data
    return cbor2.dumps(head, default=_plain), pixels


def pack_link(link: Link) -> tuple[Bytes, ...]:
    """Write down that the channel was found, or has gone."""
    return (cbor2.dumps({"format": FORMAT, "link": link}),)


def unpack_message(parts: tuple[Bytes, ...]) -> Update | Link:
    """Read what the two above wrote; FrameError ``malformed`` where it is neither."""
    if not parts or len(parts[0]) > LARGEST_HEAD:
        raise FrameError("malformed", "a PVA update without a head of sensible size")
    try:
        head = cbor2.loads(bytes(parts[0]))
    except (cbor2.CBORError, ValueError, TypeError, OverflowError, RecursionError) as error:
        raise FrameError("malformed", str(error)[:200]) from error
    except MemoryError as error:
        raise FrameError("malformed", "a CBOR item that does not fit into memory") from error
    if not isinstance(head, Mapping) or head.get("format") != FORMAT:
        raise FrameError("malformed", f"no PVA update in the form {FORMAT}")
    if head.get("link") in ("connected", "disconnected"):
        return "connected" if head["link"] == "connected" else "disconnected"
    fields = head.get("fields")
    if len(parts) != 2 or not isinstance(fields, Mapping):
        raise FrameError("malformed", f"a PVA update of {len(parts)} parts, wanted 2")
    return Update(
        fields=fields, dtype=_dtype(head.get("dtype")), pixels=parts[1], type=head.get("type")
    )


def _dtype(name: object) -> np.dtype[Any] | None:
    if name is None:
        return None
    try:
        dtype = np.dtype(name) if isinstance(name, str) and len(name) < 8 else None
    except (TypeError, ValueError, SyntaxError):
        dtype = None
    if dtype is None or dtype.kind not in "iufb" or dtype.itemsize > 8:
        raise FrameError("malformed", f"pixels of type {str(name)[:40]!r}")
    return dtype


def _plain(encoder: Any, value: Any) -> None:
    """Write what CBOR has no word for: numpy's arrays and numbers."""
    if isinstance(value, np.ndarray | np.generic):
        encoder.encode(value.tolist())
    elif isinstance(value, Mapping):
        encoder.encode(dict(value))
    else:
        encoder.encode(str(value))
