"""Call the LZ4 library that hdf5plugin brings along, from inside compiled loops."""

import ctypes
import os
from functools import cache
from pathlib import Path
from typing import Any

from llvmlite import ir
from numba import types
from numba.extending import intrinsic
from numpy.typing import NDArray

from livepdf.numerics.kernel import inner
from livepdf.numerics.lz4_decode import decode

Bytes = NDArray[Any]

OWN_LZ4 = "LIVEPDF_OWN_LZ4"
"""Environment variable: set to 1, LZ4 is decoded by our own loops in any case."""


@cache
def lz4_address() -> int:
    """Return the address of ``LZ4_decompress_safe``; it never writes or reads out of bounds.

    Raises
    ------
    OSError, AttributeError
        The installed hdf5plugin has no such function.
    """
    import hdf5plugin

    library = ctypes.CDLL(str(Path(hdf5plugin.PLUGIN_PATH) / "libh5bshuf.so"))
    address = ctypes.cast(library.LZ4_decompress_safe, ctypes.c_void_p).value
    if not address:
        raise OSError("LZ4_decompress_safe has no address")
    return address


@cache
def lz4_or_own() -> int:
    """Return that address, or 0: then :func:`expand` uses our own loops, which are slower."""
    if os.environ.get(OWN_LZ4) == "1":
        return 0
    try:
        return lz4_address()
    except (OSError, AttributeError, ImportError):
        return 0


@inner
def expand(lz4: int, source: Bytes, target: Bytes) -> Any:
    """Decompress one LZ4 block; return the number of bytes written, or less than 0.

    ``lz4`` is what :func:`lz4_or_own` returns.
    """
    if lz4 == 0:
        return decode(source, target)
    if source.size > 0x7FFFFFFF or target.size > 0x7E000000:
        return -1
    return decompress_safe(lz4, source.ctypes.data, target.ctypes.data, source.size, target.size)


@intrinsic
def decompress_safe(
    _typing: Any, _address: Any, _source: Any, _target: Any, _size: Any, _capacity: Any
) -> Any:
    """Decompress ``size`` bytes from one address to another; return the number written, or < 0.

    The function's address is an argument: a constant one could not be kept in the disk cache.
    """
    signature = types.int64(types.uint64, types.uint64, types.uint64, types.int64, types.int64)

    def generate(_context: Any, builder: Any, _signature: Any, arguments: Any) -> Any:
        byte, word = ir.IntType(8).as_pointer(), ir.IntType(32)
        function = ir.FunctionType(word, [byte, byte, word, word]).as_pointer()
        call = builder.inttoptr(arguments[0], function)
        written = builder.call(
            call,
            [
                builder.inttoptr(arguments[1], byte),
                builder.inttoptr(arguments[2], byte),
                builder.trunc(arguments[3], word),
                builder.trunc(arguments[4], word),
            ],
        )
        return builder.sext(written, ir.IntType(64))

    return signature, generate
