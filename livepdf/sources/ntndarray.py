"""The image in an EPICS NTNDArray structure, taken apart; no channel, no clock, no state."""

import struct
from collections.abc import Mapping
from dataclasses import dataclass, field
from math import isfinite
from typing import Any

import numpy as np

from livepdf.errors import FrameError
from livepdf.model.frame import PackedImage
from livepdf.sources.fields import in_words
from livepdf.sources.pva_raw import Bytes, Update
from livepdf.sources.typed_array import HEADER, LARGEST_IMAGE, LZ4_RATIO, check_size

SCALARS = {1: "i1", 2: "<i2", 3: "<i4", 4: "<i8", 5: "u1", 6: "<u2", 7: "<u4", 8: "<u8",
           9: "<f4", 10: "<f8"}  # fmt: skip
"""Pixel types by pvData's ScalarType, which ``codec.parameters`` holds of a compressed array."""
BITSHUFFLE_BLOCK = 8192
"""Bytes of a block that areaDetector's bslz4 codec uses."""
MONO = 0
MOST_DIMENSIONS = 8
BLOSC_HEADER = 16
BLOSC_RATIO = 1 << 12
"""zstd inside blosc packs an empty image far tighter than LZ4 can; beyond this it is a bomb."""
LOSSY = {"jpeg"}
Scalar = str | int | float | bool


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Array:
    """One NTNDArray that holds an image."""

    unique_id: int
    """int32, counted by the detector's driver; it wraps."""
    image: PackedImage
    server_time: float | None
    """Unix seconds by the server's clock; None where it was never set."""
    detector_time: float | None
    """Unix seconds as the detector's driver tells them; None where it does not."""
    attributes: Mapping[str, Scalar] = field(repr=False)
    codec: str = ""


def parse(update: Update) -> Array:
    """Take an update apart; sizes are checked before anything is unpacked.

    Raises FrameError: ``malformed``, ``no image``, ``unsupported shape``, ``unsupported dtype``,
    ``unsupported compression``, ``wrong size``, ``too large`` or ``undecodable``.
    """
    fields = update.fields
    unique = unique_id(update)
    attributes = _attributes(fields.get("attribute"))
    shape = _shape(fields.get("dimension"))
    if update.dtype is None or not len(update.pixels):
        raise FrameError("no image", f"update {unique} holds no pixels")
    if attributes.get("ColorMode", MONO) != MONO:
        raise FrameError("unsupported shape", f"a colour image (mode {attributes['ColorMode']})")
    codec = _map(fields.get("codec"))
    name = codec.get("name", "")
    name = name if isinstance(name, str) else in_words(name)
    return Array(
        unique_id=unique,
        image=_image(update, name, codec.get("parameters"), shape),
        server_time=_time(fields.get("timeStamp")),
        detector_time=_time(fields.get("dataTimeStamp")),
        attributes=attributes,
        codec=name,
    )


def unique_id(update: Update) -> int:
    """Return the number of an update; FrameError ``malformed`` where it has none."""
    unique = _integer(update.fields.get("uniqueId"))
    if unique is None or not -(1 << 31) <= unique < 1 << 31:
        found = in_words(update.fields.get("uniqueId"))
        raise FrameError("malformed", f"uniqueId {found}: is this an NTNDArray?")
    return unique


def _image(update: Update, codec: str, parameters: object, shape: tuple[int, int]) -> PackedImage:
    assert update.dtype is not None
    if codec == "":
        return _raw(update.pixels, shape=shape, dtype=_pixels(update.dtype))
    if codec in LOSSY:
        detail = f"{codec} changes counts: choose none, bslz4, lz4 or blosc in the plugin"
        raise FrameError("unsupported compression", detail)
    dtype = _original(parameters)
    _check(shape, dtype)
    pixels = bytes(update.pixels)
    size = shape[0] * shape[1] * dtype.itemsize
    # areaDetector leaves the header of the HDF5 filters away, others pass chunks of HDF5 files on.
    # Neither a bare bitshuffle nor a bare LZ4 block can begin with the zeros of such a header.
    headed = int.from_bytes(pixels[:8], "big") == size
    if codec == "bslz4":
        header = b"" if headed else struct.pack(">QI", size, BITSHUFFLE_BLOCK)
        return _with_header(header + pixels, "bslz4", shape, dtype)
    if codec == "lz4hdf5" or (codec == "lz4" and headed):
        return _with_header(pixels, "lz4", shape, dtype)
    if codec == "lz4":
        if size > LZ4_RATIO * len(pixels):
            raise FrameError("wrong size", f"{len(pixels)} bytes cannot hold {size}")
        return PackedImage(blob=pixels, algorithm="lz4-block", shape=shape, dtype=dtype)
    if codec == "blosc":
        return _raw(_unblosc(pixels, size), shape=shape, dtype=dtype)
    raise FrameError("unsupported compression", codec[:40])


