"""Groups of 256 pixels in memory: made clean, and looked through for odd ones."""

from typing import Any

from llvmlite import ir
from numba import types
from numba.extending import intrinsic

from livepdf.numerics.planes import GROUP
from livepdf.numerics.vectors import (
    LONG,
    SHORT,
    above,
    highest_of,
    load,
    spread,
    store,
)

_WIDTH = 32


@intrinsic
def clean_group(_typing: Any, pixels: Any, index: Any, n: Any, top: Any, out: Any) -> Any:
    """Copy 256 pixels to uint16 at ``out``; return whether one of them is above ``top``.

    Pixels are of the type of ``top``, unsigned. Those whose bin number at ``index``, of the type
    of ``n``, is not below it become 0.
    """

    def emit(_context: Any, builder: Any, _signature: Any, arguments: Any) -> Any:
        pixels, index, n, top, out = arguments
        values = _used_values(builder, pixels, index, n, top)
        _store_shorts(builder, values, out)
        return above(builder, highest_of(builder, values), top)

    return types.boolean(pixels, index, n, top, out), emit


@intrinsic
def odd_group(_typing: Any, pixels: Any, index: Any, n: Any, top: Any) -> Any:
    """Return whether one of 256 pixels is above ``top``, those looked at as in `clean_group`."""

    def emit(_context: Any, builder: Any, _signature: Any, arguments: Any) -> Any:
        values = _used_values(builder, *arguments)
        return above(builder, highest_of(builder, values), arguments[-1])

    return types.boolean(pixels, index, n, top), emit


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
