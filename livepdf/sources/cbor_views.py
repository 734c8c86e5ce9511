"""Read a CBOR message without copying its images: long byte strings stay where they lie."""

from typing import Any

import cbor2

LONG = 1 << 14
"""Bytes from which on a byte string is not copied."""
_PLACE = 0x6C_70_64_66
"""Tag, of no other meaning, of a number in the place of a long byte string."""
_REFERENCES = (25, 28, 29, 256)
"""Tags that count the strings and values of a message, which must then stay complete."""
_MOST_ITEMS = 2000
"""Looked at; a message of more is no image with a few words about it."""
_BYTES, _TEXT, _ARRAY, _MAP, _TAG = 2, 3, 4, 5, 6


def loads(message: bytes | memoryview) -> Any:
    """Decode like ``cbor2.loads``, with views of the message for long byte strings.

    Raises
    ------
    cbor2.CBORError, ValueError, TypeError, OverflowError, RecursionError
        As cbor2 does.
    """
    view = memoryview(message).toreadonly()
    found = _long_strings(view)
    if not found:
        return cbor2.loads(bytes(message))
    pieces: list[bytes | memoryview] = []
    done = 0
    for number, (head, _, end) in enumerate(found):
        pieces += (view[done:head], cbor2.dumps(cbor2.CBORTag(_PLACE, number)))
        done = end
    pieces.append(view[done:])

    def put_back(*given: Any) -> Any:
        # cbor2 5 gives the decoder and the tag, cbor2 6 the tag and a flag.
        tag = next(value for value in given if isinstance(value, cbor2.CBORTag))
        if tag.tag != _PLACE:
            return tag
        _, start, end = found[tag.value]
        return view[start:end]

    return cbor2.loads(b"".join(pieces), tag_hook=put_back)


def _long_strings(view: memoryview) -> list[tuple[int, int, int]]:
    """Return (head, start, end) of every long byte string; none for a message that is unusual."""
    found: list[tuple[int, int, int]] = []
    place, wanted, size = 0, 1, len(view)
    for _ in range(_MOST_ITEMS):
        if wanted == 0:
            return found
        if place >= size:
            return []
        head, major, info = place, view[place] >> 5, view[place] & 31
        place += 1
        if info > 27:
            return []
        value = info
        if info > 23:
            extra = 1 << (info - 24)
            value = int.from_bytes(view[place : place + extra], "big")
            place += extra
        wanted -= 1
        if major in (_BYTES, _TEXT):
            if major == _BYTES and value >= LONG and place + value <= size:
                found.append((head, place, place + value))
            place += value
        elif major == _ARRAY:
            wanted += value
        elif major == _MAP:
            wanted += 2 * value
        elif major == _TAG:
            if value in (_PLACE, *_REFERENCES):
                return []
            wanted += 1
    return []
