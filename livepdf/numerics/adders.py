"""Add pixels of 16 images, or shares of pixels, to their bins in registers."""

from collections.abc import Callable, Sequence
from typing import Any

from llvmlite import ir
from numba import types
from numba.extending import intrinsic

from livepdf.numerics.vectors import (
    INT,
    LINE,
    LONG,
    SHORT,
    above,
    fetch,
    highest_of,
    interleaved,
    intrinsic_of,
    load,
    repeated,
    shuffled,
    spread,
    store,
)

LANES = 16
"""Images that are added up side by side."""
LANE_ORDER = (*range(0, LANES, 2), *range(1, LANES, 2))
"""Which image each column of their sums belongs to."""

_AHEAD = 512
"""Bytes of an image that are asked for before they are needed."""
_SIZES = {"i32": 4, "float": 4, "double": 8}


@intrinsic
def add_lanes(_typing: Any, _tiles: Any, _stride: Any, _index: Any, _sums: Any) -> Any:
    """Add 16 pixels of each of 16 images, ``stride`` bytes apart from ``tiles`` on, to their bins.

    Pixels and the bin numbers at ``index`` are uint16. ``sums`` is the address of (bins, 16)
    uint32, best on a multiple of 64; its columns are the images in the order of ``LANE_ORDER``.
    """

    def generate(builder: Any, arguments: Any) -> Any:
        tiles, stride, index, sums = arguments
        for pixel, values in enumerate(_side_by_side(builder, tiles, stride)):
            number = load(builder, index, SHORT, ir.Constant(LONG, 2 * pixel))
            place = builder.shl(builder.zext(number, LONG), ir.Constant(LONG, 6))
            _add(builder, values, builder.add(sums, place), builder.add)
        return ir.Constant(LONG, 0)

    return intrinsic_of(4, generate)


@intrinsic
def add_lines(
    _typing: Any,
    table: Any,
    offset: Any,
    index: Any,
    n: Any,
    top: Any,
    room: Any,
    sums: Any,
) -> Any:
    """Add one line of 64 bytes of each of 16 raw images to its bins, in the manner of `add_lanes`.

    The addresses of the images are at ``table``; the line starts ``offset`` bytes further, and the
    next one must be there as well. Pixels are of the type of ``top``, two or four bytes. Returns
    whether one of them whose bin is below ``n`` is above ``top``; it is added nevertheless.

    Images often start at equal places of a page, and 16 of their lines would then fight for the 8
    places that a cache of the first level has for them. So half of the images are read one line
    ahead, into ``room`` (2, 16, 64) bytes, in turns.
    """
    signature = types.boolean(table, offset, index, n, top, room, sums)

    def emit(_context: Any, builder: Any, _signature: Any, arguments: Any) -> Any:
        table, offset, index, n, top, room, sums = arguments
        if top.type.width < SHORT.width:
            # Compiled with the loop that never calls it for pixels of one byte.
            return ir.Constant(ir.IntType(1), 0)
        lines = _staged(builder, table, offset, room)
        if top.type.width == SHORT.width:
            rows, values = _short_rows(builder, lines), []
            for eight in rows:
                values += _even_and_odd(builder, eight)
        else:
            rows = _int_rows(builder, lines)
            values = [
                pair
                for four in rows
                for pair in zip(
                    interleaved(builder, four[:4]), interleaved(builder, four[4:]), strict=True
                )
            ]
        for pixel, pair in enumerate(values):
            number = load(builder, index, SHORT, ir.Constant(LONG, 2 * pixel))
            place = builder.shl(builder.zext(number, LONG), ir.Constant(LONG, 6))
            _add(builder, pair, builder.add(sums, place), builder.add)
        return above(builder, _highest_used(builder, rows, index, n), top)

    return signature, emit


