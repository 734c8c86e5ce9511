"""Groups of 256 pixels in memory: which of them are used, and whether one is odd."""

from typing import Any

from llvmlite import ir
from numba import types
from numba.extending import intrinsic

from livepdf.numerics.planes import GROUP
from livepdf.numerics.vectors import (
    LINE,
    LONG,
    SHORT,
    above,
    any_set,
    fetch,
    highest_of,
    intrinsic_of,
    load,
    spread,
    store,
)

NONE, SOME, ALL = 0, 1, 2
"""How many pixels of a group are used."""

_WIDTH = 32


@intrinsic
def used_in(_typing: Any, _live: Any) -> Any:
    """Return how many of the 256 bits at an address are set: ``NONE``, ``SOME`` or ``ALL``."""

    def generate(builder: Any, arguments: Any) -> Any:
        bits = load(builder, arguments[0], ir.VectorType(LONG, GROUP // 64))
        full = builder.xor(bits, ir.Constant(bits.type, [-1] * bits.type.count))
        zero = ir.Constant(LONG, 0)
        some = builder.zext(builder.icmp_unsigned("!=", any_set(builder, bits), zero), LONG)
        every = builder.zext(builder.icmp_unsigned("==", any_set(builder, full), zero), LONG)
        return builder.add(some, every)

    return intrinsic_of(1, generate)


@intrinsic
def fetch_group(_typing: Any, _address: Any, top: Any) -> Any:
    """Ask for 256 pixels of the type of ``top``, which need not be there, to be put into cache."""

    def emit(_context: Any, builder: Any, _signature: Any, arguments: Any) -> Any:
        for start in range(0, GROUP * arguments[1].type.width // 8, LINE):
            fetch(builder, arguments[0], start)
        return ir.Constant(LONG, 0)

    return types.int64(types.uint64, top), emit


@intrinsic
def odd_in(_typing: Any, pixels: Any, top: Any) -> Any:
    """Return whether one of 256 pixels is above ``top``, whose type is theirs (unsigned)."""

    def emit(_context: Any, builder: Any, _signature: Any, arguments: Any) -> Any:
        pixels, top = arguments
        return above(builder, highest_of(builder, _values(builder, pixels, top)), top)

    return types.boolean(pixels, top), emit


@intrinsic
def odd_among(_typing: Any, pixels: Any, index: Any, n: Any, top: Any) -> Any:
    """Do the same for those whose bin number at ``index``, of the type of ``n``, is below it."""

    def emit(_context: Any, builder: Any, _signature: Any, arguments: Any) -> Any:
        pixels, index, n, top = arguments
        values = _used_values(builder, pixels, index, n, top)
        return above(builder, highest_of(builder, values), top)

    return types.boolean(pixels, index, n, top), emit


@intrinsic
def copy_group(_typing: Any, pixels: Any, top: Any, out: Any) -> Any:
    """Copy 256 pixels to uint16 at ``out``; return whether one of them is above ``top``."""

    def emit(_context: Any, builder: Any, _signature: Any, arguments: Any) -> Any:
        pixels, top, out = arguments
        values = _values(builder, pixels, top)
        _store_shorts(builder, values, out)
        return above(builder, highest_of(builder, values), top)

    return types.boolean(pixels, top, out), emit


@intrinsic
def clean_group(_typing: Any, pixels: Any, index: Any, n: Any, top: Any, out: Any) -> Any:
    """Do the same, with 0 for a pixel whose bin number is ``n`` or above."""

    def emit(_context: Any, builder: Any, _signature: Any, arguments: Any) -> Any:
        pixels, index, n, top, out = arguments
        values = _used_values(builder, pixels, index, n, top)
        _store_shorts(builder, values, out)
        return above(builder, highest_of(builder, values), top)

    return types.boolean(pixels, index, n, top, out), emit


def _values(builder: Any, address: Any, like: Any) -> list[Any]:
    kind = ir.VectorType(like.type, _WIDTH)
    size = _WIDTH * like.type.width // 8
    return [
        load(builder, address, kind, ir.Constant(LONG, size * k)) for k in range(GROUP // _WIDTH)
    ]


def _used_values(builder: Any, pixels: Any, index: Any, n: Any, top: Any) -> list[Any]:
    limit = spread(builder, n, _WIDTH)
    used = [builder.icmp_unsigned("<", b, limit) for b in _values(builder, index, n)]
    values = _values(builder, pixels, top)
    nothing = ir.Constant(values[0].type, None)
    return [builder.select(u, v, nothing) for u, v in zip(used, values, strict=True)]


def _store_shorts(builder: Any, values: list[Any], out: Any) -> None:
    shorts = ir.VectorType(SHORT, _WIDTH)
    for k, value in enumerate(values):
        width = value.type.element.width
        if width != 16:
            value = builder.zext(value, shorts) if width < 16 else builder.trunc(value, shorts)
        store(builder, value, out, 2 * _WIDTH * k)
