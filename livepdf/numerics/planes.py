"""256 pixels at once from bit planes."""

from collections.abc import Sequence
from typing import Any

from llvmlite import ir
from numba.extending import intrinsic

from livepdf.numerics.vectors import (
    BYTE,
    LONG,
    PIECE,
    any_set,
    interleaved,
    intrinsic_of,
    load,
    repeated,
    shuffled,
    store,
)

GROUP = 256
"""Pixels whose bits are crossed at once: 32 bytes of each bit plane."""

_WIDTH = 32
_EXCHANGES = (
    (4, 0x0F0F0F0F0F0F0F0F),
    (2, 0x3333333333333333),
    (1, 0x5555555555555555),
)


@intrinsic
def unshuffle_8_to_8(_typing: Any, _planes: Any, _row: Any, _live: Any, _out: Any) -> Any:
    """Turn 256 pixels from 8 bit planes at an address, ``row`` bytes apart, into bytes at ``out``.

    ``live`` is the address of 32 bytes: pixels whose bit is 0 become 0.
    """
    return intrinsic_of(4, lambda b, a: _unshuffled(b, a, used=1, item=1))


@intrinsic
def unshuffle_8_to_16(_typing: Any, _planes: Any, _row: Any, _live: Any, _out: Any) -> Any:
    """Do the same into uint16."""
    return intrinsic_of(4, lambda b, a: _unshuffled(b, a, used=1, item=2))


@intrinsic
def unshuffle_16_to_16(_typing: Any, _planes: Any, _row: Any, _live: Any, _out: Any) -> Any:
    """Do the same from 16 bit planes."""
    return intrinsic_of(4, lambda b, a: _unshuffled(b, a, used=2, item=2))


@intrinsic
def unshuffle_32_to_32(_typing: Any, _planes: Any, _row: Any, _live: Any, _out: Any) -> Any:
    """Do the same from 32 bit planes into uint32."""
    return intrinsic_of(4, lambda b, a: _unshuffled(b, a, used=4, item=4))


@intrinsic
def unshuffle_16_to_32(_typing: Any, _planes: Any, _row: Any, _live: Any, _out: Any) -> Any:
    """Do the same from 16 bit planes into uint32, the upper half being 0."""
    return intrinsic_of(4, lambda b, a: _unshuffled(b, a, used=2, item=4))


@intrinsic
def any_bit(_typing: Any, _planes: Any, _row: Any, _live: Any) -> Any:
    """Return something other than 0 where a live pixel has a bit in any of 8 planes."""

    def generate(builder: Any, arguments: Any) -> Any:
        planes, row, live = arguments
        words = ir.VectorType(LONG, _WIDTH // 8)
        found = load(builder, planes, words)
        for plane in range(1, 8):
            start = builder.mul(row, ir.Constant(LONG, plane))
            found = builder.or_(found, load(builder, planes, words, start))
        return any_set(builder, builder.and_(found, load(builder, live, words)))

    return intrinsic_of(3, generate)


def _crossed(builder: Any, rows: Sequence[Any]) -> list[Any]:
    """Transpose 8×8 bits: eight rows of bits become eight rows of bytes (see bitshuffle.py)."""
    rows = list(rows)
    for (shift, bits), apart in zip(_EXCHANGES, (4, 2, 1), strict=True):
        by, mask = repeated(rows[0].type, shift), repeated(rows[0].type, bits)
        for near in (k for k in range(8) if not k & apart):
            far = near + apart
            moved = builder.and_(builder.xor(builder.lshr(rows[near], by), rows[far]), mask)
            rows[far] = builder.xor(rows[far], moved)
            rows[near] = builder.xor(rows[near], builder.shl(moved, by))
    return rows


def _unshuffled(builder: Any, arguments: Sequence[Any], *, used: int, item: int) -> Any:
    planes, row, live, out = arguments
    words, bytes_ = ir.VectorType(LONG, _WIDTH // 8), ir.VectorType(BYTE, _WIDTH)
    kept = load(builder, live, words)
    rows: list[list[Any]] = []
    for byte in range(used):
        eight = []
        for bit in range(8):
            start = builder.mul(row, ir.Constant(LONG, 8 * byte + bit))
            eight.append(builder.and_(load(builder, planes, words, start), kept))
        rows.append([builder.bitcast(v, bytes_) for v in _crossed(builder, eight)])
    nothing = ir.Constant(bytes_, None)
    turns = [rows[byte][k] if byte < used else nothing for k in range(8) for byte in range(item)]
    pieces = interleaved(builder, turns)
    low = [*range(PIECE), *range(_WIDTH, _WIDTH + PIECE)]
    for half, order in enumerate((low, [k + PIECE for k in low])):
        for k in range(0, len(pieces), 2):
            whole = shuffled(builder, pieces[k], pieces[k + 1], order)
            store(builder, whole, out, half * len(pieces) * PIECE + k * PIECE)
    return ir.Constant(LONG, 0)
