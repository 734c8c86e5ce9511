"""Lay pixels of 16 images side by side in registers, and add them to their bins."""

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
    add_to,
    bytes_of,
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
            add_to(builder, values, builder.add(sums, place), builder.add)
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

    def use(builder: Any, pixel: int, values: Any, index: Any, sums: Any) -> None:
        number = load(builder, index, SHORT, ir.Constant(LONG, 2 * pixel))
        place = builder.shl(builder.zext(number, LONG), ir.Constant(LONG, 6))
        add_to(builder, values, builder.add(sums, place), builder.add)

    return signature, _emit_lines(use)


@intrinsic
def lay_lines(
    _typing: Any,
    table: Any,
    offset: Any,
    index: Any,
    n: Any,
    top: Any,
    room: Any,
    like: Any,
    out: Any,
) -> Any:
    """Write one line of each of 16 raw images, as `add_lines` reads it, as `lay_lanes` does."""
    signature = types.boolean(table, offset, index, n, top, room, like, out)

    def emit(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        *first, like, out = arguments

        def use(builder: Any, pixel: int, values: Any, _index: Any, out: Any) -> None:
            _lay(builder, values, like.type, out, pixel)

        return _emit_lines(use)(context, builder, signature, [*first, out])

    return signature, emit


def _emit_lines(use: Callable[..., None]) -> Callable[..., Any]:
    def emit(_context: Any, builder: Any, _signature: Any, arguments: Any) -> Any:
        table, offset, index, n, top, room, target = arguments
        if top.type.width < SHORT.width:
            # Compiled with the loop that never calls it for pixels of one byte.
            return ir.Constant(ir.IntType(1), 0)
        lines = _staged(builder, table, offset, room)
        rows = (_short_rows if top.type.width == SHORT.width else _int_rows)(builder, lines)
        for pixel, values in enumerate(_pairs(builder, rows)):
            use(builder, pixel, values, index, target)
        return above(builder, _highest_used(builder, rows, index, n), top)

    return emit


def _pairs(builder: Any, rows: Sequence[Sequence[Any]]) -> list[tuple[Any, Any]]:
    """Return for each pixel of a line its values in even and in odd images."""
    pairs: list[tuple[Any, Any]] = []
    for part in rows:
        if part[0].type.element == SHORT:
            pairs += _even_and_odd(builder, part)
        else:
            even, odd = interleaved(builder, part[:4]), interleaved(builder, part[4:])
            pairs += zip(even, odd, strict=True)
    return pairs


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
def lay_lanes(_typing: Any, _tiles: Any, _stride: Any, like: Any, _out: Any) -> Any:
    """Write 16 pixels of each of 16 images as (16 pixels, 16 images) of type ``like`` at ``out``.

    Pixels as in :func:`add_lanes`, columns in the order of ``LANE_ORDER``.
    """
    address = types.uint64

    def emit(_context: Any, builder: Any, _signature: Any, arguments: Any) -> Any:
        tiles, stride, like, out = arguments
        for pixel, values in enumerate(_side_by_side(builder, tiles, stride)):
            _lay(builder, values, like.type, out, pixel)
        return ir.Constant(LONG, 0)

    return types.int64(address, address, like, address), emit


def _lay(builder: Any, values: Sequence[Any], kind: Any, out: Any, pixel: int) -> None:
    for half, value in enumerate(values):
        # Signed: small processors have no instruction for the other one.
        floats = builder.sitofp(value, ir.VectorType(kind, LANES // 2))
        store(builder, floats, out, bytes_of(kind) * LANES // 2 * (2 * pixel + half))


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
