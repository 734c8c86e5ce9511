"""DECTRIS Stream V2 messages as a detector writes them (CBOR, bitshuffle-LZ4)."""

import ctypes
import struct
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cache
from pathlib import Path
from typing import Any

import cbor2
import hdf5plugin
import numpy as np
from numpy.typing import NDArray

_SELF_DESCRIBED = b"\xd9\xd9\xf7"
_DATE, _ARRAY, _COMPRESSED = 0, 40, 56500
_TYPED = {"|u1": 64, "<u2": 69, "<u4": 70, "<u8": 71, "<i4": 78, "<f4": 85, "<f8": 86}
"""CBOR tags of typed arrays (RFC 8746), by numpy's name of the type."""
_CLOCK = 50_000_000
"""Ticks per second of the times in image messages."""
CHANNEL = "threshold_1"
_DATA = cbor2.dumps("data")


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Series:
    """What the start message of a series announces."""

    series_id: int
    unique_id: str
    images: int
    shape: tuple[int, int]
    """(ny, nx)"""
    energy: float
    """keV"""
    distance_m: float
    pixel_m: float
    beam: tuple[float, float]
    """Row and column in pixels."""
    frame_time: float
    """s"""
    blind: NDArray[np.bool_]
    """(ny, nx) True where there is no working pixel."""
    armed: datetime
    """With its time zone."""
    description: str = "PILATUS3 X CdTe (simulated)"
    dtype: str = "uint32"
    """Of the pixels, as numpy names it."""
    channel: str = CHANNEL


NO_MORE: Mapping[str, Any] = {}


def start_message(series: Series, *, more: Mapping[str, Any] = NO_MORE) -> bytes:
    """Return the start message with the pixel mask (bit 0 = gap), as with detailed headers.

    ``more`` are keys that some senders add.
    """
    mask = series.blind.astype("<u4")
    row, column = series.beam
    wavelength = 12.398419843 / series.energy
    return _packed(
        {
            "type": "start",
            "series_id": series.series_id,
            "series_unique_id": series.unique_id,
            "arm_date": _date(series.armed),
            "beam_center_x": column,
            "beam_center_y": row,
            "channels": [series.channel],
            "count_time": series.frame_time,
            "countrate_correction_enabled": False,
            "detector_description": series.description,
            "detector_serial_number": "simulated",
            "detector_translation": [0.0, 0.0, series.distance_m],
            "flatfield_enabled": False,
            "frame_time": series.frame_time,
            "image_dtype": series.dtype,
            "image_size_x": series.shape[1],
            "image_size_y": series.shape[0],
            "incident_energy": series.energy * 1e3,
            "incident_wavelength": wavelength,
            "number_of_images": series.images,
            "pixel_mask": {series.channel: _array(mask, compressed=True)},
            "pixel_mask_enabled": True,
            "pixel_size_x": series.pixel_m,
            "pixel_size_y": series.pixel_m,
            "saturation_value": 2**20 - 1,
            "sensor_material": "CdTe",
            "sensor_thickness": 1e-3,
            "threshold_energy": {series.channel: series.energy * 500.0},
            "user_data": {"simulated": True},
            "virtual_pixel_interpolation_enabled": False,
            **more,
        }
    )


def image_message(
    series: Series, *, index: int, image: NDArray[Any], user_data: dict[str, float]
) -> bytes:
    """Return the message of one image, packed with bitshuffle and LZ4.

    Parameters
    ----------
    index : int
        Position in the series, from 0.
    image : (ny, nx) uint8, 16, 32, int32 or float32
    user_data : dict
        What a beamline appends, e.g. ``{"temperature": 523.0}``.
    """
    content = image_content(image, channel=series.channel)
    return packed_image_message(series, index=index, content=content, user_data=user_data)