def _with_header(blob: bytes, algorithm: Any, shape: tuple[int, int], dtype: Any) -> PackedImage:
    image = PackedImage(blob=blob, algorithm=algorithm, shape=shape, dtype=dtype)
    if len(blob) <= HEADER:
        raise FrameError("wrong size", f"{len(blob)} bytes of {algorithm}")
    check_size(image)
    return image


def _raw(blob: Bytes, *, shape: tuple[int, int], dtype: np.dtype[Any]) -> PackedImage:
    _check(shape, dtype)
    wanted = shape[0] * shape[1] * dtype.itemsize
    if len(blob) != wanted:
        raise FrameError("wrong size", f"{len(blob)} bytes for {wanted}")
    return PackedImage(blob=blob, algorithm="raw", shape=shape, dtype=dtype)


def _unblosc(blob: bytes, size: int) -> bytes:
    try:
        import blosc
    except ImportError:
        detail = "blosc needs an optional package: pip install 'livepdf[pva]'"
        raise FrameError("unsupported compression", detail) from None
    if len(blob) < BLOSC_HEADER:
        raise FrameError("wrong size", f"{len(blob)} bytes of blosc")
    unpacked, _, packed = struct.unpack("<III", blob[4:BLOSC_HEADER])
    if unpacked != size or packed != len(blob) or size > BLOSC_RATIO * len(blob):
        found = f"blosc of {packed} bytes that hold {unpacked}"
        raise FrameError("wrong size", f"{found}; {len(blob)} came, {size} were wanted")
    blosc.set_nthreads(1)
    try:
        pixels: bytes = blosc.decompress(blob)
    except (blosc.blosc_extension.error, ValueError, MemoryError) as error:
        raise FrameError("undecodable", f"blosc: {error}"[:200]) from error
    if len(pixels) != size:
        raise FrameError("undecodable", f"blosc gave {len(pixels)} bytes of {size}")
    return pixels


def _pixels(dtype: np.dtype[Any]) -> np.dtype[Any]:
    if dtype.kind == "b":
        raise FrameError("unsupported dtype", "an array of booleans")
    return dtype


def _original(parameters: object) -> np.dtype[Any]:
    code = _integer(parameters)
    if code not in SCALARS:
        raise FrameError("unsupported dtype", f"codec.parameters {in_words(parameters)}")
    return np.dtype(SCALARS[code])


def _check(shape: tuple[int, int], dtype: np.dtype[Any]) -> None:
    if shape[0] * shape[1] * dtype.itemsize > LARGEST_IMAGE:
        raise FrameError("too large", f"an image of {shape[0]} × {shape[1]} pixels")


def _shape(dimensions: object) -> tuple[int, int]:
    """Return (ny, nx): the structure has the fast axis first; axes of one pixel do not count."""
    if not isinstance(dimensions, list | tuple) or not dimensions:
        raise FrameError("no image", "an update without dimensions")
    if len(dimensions) > MOST_DIMENSIONS:
        raise FrameError("malformed", f"{len(dimensions)} dimensions")
    sizes = [_integer(_map(dimension).get("size")) for dimension in dimensions]
    if any(size is None or not 1 <= size <= LARGEST_IMAGE for size in sizes):
        raise FrameError("malformed", f"dimensions {in_words(sizes)}")
    real = [size for size in sizes if size is not None]
    while len(real) > 2 and 1 in real:
        real.remove(1)
    if len(real) != 2:
        raise FrameError("unsupported shape", f"dimensions {in_words(sizes)}, wanted two")
    return real[1], real[0]


def _attributes(values: object) -> dict[str, Scalar]:
    found: dict[str, Scalar] = {}
    for attribute in values if isinstance(values, list | tuple) else ():
        name, value = _map(attribute).get("name"), _map(attribute).get("value")
        if isinstance(name, str) and isinstance(value, str | int | float | bool):
            found[name[:100]] = value[:1000] if isinstance(value, str) else value
    return found


def _map(value: object) -> Mapping[Any, Any]:
    return value if isinstance(value, Mapping) else {}


def _integer(value: object) -> int | None:
    return value if isinstance(value, int) and not isinstance(value, bool) else None


def _time(stamp: object) -> float | None:
    seconds = _integer(_map(stamp).get("secondsPastEpoch"))
    nanoseconds = _integer(_map(stamp).get("nanoseconds"))
    if seconds is None or nanoseconds is None or not 0 < seconds < 1 << 40:
        return None
    time = seconds + nanoseconds * 1e-9
    return time if isfinite(time) else None
