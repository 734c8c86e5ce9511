"""The few loops that only vector instructions make fast, written as portable LLVM vectors.

LLVM turns them into what the processor has: two registers for one on a small one, one on a large
one. Pieces of 16 bytes are never crossed before the end, since that is dear on most processors.
"""

from collections.abc import Callable, Iterable, Sequence
from typing import Any

from llvmlite import ir
from numba import types
from numba.extending import intrinsic

GROUP = 256
"""Pixels whose bits are crossed at once: 32 bytes of each bit plane."""
LANES = 16
"""Images that are added up side by side."""
LANE_ORDER = (*range(0, LANES, 2), *range(1, LANES, 2))
"""Which image each column of their sums belongs to."""

_BYTE, _SHORT, _INT, _LONG = (ir.IntType(bits) for bits in (8, 16, 32, 64))
_SIZES = {"i32": 4, "float": 4, "double": 8}
_WIDTH = 32
_PIECE = 16
_EXCHANGES = (
    (4, 0x0F0F0F0F0F0F0F0F),
    (2, 0x3333333333333333),
    (1, 0x5555555555555555),
)


def _load(builder: Any, address: Any, kind: Any, offset: Any = 0) -> Any:
    place = builder.add(address, offset) if offset else address
    loaded = builder.load(builder.inttoptr(place, kind.as_pointer()))
    loaded.align = 1
    return loaded


def _store(builder: Any, value: Any, address: Any, offset: int) -> None:
    place = builder.add(address, ir.Constant(_LONG, offset))
    builder.store(value, builder.inttoptr(place, value.type.as_pointer())).align = 1


def _repeated(kind: Any, value: int | float) -> Any:
    return ir.Constant(kind, [value] * kind.count)


def _shuffled(builder: Any, first: Any, second: Any, order: Iterable[int]) -> Any:
    places = list(order)
    mask = ir.Constant(ir.VectorType(_INT, len(places)), places)
    return builder.shuffle_vector(first, second, mask)


