"""Image files as bytes, as detectors and their programs write them."""

import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
from fabio.cbfimage import CbfImage
from fabio.edfimage import EdfImage
from fabio.tifimage import TifImage
from numpy.typing import NDArray

from livepdf.simulate.stream2 import Series

FORMATS = ("tif", "cbf", "edf")


def file_bytes(image: NDArray[Any], series: Series, *, format: str) -> bytes:  # noqa: A002
    """Return the file that holds an image, written by fabio."""
    writers: dict[str, Callable[[], Any]] = {
        "tif": lambda: TifImage(data=image),
        "cbf": lambda: CbfImage(data=_signed(image), header=_pilatus_header(series)),
        "edf": lambda: EdfImage(data=image),
    }
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / f"image.{format}"
        writers[format]().write(str(path))
        return path.read_bytes()


def qxrd_metadata(series: Series, *, name: str, number: int, when: float) -> bytes:
    """Return what QXRD writes beside an image, after it."""
    lines = [
        "[metadata]",
        f"width={series.shape[1]}",
        f"height={series.shape[0]}",
        "dataTypeName=Subtracted Data",
        f"fileName={name}",
        f"exposureTime={series.frame_time}",
        "summedExposures=1",
        f"imageSequenceNumber={number}",
        f"imageNumber={number}",
        "dateTime=@DateTime(\\0\\0\\0\\x10\\0\\0\\0\\0\\0\\0%\\x87)",
        f"timeStamp={when!r}",
        "userComment1=simulated",
        "normalization\\size=0",
    ]
    return ("\n".join(lines) + "\n").encode("latin-1")


def _signed(image: NDArray[Any]) -> NDArray[np.int32]:
    """Return int32 with −1 in the gaps, as PILATUS files have them."""
    if image.dtype.kind == "i":
        return np.asarray(image, np.int32)
    gaps = image == np.iinfo(image.dtype).max
    return np.where(gaps, -1, image).astype(np.int32)


def _pilatus_header(series: Series) -> dict[str, str]:
    row, column = series.beam
    lines = [
        f"# Detector: {series.description}",
        time.strftime("# %Y-%m-%dT%H:%M:%S.000"),
        f"# Pixel_size {series.pixel_m:.6e} m x {series.pixel_m:.6e} m",
        f"# Exposure_time {series.frame_time:.7f} s",
        f"# Exposure_period {series.frame_time:.7f} s",
        "# Count_cutoff 1048574 counts",
        f"# Wavelength {12.398419843 / series.energy:.5f} A",
        f"# Detector_distance {series.distance_m:.5f} m",
        f"# Beam_xy ({column:.2f}, {row:.2f}) pixels",
    ]
    return {
        "_array_data.header_convention": '"PILATUS_1.2"',
        "_array_data.header_contents": "\r\n".join(lines),
    }
