"""MAX IV STINS messages as the streaming-receiver pushes them on."""

import json
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from livepdf.simulate.stream2 import Series, bitshuffle_lz4

Parts = list[bytes]
HEADER = 12
"""Bytes before the blocks of a packed blob."""


def run_messages(
    series: Series,
    images: Iterable[NDArray[Any]],
    *,
    first_message: int = 0,
    first_frame: int = 0,
    filename: str = "",
    packed: bool = True,
    bare: bool = False,
    ends: int = 1,
) -> Iterator[Parts]:
    """Yield every message of one series, each as its parts.

    Parameters
    ----------
    series
        What is announced.
    images : (ny, nx) or (n, ny, nx)
        Of three axes where a detector has several modules or thresholds: one blob each.
    first_message
        The number of the header; the sender counts on from series to series.
    first_frame
        0 or 1, as the detector counts.
    filename
        Where the sender writes the images; empty when it does not.
    packed
        Bitshuffle and LZ4; else plain pixels.
    bare
        Leave out the 12 bytes before the blocks, as one packer does.
    ends
        How often the end is sent.
    """
    message = first_message
    yield header_parts(series, message=message, filename=filename)
    for index, image in enumerate(images):
        message += 1
        yield image_parts(
            series, message=message, frame=first_frame + index, image=image, packed=packed,
            bare=bare,
        )  # fmt: skip
    for _ in range(ends):
        message += 1
        yield [_json({"htype": "series_end", "msg_number": message})]


def header_parts(series: Series, *, message: int, filename: str = "") -> Parts:
    """Return the header and the settings of the detector."""
    settings = {
        "count_time": series.frame_time,
        "photon_energy": series.energy * 1e3,
        "threshold_energy": series.energy * 500.0,
        "nimages": series.images,
        "ntrigger": 1,
        "trigger_mode": "ints",
    }
    return [
        _json({"htype": "header", "msg_number": message, "filename": filename}),
        _json(settings),
    ]


def image_parts(
    series: Series,
    *,
    message: int,
    frame: int,
    image: NDArray[Any],
    packed: bool = True,
    bare: bool = False,
) -> Parts:
    """Return one image: what it is, and a blob for each module."""
    pixels = np.ascontiguousarray(image)
    fields: dict[str, object] = {
        "htype": "image",
        "msg_number": message,
        "frame": frame,
        "shape": list(pixels.shape),
        "type": pixels.dtype.name,
        "compression": "bslz4" if packed else "none",
        "exposure_time": series.frame_time,
    }
    modules = [pixels] if pixels.ndim == 2 else list(pixels)
    if pixels.ndim == 3:
        fields["chunks"] = [1, *pixels.shape[1:]]
    blobs = [bitshuffle_lz4(module) if packed else module.tobytes() for module in modules]
    if packed and bare:
        blobs = [blob[HEADER:] for blob in blobs]
    return [_json(fields), *blobs]


def _json(fields: Mapping[str, object]) -> bytes:
    return json.dumps(fields).encode()
