"""An array as DESY's seedee writes it: a short JSON header beside the bytes of one HDF5 chunk.

Read by our own code: the library of that name crashes on damaged bytes.
"""

import zlib
from collections.abc import Mapping
from typing import Any

import numpy as np

from livepdf.errors import FrameError
from livepdf.model.frame import PackedImage
from livepdf.sources.fields import Part, in_words, json_map
from livepdf.sources.typed_array import HEADER, LARGEST_IMAGE, check_size

FORMAT_KEY = "_data_format"
"""Key of the message's user data that holds the header."""
RAW, DEFLATE, LZ4, BITSHUFFLE = 0, 1, 32004, 32008
BITSHUFFLE_OF_LZ4 = 2


def seedee_image(header: object, payload: Part) -> PackedImage:
    """Take a two-dimensional array apart; sizes are checked before anything is unpacked.

    Parameters
    ----------
    header
        JSON text, or the map that it holds.
    payload
        The array, perhaps compressed.

    Raises
    ------
    FrameError
        ``malformed``, ``unsupported shape``, ``unsupported dtype``, ``unsupported compression``,
        ``wrong size``, ``too large`` or ``undecodable``.
    """
    fields = _header(header)
    shape, dtype = _array(fields.get("array"))
    size = shape[0] * shape[1] * dtype.itemsize
    if size > LARGEST_IMAGE:
        raise FrameError("too large", f"an image of {shape[0]} × {shape[1]} pixels")
    compression = fields.get("compression")
    if compression in (RAW, None):
        return _plain(bytes(payload), size, shape, dtype)
    if compression == DEFLATE:
        return _plain(_inflated(bytes(payload), size), size, shape, dtype)
    options = fields.get("compression_opts")
    if compression == BITSHUFFLE and (
        not isinstance(options, list) or options[-1:] != [BITSHUFFLE_OF_LZ4]
    ):
        raise FrameError("unsupported compression", f"bitshuffle with {in_words(options)}")
    if compression not in (LZ4, BITSHUFFLE):
        raise FrameError("unsupported compression", in_words(compression))
    if len(payload) <= HEADER:
        raise FrameError("wrong size", f"{len(payload)} bytes of a compressed array")
    algorithm: Any = "lz4" if compression == LZ4 else "bslz4"
    image = PackedImage(blob=bytes(payload), algorithm=algorithm, shape=shape, dtype=dtype)
    check_size(image)
    return image


def _header(header: object) -> Mapping[str, object]:
    fields = json_map(header.encode()) if isinstance(header, str) else header
    if not isinstance(fields, Mapping) or fields.get("protocol") != "seedee":
        raise FrameError("malformed", "no header of seedee")
    if fields.get("version_major") != 1:
        raise FrameError("malformed", f"seedee version {in_words(fields.get('version_major'))}")
    return fields


def _array(value: object) -> tuple[tuple[int, int], np.dtype[Any]]:
    array = value if isinstance(value, Mapping) else {}
    codes = (array.get("byteorder"), array.get("datatype"))
    item = array.get("itemsize")
    if not all(isinstance(code, int) and 0 <= code < 128 for code in codes):
        raise FrameError("malformed", f"a type of {in_words(codes)}")
    name = "".join(chr(code) for code in codes if isinstance(code, int)) + in_words(item)
    try:
        dtype = np.dtype(name)
    except (TypeError, ValueError, SyntaxError):
        dtype = np.dtype("O")
    if dtype.kind not in "iuf" or dtype.itemsize > 8:
        raise FrameError("unsupported dtype", repr(name[:20]))
    if array.get("stride") is not None:
        raise FrameError("unsupported shape", "an array with strides")
    shape = array.get("shape")
    if not isinstance(shape, list) or len(shape) != 2:
        raise FrameError("unsupported shape", f"{in_words(shape)}, wanted two dimensions")
    rows, columns = shape
    for length in (rows, columns):
        if not isinstance(length, int) or isinstance(length, bool) or length < 1:
            raise FrameError("malformed", f"shape {in_words(shape)}")
    return (rows, columns), dtype


def _plain(pixels: bytes, size: int, shape: tuple[int, int], dtype: np.dtype[Any]) -> PackedImage:
    if len(pixels) != size:
        raise FrameError("wrong size", f"{len(pixels)} bytes for {size}")
    return PackedImage(blob=pixels, algorithm="raw", shape=shape, dtype=dtype)


def _inflated(payload: bytes, size: int) -> bytes:
    unpacker = zlib.decompressobj()
    try:
        pixels = unpacker.decompress(payload, size + 1)
    except zlib.error as error:
        raise FrameError("undecodable", str(error)) from error
    # Only at its end stands the checksum.
    if not unpacker.eof:
        raise FrameError("wrong size", f"{len(payload)} bytes do not end where {size} do")
    return pixels