def _staged(builder: Any, table: Any, offset: Any, room: Any) -> list[Any]:
    """Read one line of each image; return the addresses of the lines whose turn it is."""
    half = ir.VectorType(LONG, LINE // 16)
    turn = builder.and_(builder.lshr(offset, ir.Constant(LONG, 6)), ir.Constant(LONG, 1))
    slots = []
    for ahead in (0, 1):
        slot = builder.xor(turn, ir.Constant(LONG, ahead))
        slots.append(builder.add(room, builder.shl(slot, ir.Constant(LONG, 10))))
    for image in range(LANES):
        ahead = image // (LANES // 2)
        start = load(builder, table, LONG, ir.Constant(LONG, 8 * image))
        start = builder.add(start, offset)
        fetch(builder, start, _AHEAD)
        for part in (0, LINE // 2):
            value = load(builder, start, half, ir.Constant(LONG, LINE * ahead + part))
            store(builder, value, slots[ahead], LINE * image + part)
    return [builder.add(slots[0], ir.Constant(LONG, LINE * image)) for image in range(LANES)]


def _short_rows(builder: Any, lines: Sequence[Any]) -> list[list[Any]]:
    """Return for each 8 pixels of a line the 8 vectors that hold them for two images each."""
    kind = ir.VectorType(SHORT, 8)
    rows = []
    for start in range(0, LINE, 16):
        part = [load(builder, line, kind, ir.Constant(LONG, start)) for line in lines]
        rows.append([shuffled(builder, part[k], part[k + 8], range(16)) for k in range(8)])
    return rows


def _int_rows(builder: Any, lines: Sequence[Any]) -> list[list[Any]]:
    """Do the same for each 4 pixels; the first four vectors are of even images."""
    kind = ir.VectorType(INT, 4)
    rows = []
    for start in range(0, LINE, 16):
        part = [load(builder, lines[k], kind, ir.Constant(LONG, start)) for k in LANE_ORDER]
        pairs = [(k, k + 4) for k in (0, 1, 2, 3, 8, 9, 10, 11)]
        rows.append([shuffled(builder, part[a], part[b], range(8)) for a, b in pairs])
    return rows


def _highest_used(builder: Any, rows: Sequence[Sequence[Any]], index: Any, n: Any) -> Any:
    found = []
    for number, vectors in enumerate(rows):
        both = highest_of(builder, vectors)
        count = both.type.count // 2
        halves = [shuffled(builder, both, both, range(k, k + count)) for k in (0, count)]
        highest = highest_of(builder, halves)
        bins = load(builder, index, ir.VectorType(SHORT, count), _offset(2 * count * number))
        used = builder.icmp_unsigned("<", bins, spread(builder, n, count))
        found.append(builder.select(used, highest, ir.Constant(highest.type, None)))
    return highest_of(builder, found)


def _offset(value: int) -> Any:
    return ir.Constant(LONG, value)


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
            number = load(builder, first, INT, ir.Constant(LONG, 4 * pixel))
            place = builder.shl(builder.zext(number, LONG), ir.Constant(LONG, 7))
            # Signed: small processors have no instruction for the other one.
            floats = [builder.sitofp(v, ir.VectorType(ir.FloatType(), 8)) for v in values]
            for column in range(4):
                offset = ir.Constant(LONG, 16 * pixel + 4 * column)
                share = spread(builder, load(builder, rows, ir.FloatType(), offset), 8)
                parts = [builder.fmul(share, v) for v in floats]
                parts += [builder.fmul(share, part) for part in parts]
                target = builder.add(sums, builder.add(place, ir.Constant(LONG, 128 * column)))
                _add(builder, parts, target, builder.fadd)
        return ir.Constant(LONG, 0)

    return intrinsic_of(5, generate)


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
        share = builder.fpext(load(builder, row, ir.VectorType(ir.FloatType(), 4)), doubles)
        part = builder.fmul(share, spread(builder, value, 4))
        _add(builder, [part, builder.fmul(share, part)], sums, builder.fadd)
        return ir.Constant(LONG, 0)

    return signature, emit


def _add(builder: Any, values: Sequence[Any], address: Any, add: Callable[..., Any]) -> None:
    for k, value in enumerate(values):
        offset = value.type.count * _SIZES[str(value.type.element)] * k
        total = load(builder, address, value.type, ir.Constant(LONG, offset))
        store(builder, add(total, value), address, offset)


def _side_by_side(builder: Any, tiles: Any, stride: Any) -> list[tuple[Any, Any]]:
    """Return for each of 16 pixels its values in even and in odd images."""
    values = []
    for start in (0, 8):
        rows = [
            shuffled(
                builder,
                _eight(builder, tiles, stride, image, start),
                _eight(builder, tiles, stride, image + 8, start),
                range(16),
            )
            for image in range(8)
        ]
        values += _even_and_odd(builder, rows)
    return values


def _even_and_odd(builder: Any, rows: Sequence[Any]) -> list[tuple[Any, Any]]:
    """Return for each pixel of 8 vectors its values in even and in odd images."""
    values = []
    for pixel in interleaved(builder, rows):
        words = builder.bitcast(pixel, ir.VectorType(INT, 8))
        even = builder.and_(words, repeated(words.type, 0xFFFF))
        values.append((even, builder.lshr(words, repeated(words.type, 16))))
    return values


def _eight(builder: Any, tiles: Any, stride: Any, image: int, start: int) -> Any:
    offset = builder.mul(stride, ir.Constant(LONG, image))
    offset = builder.add(offset, ir.Constant(LONG, 2 * start))
    return load(builder, tiles, ir.VectorType(SHORT, 8), offset)
