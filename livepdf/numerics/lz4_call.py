"""Call the LZ4 library that hdf5plugin brings along, from inside compiled loops."""

import ctypes
from functools import cache
from pathlib import Path
from typing import Any

from llvmlite import ir
from numba import types
from numba.extending import intrinsic


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
