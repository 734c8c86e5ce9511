"""DECTRIS legacy stream messages as a detector writes them: JSON parts and packed blobs."""

import hashlib
import json
from collections.abc import Iterable, Iterator, Mapping
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from livepdf.simulate.stream2 import Series, bitshuffle_lz4

Detail = Literal["none", "basic", "all"]
Parts = list[bytes]
COUNT_RATE_ROWS = 1001
_NANOSECONDS = 1_000_000_000


def run_messages(
    series: Series,
    images: Iterable[NDArray[Any]],
    *,
    detail: Detail = "all",
    appendix: bytes | None = None,
    image_appendix: bytes | None = None,
    split_header: bool = False,
    packed: bool = True,
    ends: int = 1,
) -> Iterator[Parts]:
    """Yield every message of one series, each as its parts.

    Parameters
    ----------
    series
        What is announced.
    images : (ny, nx) unsigned integers
    detail
        How much the header holds; only ``all`` has the pixel mask.
    appendix, image_appendix
        What a beamline has the detector append; any bytes.
    split_header
        Send settings and tables in messages of their own, as one simulator does.
    packed
        Bitshuffle and LZ4; else plain pixels.
    ends
        How often the end is sent: twice by detectors that are disarmed after their end, not at
        all by one that is switched off.
    """
    header = header_parts(series, detail=detail, appendix=appendix)
    yield from _split(header) if split_header and detail != "none" else [header]
    for index, image in enumerate(images):
        yield image_parts(series, index=index, image=image, packed=packed, appendix=image_appendix)
    for _ in range(ends):
        yield end_parts(series)


def _split(header: Parts) -> Iterator[Parts]:
    yield header[:1]
    yield header[1:2]
    rest = header[2:]
    yield from (rest[place : place + 2] for place in range(0, len(rest) - 1, 2))


def header_parts(series: Series, *, detail: Detail, appendix: bytes | None = None) -> Parts:
    """Return the header: 1, 2 or 8 parts, and the appendix."""
    first = {"header_detail": detail, "htype": "dheader-1.0", "series": series.series_id}
    parts = [_json(first)]
    if detail != "none":
        parts.append(_json(_settings(series)))
    if detail == "all":
        parts += _tables(series)
    return parts if appendix is None else [*parts, appendix]


def image_parts(
    series: Series,
    *,
    index: int,
    image: NDArray[Any],
    packed: bool = True,
    appendix: bytes | None = None,
) -> Parts:
    """Return one image: its number, its description, its pixels, its times, and the appendix."""
    pixels = np.ascontiguousarray(image)
    bits = 8 * pixels.dtype.itemsize
    blob = bitshuffle_lz4(pixels) if packed else pixels.tobytes()
    description = _json(
        {
            "encoding": f"bs{bits}-lz4<" if packed else "<",
            "htype": "dimage_d-1.0",
            "shape": list(pixels.shape[::-1]),
            "size": len(blob),
            "type": pixels.dtype.name,
        }
    )
    time = round(series.frame_time * _NANOSECONDS)
    number = {
        "frame": index,
        # As the detectors do: the digest of the next part, whatever the manual says.
        "hash": hashlib.md5(description, usedforsecurity=False).hexdigest(),
        "htype": "dimage-1.0",
        "series": series.series_id,
    }
    times = {
        "htype": "dconfig-1.0",
        "real_time": time,
        "start_time": index * time,
        "stop_time": (index + 1) * time,
    }
    parts = [_json(number), description, blob, _json(times)]
    return parts if appendix is None else [*parts, appendix]


def end_parts(series: Series) -> Parts:
    """Return the end."""
    return [_json({"htype": "dseries_end-1.0", "series": series.series_id})]


def _settings(series: Series) -> dict[str, object]:
    row, column = series.beam
    return {
        "beam_center_x": column,
        "beam_center_y": row,
        "bit_depth_image": 32,
        "compression": "bslz4",
        "count_time": series.frame_time,
        "countrate_correction_applied": False,
        "data_collection_date": series.armed.isoformat(timespec="milliseconds"),
        "description": series.description,
        "detector_distance": series.distance_m,
        "detector_number": "simulated",
        "flatfield_correction_applied": False,
        "frame_time": series.frame_time,
        "nimages": series.images,
        "ntrigger": 1,
        "number_of_excluded_pixels": int(np.count_nonzero(series.blind)),
        "photon_energy": series.energy * 1e3,
        "pixel_mask_applied": True,
        "sensor_material": "CdTe",
        "sensor_thickness": 1e-3,
        "threshold_energy": series.energy * 500.0,
        "trigger_mode": "ints",
        "wavelength": 12.398419843 / series.energy,
        "x_pixel_size": series.pixel_m,
        "x_pixels_in_detector": series.shape[1],
        "y_pixel_size": series.pixel_m,
        "y_pixels_in_detector": series.shape[0],
    }


def _tables(series: Series) -> Parts:
    shape = list(series.shape[::-1])
    rates = np.linspace(0, 1e6, COUNT_RATE_ROWS, dtype="<f4")
    return [
        _json({"htype": "dflatfield-1.0", "shape": shape, "type": "float32"}),
        np.ones(series.shape, "<f4").tobytes(),
        _json({"htype": "dpixelmask-1.0", "shape": shape, "type": "uint32"}),
        series.blind.astype("<u4").tobytes(),
        _json({"htype": "dcountrate_table-1.0", "shape": [2, COUNT_RATE_ROWS], "type": "float32"}),
        np.column_stack([rates, rates]).tobytes(),
    ]


def _json(fields: Mapping[str, object]) -> bytes:
    return json.dumps(fields, separators=(",", ":")).encode()
