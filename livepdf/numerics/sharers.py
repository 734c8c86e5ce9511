"""Add shares of pixels to their bins in registers, of one image or of 16."""

from typing import Any

from llvmlite import ir
from numba import types
from numba.extending import intrinsic

from livepdf.numerics.adders import LANES
from livepdf.numerics.vectors import INT, LONG, SHORT, add_to, bytes_of, load, spread, store

TOGETHER = 4
"""Fours that are added up in one go."""

_MANY = 8
"""float64 of a vector: one register on a large processor, two on a small one."""
_FUSED = ("contract",)
"""Product and sum in one instruction, where there is one: whole numbers are exact either way."""


@intrinsic
def share_lanes(_typing: Any, _pixels: Any, _shares: Any, like: Any, _pen: Any, _sums: Any) -> Any:
    """Add four pixels of each of 16 images, times a share each, to the sums of one bin.

    ``pixels`` is the address of their four numbers, uint16, in the ``pen`` that
    :func:`lay_lanes` filled with numbers of the type of ``like``, ``shares`` of (2, 4) float64:
    shares and their squares, ``sums`` of (2, 16) float64.
    """
    address = types.uint64

    def emit(_context: Any, builder: Any, _signature: Any, arguments: Any) -> Any:
        pixels, shares, like, pen, sums = arguments
        row_size = LANES * bytes_of(like.type)
        parts: list[Any] = []
        for k in range(4):
            number = load(builder, pixels, SHORT, ir.Constant(LONG, 2 * k))
            place = builder.add(pen, _times(builder, number, row_size))
            values = _doubles(builder, like.type, place)
            for row in (0, 1):
                share = load(builder, shares, ir.DoubleType(), ir.Constant(LONG, 32 * row + 8 * k))
                many = spread(builder, share, _MANY)
                for column, value in enumerate(values):
                    part = builder.fmul(many, value, flags=_FUSED)
                    place = row * len(values) + column
                    if k == 0:
                        parts.append(part)
                    else:
                        parts[place] = builder.fadd(parts[place], part, flags=_FUSED)
        add_to(builder, parts, sums, builder.fadd)
        return ir.Constant(LONG, 0)

    return types.int64(address, address, like, address, address), emit


@intrinsic
def widen_shares(_typing: Any, _shares: Any, _round: Any, _out: Any) -> Any:
    """Write four shares, float32, and their squares at ``out``, (2, 4) float64.

    The squares are rounded by adding ``round`` and taking it off again.
    """
    signature = types.int64(types.uint64, types.float64, types.uint64)

    def emit(_context: Any, builder: Any, _signature: Any, arguments: Any) -> Any:
        shares, rounding, out = arguments
        for row, values in enumerate(_with_squares(builder, shares, rounding)):
            store(builder, values, out, 32 * row)
        return ir.Constant(LONG, 0)

    return signature, emit


@intrinsic
def share_fours(
    _typing: Any,
    _tile: Any,
    like: Any,
    _bins: Any,
    _pixels: Any,
    _shares: Any,
    _round: Any,
    _sums: Any,
) -> Any:
    """Add ``TOGETHER`` times four pixels of one image, times a share each, to a bin each time.

    ``tile`` is the address of the image's pixels, of the type of ``like``, ``bins`` of the numbers
    of the bins, uint32, ``pixels`` of those of the pixels, uint16, ``shares`` of their shares,
    float32, ``sums`` of (bins, 2, 4) float64. The squares of the shares are rounded by adding
    ``round`` and taking it off again.
    """
    address = types.uint64
    signature = types.int64(address, like, address, address, address, types.float64, address)

    def emit(_context: Any, builder: Any, _signature: Any, arguments: Any) -> Any:
        tile, like, bins, pixels, shares, rounding, sums = arguments
        for number in range(TOGETHER):
            offset = ir.Constant(LONG, 8 * number)
            four = _gathered(builder, tile, like.type, builder.add(pixels, offset))
            offset = ir.Constant(LONG, 16 * number)
            both = _with_squares(builder, builder.add(shares, offset), rounding)
            bin_ = load(builder, bins, INT, ir.Constant(LONG, 4 * number))
            target = builder.add(sums, _times(builder, bin_, 64))
            for row, share in enumerate(both):
                total = load(builder, target, four.type, ir.Constant(LONG, 32 * row))
                part = builder.fmul(share, four, flags=_FUSED)
                store(builder, builder.fadd(total, part, flags=_FUSED), target, 32 * row)
        return ir.Constant(LONG, 0)

    return signature, emit


def _gathered(builder: Any, tile: Any, kind: Any, numbers: Any) -> Any:
    """Return the pixels of a tile whose four numbers are at an address, as float64."""
    doubles = ir.VectorType(ir.DoubleType(), 4)
    four = ir.Constant(ir.VectorType(kind, 4), ir.Undefined)
    for k in range(4):
        number = load(builder, numbers, SHORT, ir.Constant(LONG, 2 * k))
        place = builder.add(tile, _times(builder, number, bytes_of(kind)))
        four = builder.insert_element(four, load(builder, place, kind), ir.Constant(INT, k))
    if kind == SHORT:
        return builder.sitofp(builder.zext(four, ir.VectorType(INT, 4)), doubles)
    return builder.fpext(four, doubles) if kind == ir.FloatType() else four


def _with_squares(builder: Any, shares: Any, rounding: Any) -> tuple[Any, Any]:
    """Return the four float32 at an address, and their rounded squares, as float64."""
    doubles = ir.VectorType(ir.DoubleType(), 4)
    share = builder.fpext(load(builder, shares, ir.VectorType(ir.FloatType(), 4)), doubles)
    shift = spread(builder, rounding, 4)
    square = builder.fmul(share, share, flags=_FUSED)
    return share, builder.fsub(builder.fadd(square, shift, flags=_FUSED), shift)


def _doubles(builder: Any, kind: Any, address: Any) -> list[Any]:
    """Return 16 numbers at an address, float32 or float64, as vectors of eight float64."""
    narrow, wide = (ir.VectorType(k, _MANY) for k in (kind, ir.DoubleType()))
    size = bytes_of(kind) * _MANY
    loaded = [load(builder, address, narrow, ir.Constant(LONG, size * k)) for k in (0, 1)]
    return loaded if narrow == wide else [builder.fpext(values, wide) for values in loaded]


def _times(builder: Any, number: Any, size: int) -> Any:
    return builder.mul(builder.zext(number, LONG), ir.Constant(LONG, size))
