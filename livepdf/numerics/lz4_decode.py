"""LZ4 in our own loops, for a machine whose hdf5plugin does not lend its function.

The block format is the one of the LZ4 documentation (lz4_Block_format.md).
"""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from livepdf.numerics.kernel import inner

Bytes = NDArray[Any]

_LONG = 15
"""A length in a token that is continued in further bytes."""
_SHORTEST = 4


@inner
def decode(source: Bytes, target: Bytes) -> Any:
    """Decompress one block; return the number of bytes written, or −1 where it is damaged.

    Never reads or writes outside of the two arrays.
    """
    place = 0
    done = 0
    size = source.size
    while place < size:
        token = np.int64(source[place])
        literals, place = _length(source, place + 1, token >> 4)
        if literals < 0 or literals > size - place or literals > target.size - done:
            return -1
        for i in range(literals):
            target[done + i] = source[place + i]
        place += literals
        done += literals
        if place == size:
            return done
        if place + 2 > size:
            return -1
        back = np.int64(source[place]) | (np.int64(source[place + 1]) << 8)
        length, place = _length(source, place + 2, token & _LONG)
        if length < 0 or back == 0 or back > done or length + _SHORTEST > target.size - done:
            return -1
        done = _repeat(target, done, back, length + _SHORTEST)
    return -1


@inner
def _length(source: Bytes, place: Any, length: Any) -> Any:
    if length < _LONG:
        return length, place
    while place < source.size:
        more = np.int64(source[place])
        length += more
        place += 1
        if more < 255:
            return length, place
    return -1, place


@inner
def _repeat(target: Bytes, done: int, back: int, length: int) -> int:
    if back == 1:
        # A run of one byte, mostly of zeros: by far the most frequent match in bit planes.
        value = target[done - 1]
        for i in range(length):
            target[done + i] = value
    elif back >= length:
        near, far = target[done : done + length], target[done - back : done - back + length]
        for i in range(length):
            near[i] = far[i]
    else:
        for i in range(length):
            target[done + i] = target[done - back + i]
    return done + length