def _zip_orders(count: int, piece: int) -> tuple[list[int], list[int]]:
    """Return how to interleave the lower and the upper halves of each piece of two vectors."""
    orders: tuple[list[int], list[int]] = ([], [])
    for start in range(0, count, piece):
        for half in (0, 1):
            for k in range(piece // 2):
                place = start + half * (piece // 2) + k
                orders[half].extend((place, place + count))
    return orders


def _interleaved(builder: Any, vectors: Sequence[Any]) -> list[Any]:
    """Return the elements of the vectors in turns, within each piece of 16 bytes."""
    if len(vectors) == 1:
        return list(vectors)
    kind = vectors[0].type
    low, high = _zip_orders(kind.count, _PIECE * 8 // kind.element.width)
    pairs = zip(
        _interleaved(builder, vectors[0::2]), _interleaved(builder, vectors[1::2]), strict=True
    )
    return [_shuffled(builder, even, odd, order) for even, odd in pairs for order in (low, high)]


def _crossed(builder: Any, rows: Sequence[Any]) -> list[Any]:
    """Transpose 8×8 bits: eight rows of bits become eight rows of bytes (see bitshuffle.py)."""
    rows = list(rows)
    for (shift, bits), apart in zip(_EXCHANGES, (4, 2, 1), strict=True):
        by, mask = _repeated(rows[0].type, shift), _repeated(rows[0].type, bits)
        for near in (k for k in range(8) if not k & apart):
            far = near + apart
            moved = builder.and_(builder.xor(builder.lshr(rows[near], by), rows[far]), mask)
            rows[far] = builder.xor(rows[far], moved)
            rows[near] = builder.xor(rows[near], builder.shl(moved, by))
    return rows


def _unshuffled(builder: Any, arguments: Sequence[Any], *, used: int, item: int) -> Any:
    planes, row, live, out = arguments
    words, bytes_ = ir.VectorType(_LONG, _WIDTH // 8), ir.VectorType(_BYTE, _WIDTH)
    kept = _load(builder, live, words)
    rows: list[list[Any]] = []
    for byte in range(used):
        eight = []
        for bit in range(8):
            start = builder.mul(row, ir.Constant(_LONG, 8 * byte + bit))
            eight.append(builder.and_(_load(builder, planes, words, start), kept))
        rows.append([builder.bitcast(v, bytes_) for v in _crossed(builder, eight)])
    nothing = ir.Constant(bytes_, None)
    turns = [rows[byte][k] if byte < used else nothing for k in range(8) for byte in range(item)]
    pieces = _interleaved(builder, turns)
    low = [*range(_PIECE), *range(_WIDTH, _WIDTH + _PIECE)]
    for half, order in enumerate((low, [k + _PIECE for k in low])):
        for k in range(0, len(pieces), 2):
            whole = _shuffled(builder, pieces[k], pieces[k + 1], order)
            _store(builder, whole, out, half * len(pieces) * _PIECE + k * _PIECE)
    return ir.Constant(_LONG, 0)


@intrinsic
def pointer(_typing: Any, _address: Any) -> Any:
    """Turn an address into a pointer, as ``numba.carray`` wants it."""

    def emit(_context: Any, builder: Any, _signature: Any, arguments: Any) -> Any:
        return builder.inttoptr(arguments[0], _BYTE.as_pointer())

    return types.voidptr(types.uint64), emit


def _intrinsic_of(arity: int, generate: Callable[[Any, Any], Any]) -> tuple[Any, Any]:
    signature = types.int64(*([types.uint64] * arity))

    def emit(_context: Any, builder: Any, _signature: Any, arguments: Any) -> Any:
        return generate(builder, arguments)

    return signature, emit


@intrinsic
def unshuffle_8_to_8(_typing: Any, _planes: Any, _row: Any, _live: Any, _out: Any) -> Any:
    """Turn 256 pixels from 8 bit planes at an address, ``row`` bytes apart, into bytes at ``out``.

    ``live`` is the address of 32 bytes: pixels whose bit is 0 become 0.
    """
    return _intrinsic_of(4, lambda b, a: _unshuffled(b, a, used=1, item=1))


@intrinsic
def unshuffle_8_to_16(_typing: Any, _planes: Any, _row: Any, _live: Any, _out: Any) -> Any:
    """Do the same into uint16."""
    return _intrinsic_of(4, lambda b, a: _unshuffled(b, a, used=1, item=2))


@intrinsic
def unshuffle_16_to_16(_typing: Any, _planes: Any, _row: Any, _live: Any, _out: Any) -> Any:
    """Do the same from 16 bit planes."""
    return _intrinsic_of(4, lambda b, a: _unshuffled(b, a, used=2, item=2))


@intrinsic
def unshuffle_32_to_32(_typing: Any, _planes: Any, _row: Any, _live: Any, _out: Any) -> Any:
    """Do the same from 32 bit planes into uint32."""
    return _intrinsic_of(4, lambda b, a: _unshuffled(b, a, used=4, item=4))


@intrinsic
def unshuffle_16_to_32(_typing: Any, _planes: Any, _row: Any, _live: Any, _out: Any) -> Any:
    """Do the same from 16 bit planes into uint32, the upper half being 0."""
    return _intrinsic_of(4, lambda b, a: _unshuffled(b, a, used=2, item=4))


@intrinsic
def any_bit(_typing: Any, _planes: Any, _row: Any, _live: Any) -> Any:
    """Return something other than 0 where a live pixel has a bit in any of 8 planes."""

    def generate(builder: Any, arguments: Any) -> Any:
        planes, row, live = arguments
        words = ir.VectorType(_LONG, _WIDTH // 8)
        found = _load(builder, planes, words)
        for plane in range(1, 8):
            start = builder.mul(row, ir.Constant(_LONG, plane))
            found = builder.or_(found, _load(builder, planes, words, start))
        return _any(builder, builder.and_(found, _load(builder, live, words)))

    return _intrinsic_of(3, generate)


@intrinsic
def clean_group(_typing: Any, pixels: Any, index: Any, n: Any, top: Any, out: Any) -> Any:
    """Copy 256 pixels to uint16 at ``out``; return whether one of them is above ``top``.

    A pixel whose bin number is ``n`` or above becomes 0. ``top`` says by its type what the pixels
    are (unsigned), ``n`` what the bin numbers are.
    """
    signature = types.boolean(pixels, index, n, top, out)

    def emit(_context: Any, builder: Any, _signature: Any, arguments: Any) -> Any:
        pixels, index, n, top, out = arguments
        limit, edge = _spread(builder, n, _WIDTH), _spread(builder, top, _WIDTH)
        highest = ir.Constant(edge.type, None)
        for start in range(0, GROUP, _WIDTH):
            places = _load(builder, index, limit.type, _bytes_of(limit.type.element, start))
            values = _load(builder, pixels, edge.type, _bytes_of(edge.type.element, start))
            live = builder.icmp_unsigned("<", places, limit)
            values = builder.select(live, values, ir.Constant(edge.type, None))
            above = builder.icmp_unsigned(">", values, highest)
            highest = builder.select(above, values, highest)
            _store(builder, _as_shorts(builder, values), out, 2 * start)
        spoilt = builder.icmp_unsigned(">", highest, edge)
        bits = builder.bitcast(spoilt, ir.IntType(_WIDTH))
        return builder.icmp_unsigned("!=", bits, ir.Constant(bits.type, 0))

    return signature, emit


def _bytes_of(kind: Any, count: int) -> Any:
    return ir.Constant(_LONG, count * kind.width // 8)


def _as_shorts(builder: Any, values: Any) -> Any:
    shorts = ir.VectorType(_SHORT, values.type.count)
    if values.type.element.width < 16:
        return builder.zext(values, shorts)
    return values if values.type.element.width == 16 else builder.trunc(values, shorts)


@intrinsic
def add_lanes(_typing: Any, _tiles: Any, _stride: Any, _index: Any, _sums: Any) -> Any:
    """Add 16 pixels of each of 16 images, ``stride`` bytes apart from ``tiles`` on, to their bins.

    Pixels and the bin numbers at ``index`` are uint16. ``sums`` is the address of (bins, 16)
    uint32, best on a multiple of 64; its columns are the images in the order of ``LANE_ORDER``.
    """

    def generate(builder: Any, arguments: Any) -> Any:
        tiles, stride, index, sums = arguments
        for pixel, values in enumerate(_side_by_side(builder, tiles, stride)):
            number = _load(builder, index, _SHORT, ir.Constant(_LONG, 2 * pixel))
            place = builder.shl(builder.zext(number, _LONG), ir.Constant(_LONG, 6))
            _add(builder, values, builder.add(sums, place), builder.add)
        return ir.Constant(_LONG, 0)

    return _intrinsic_of(4, generate)


@intrinsic
def share_lanes(
    _typing: Any, _tiles: Any, _stride: Any, _first: Any, _rows: Any, _sums: Any
) -> Any:
    """Share 16 pixels of each of 16 images out among four neighbouring bins.

    Pixels as in :func:`add_lanes`. ``first`` is the address of their first bins, int32, ``rows``
    of their shares (16, 4) float32, ``sums`` of (bins, 2, 16) float32: Σ share × value and
    Σ share² × value, columns as there.
    """

    def generate(builder: Any, arguments: Any) -> Any:
        tiles, stride, first, rows, sums = arguments
        for pixel, values in enumerate(_side_by_side(builder, tiles, stride)):
            number = _load(builder, first, _INT, ir.Constant(_LONG, 4 * pixel))
            place = builder.shl(builder.zext(number, _LONG), ir.Constant(_LONG, 7))
            floats = [builder.uitofp(v, ir.VectorType(ir.FloatType(), 8)) for v in values]
            for column in range(4):
                offset = ir.Constant(_LONG, 16 * pixel + 4 * column)
                share = _spread(builder, _load(builder, rows, ir.FloatType(), offset), 8)
                parts = [builder.fmul(share, v) for v in floats]
                parts += [builder.fmul(share, part) for part in parts]
                target = builder.add(sums, builder.add(place, ir.Constant(_LONG, 128 * column)))
                _add(builder, parts, target, builder.fadd)
        return ir.Constant(_LONG, 0)

    return _intrinsic_of(5, generate)


@intrinsic
def share_one(_typing: Any, _value: Any, _row: Any, _sums: Any) -> Any:
    """Add share × value and share² × value of four shares at ``row`` to (2, 4) float64 at ``sums``.

    The shares are float32. One row of sums per *first* bin: its four columns are put together at
    the end, so that neighbours never touch the half of what another has just written.
    """
    signature = types.int64(types.float64, types.uint64, types.uint64)

    def emit(_context: Any, builder: Any, _signature: Any, arguments: Any) -> Any:
        value, row, sums = arguments
        doubles = ir.VectorType(ir.DoubleType(), 4)
        share = builder.fpext(_load(builder, row, ir.VectorType(ir.FloatType(), 4)), doubles)
        part = builder.fmul(share, _spread(builder, value, 4))
        _add(builder, [part, builder.fmul(share, part)], sums, builder.fadd)
        return ir.Constant(_LONG, 0)

    return signature, emit


def _add(builder: Any, values: Sequence[Any], address: Any, add: Callable[..., Any]) -> None:
    for k, value in enumerate(values):
        offset = value.type.count * _SIZES[str(value.type.element)] * k
        total = _load(builder, address, value.type, ir.Constant(_LONG, offset))
        _store(builder, add(total, value), address, offset)


def _spread(builder: Any, value: Any, count: int) -> Any:
    kind = ir.VectorType(value.type, count)
    single = builder.insert_element(ir.Constant(kind, ir.Undefined), value, ir.Constant(_INT, 0))
    return _shuffled(builder, single, single, [0] * count)


def _side_by_side(builder: Any, tiles: Any, stride: Any) -> list[tuple[Any, Any]]:
    """Return for each of 16 pixels its values in even and in odd images."""
    values = []
    for start in (0, 8):
        rows = [
            _shuffled(
                builder,
                _eight(builder, tiles, stride, image, start),
                _eight(builder, tiles, stride, image + 8, start),
                range(16),
            )
            for image in range(8)
        ]
        for pixel in _interleaved(builder, rows):
            words = builder.bitcast(pixel, ir.VectorType(_INT, 8))
            even = builder.and_(words, _repeated(words.type, 0xFFFF))
            values.append((even, builder.lshr(words, _repeated(words.type, 16))))
    return values


def _eight(builder: Any, tiles: Any, stride: Any, image: int, start: int) -> Any:
    offset = builder.mul(stride, ir.Constant(_LONG, image))
    offset = builder.add(offset, ir.Constant(_LONG, 2 * start))
    return _load(builder, tiles, ir.VectorType(_SHORT, 8), offset)


def _any(builder: Any, vector: Any) -> Any:
    found = builder.extract_element(vector, ir.Constant(_INT, 0))
    for k in range(1, vector.type.count):
        found = builder.or_(found, builder.extract_element(vector, ir.Constant(_INT, k)))
    return found