def image_content(image: NDArray[Any], *, channel: str = CHANNEL) -> bytes:
    """Return what :func:`packed_image_message` takes: an image packed once, to be sent often."""
    return cbor2.dumps({channel: _array(image, compressed=True)})


def packed_image_message(
    series: Series,
    *,
    index: int,
    content: bytes,
    user_data: dict[str, float],
    more: Mapping[str, Any] = NO_MORE,
) -> bytes:
    """Return the message of one image that :func:`image_content` has packed.

    ``more`` are up to a dozen keys that some senders add.
    """
    ticks = round(series.frame_time * _CLOCK)
    head = cbor2.dumps(
        {
            "type": "image",
            "series_id": series.series_id,
            "series_unique_id": series.unique_id,
            "image_id": index,
            "real_time": [ticks, _CLOCK],
            "series_date": _date(series.armed),
            "start_time": [index * ticks, _CLOCK],
            "stop_time": [(index + 1) * ticks, _CLOCK],
            "user_data": user_data,
            **more,
        }
    )
    # A map of so few entries counts them in its first byte: one more follows.
    return b"".join((_SELF_DESCRIBED, bytes([head[0] + 1]), memoryview(head)[1:], _DATA, content))


def end_message(series: Series) -> bytes:
    """Return the message that ends the series."""
    return _packed(
        {"type": "end", "series_id": series.series_id, "series_unique_id": series.unique_id}
    )


def bitshuffle_lz4(array: NDArray[Any]) -> bytes:
    """Pack an array as the HDF5 bitshuffle-LZ4 filter does: 12-byte header, then blocks."""
    library = _bitshuffle()
    flat = np.ascontiguousarray(array)
    size = flat.dtype.itemsize
    block = library.bshuf_default_block_size(size)
    room = library.bshuf_compress_lz4_bound(flat.size, size, block)
    out = np.empty(room, dtype=np.uint8)
    used = library.bshuf_compress_lz4(flat.ctypes.data, out.ctypes.data, flat.size, size, block)
    if used < 0:
        raise RuntimeError(f"bitshuffle refused to pack: error {used}")
    return struct.pack(">QI", flat.nbytes, block * size) + out[:used].tobytes()


@cache
def _bitshuffle() -> ctypes.CDLL:
    # hdf5plugin ships the library for HDF5; the same file has the plain functions, which
    # spare the detour through an HDF5 file in memory.
    found = sorted(Path(hdf5plugin.PLUGIN_PATH).glob("*h5bshuf*"))
    if not found:
        raise RuntimeError(f"hdf5plugin has no bitshuffle library in {hdf5plugin.PLUGIN_PATH}")
    library = ctypes.CDLL(str(found[0]))
    size = ctypes.c_size_t
    library.bshuf_default_block_size.argtypes = [size]
    library.bshuf_default_block_size.restype = size
    library.bshuf_compress_lz4_bound.argtypes = [size, size, size]
    library.bshuf_compress_lz4_bound.restype = size
    library.bshuf_compress_lz4.argtypes = [ctypes.c_void_p, ctypes.c_void_p, size, size, size]
    library.bshuf_compress_lz4.restype = ctypes.c_int64
    return library


def _array(array: NDArray[Any], *, compressed: bool) -> cbor2.CBORTag:
    name = array.dtype.newbyteorder("<").str
    content: Any = array.tobytes()
    if compressed:
        pieces = ["bslz4", array.dtype.itemsize, bitshuffle_lz4(array)]
        content = cbor2.CBORTag(_COMPRESSED, pieces)
    return cbor2.CBORTag(_ARRAY, [list(array.shape), cbor2.CBORTag(_TYPED[name], content)])


def _date(moment: datetime) -> cbor2.CBORTag:
    return cbor2.CBORTag(_DATE, moment.astimezone(UTC).isoformat().replace("+00:00", "Z"))


def _packed(message: dict[str, Any]) -> bytes:
    return _SELF_DESCRIBED + cbor2.dumps(message)
