"""Portable LLVM vectors, for the few loops that only vector instructions make fast.

LLVM turns them into what the processor has: two registers for one on a small one, one on a large
one. Pieces of 16 bytes are never crossed before the end, since that is dear on most processors.
"""

from collections.abc import Callable, Iterable, Sequence
from typing import Any

import llvmlite.binding
from llvmlite import ir
from numba import types
from numba.core import cgutils
from numba.extending import intrinsic

BYTE, SHORT, INT, LONG = (ir.IntType(bits) for bits in (8, 16, 32, 64))
LINE = 64
"""Bytes that move together between memory and cache."""
_SIZES = {"i16": 2, "i32": 4, "float": 4, "double": 8}
PIECE = 16
"""Bytes within which elements are interleaved."""


def width() -> int:
    """Return the bytes of a vector register of this machine."""
    features = llvmlite.binding.get_host_cpu_features()
    widths = {"avx512bw": 64, "avx2": 32}
    return max((size for name, size in widths.items() if features.get(name)), default=16)


@intrinsic
def pointer(_typing: Any, _address: Any) -> Any:
    """Turn an address into a pointer, as ``numba.carray`` wants it."""

    def emit(_context: Any, builder: Any, _signature: Any, arguments: Any) -> Any:
        return builder.inttoptr(arguments[0], BYTE.as_pointer())

    return types.voidptr(types.uint64), emit


@intrinsic
def fetch_line(_typing: Any, _address: Any) -> Any:
    """Ask for the line of memory at an address, which need not exist, to be put into cache."""

    def generate(builder: Any, arguments: Any) -> Any:
        fetch(builder, arguments[0], 0)
        return ir.Constant(LONG, 0)

    return intrinsic_of(1, generate)


def intrinsic_of(arity: int, generate: Callable[[Any, Any], Any]) -> tuple[Any, Any]:
    """Return an intrinsic that takes ``arity`` numbers of 64 bits and returns one."""
    signature = types.int64(*([types.uint64] * arity))

    def emit(_context: Any, builder: Any, _signature: Any, arguments: Any) -> Any:
        return generate(builder, arguments)

    return signature, emit


def load(builder: Any, address: Any, kind: Any, offset: Any = 0) -> Any:
    """Read a value of ``kind`` at an address of any alignment."""
    place = builder.add(address, offset) if offset else address
    loaded = builder.load(builder.inttoptr(place, kind.as_pointer()))
    loaded.align = 1
    return loaded


def store(builder: Any, value: Any, address: Any, offset: int) -> None:
    """Write a value to an address of any alignment."""
    place = builder.add(address, ir.Constant(LONG, offset))
    builder.store(value, builder.inttoptr(place, value.type.as_pointer())).align = 1


def bytes_of(kind: Any) -> int:
    """Return the size of a number of a kind."""
    return _SIZES[str(kind)]


def add_to(builder: Any, values: Sequence[Any], address: Any, add: Callable[..., Any]) -> None:
    """Add vectors to those that lie one after the other from an address on."""
    for k, value in enumerate(values):
        offset = value.type.count * bytes_of(value.type.element) * k
        total = load(builder, address, value.type, ir.Constant(LONG, offset))
        store(builder, add(total, value), address, offset)


def repeated(kind: Any, value: int | float) -> Any:
    """Return a constant vector of equal elements."""
    return ir.Constant(kind, [value] * kind.count)


def shuffled(builder: Any, first: Any, second: Any, order: Iterable[int]) -> Any:
    """Return the elements of two vectors in the order of their numbers."""
    places = list(order)
    mask = ir.Constant(ir.VectorType(INT, len(places)), places)
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


def interleaved(builder: Any, vectors: Sequence[Any]) -> list[Any]:
    """Return the elements of the vectors in turns, within each piece of 16 bytes."""
    if len(vectors) == 1:
        return list(vectors)
    kind = vectors[0].type
    low, high = _zip_orders(kind.count, PIECE * 8 // kind.element.width)
    pairs = zip(
        interleaved(builder, vectors[0::2]), interleaved(builder, vectors[1::2]), strict=True
    )
    return [shuffled(builder, even, odd, order) for even, odd in pairs for order in (low, high)]


def spread(builder: Any, value: Any, count: int) -> Any:
    """Return a vector of ``count`` equal elements."""
    kind = ir.VectorType(value.type, count)
    single = builder.insert_element(ir.Constant(kind, ir.Undefined), value, ir.Constant(INT, 0))
    return shuffled(builder, single, single, [0] * count)


def highest_of(builder: Any, values: Sequence[Any]) -> Any:
    """Return the largest of each place of vectors of unsigned integers."""
    highest = values[0]
    for value in values[1:]:
        highest = builder.select(builder.icmp_unsigned(">", value, highest), value, highest)
    return highest


def above(builder: Any, values: Any, top: Any) -> Any:
    """Return whether one place of a vector is above ``top``, unsigned."""
    found = builder.icmp_unsigned(">", values, spread(builder, top, values.type.count))
    bits = builder.bitcast(found, ir.IntType(values.type.count))
    return builder.icmp_unsigned("!=", bits, ir.Constant(bits.type, 0))


def fetch(builder: Any, address: Any, offset: int) -> None:
    """Ask for the line of memory at an address, which need not exist, to be put into cache."""
    pointer_type = BYTE.as_pointer()
    kind = ir.FunctionType(ir.VoidType(), [pointer_type, INT, INT, INT])
    function = cgutils.get_or_insert_function(builder.module, kind, "llvm.prefetch.p0i8")
    # To read, into the nearest cache, as data.
    how = [ir.Constant(INT, value) for value in (0, 3, 1)]
    place = builder.add(address, ir.Constant(LONG, offset))
    builder.call(function, [builder.inttoptr(place, pointer_type), *how])


def any_set(builder: Any, vector: Any) -> Any:
    """Return something other than 0 where a bit of a vector of integers is set."""
    found = builder.extract_element(vector, ir.Constant(INT, 0))
    for k in range(1, vector.type.count):
        found = builder.or_(found, builder.extract_element(vector, ir.Constant(INT, k)))
    return found
