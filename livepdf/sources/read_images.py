"""Read the images of one file; meant to run in a process that may be killed."""

import re
from pathlib import Path

import fabio
import numpy as np
from numpy.typing import NDArray

from livepdf.errors import FrameError
from livepdf.model.frame import PackedImage
from livepdf.sources.batch import HDF5, Batch, ReadImage
from livepdf.sources.complete import check_complete
from livepdf.sources.qxrd import Sidecar, read_sidecar

EXPOSURE = re.compile(r"Exposure_time\s*[=:]?\s*([\d.]+(?:[eE][+-]?\d+)?)")
NUMBERS = "iuf"


def read_batch(path: Path, *, first: int, most_bytes: int, sidecar: bool = False) -> Batch:
    """Read the images of a file from number ``first`` on, at least one, up to ``most_bytes``.

    Raises FrameError: ``incomplete`` where more bytes have to come first, ``corrupt``,
    ``unreadable``, ``unsupported dtype`` or ``no image``.
    """
    if path.suffix.lower() in HDF5:
        from livepdf.sources.stacks import read_stack  # h5py only where a file asks for it

        return read_stack(path, first=first, most_bytes=most_bytes)
    check_complete(path)
    return _read_pages(
        path,
        first=first,
        most_bytes=most_bytes,
        sidecar=read_sidecar(path) if sidecar else Sidecar(),
    )


def _read_pages(path: Path, *, first: int, most_bytes: int, sidecar: Sidecar) -> Batch:
    images: list[ReadImage] = []
    with fabio.open(str(path)) as file:
        total = int(file.nframes)
        taken = 0
        for number in range(first, total):
            frame = file if number == 0 else file.getframe(number)
            image = packed(frame.data)
            exposure = sidecar.exposure if sidecar.found else _exposure(dict(frame.header))
            images.append(ReadImage(number=number, image=image, exposure=exposure))
            taken += image.image_bytes
            if taken >= most_bytes:
                break
    return Batch(images=images, more=first + len(images) < total, stack=total > 1, sidecar=sidecar)


def packed(pixels: NDArray[np.generic] | None) -> PackedImage:
    """Wrap an array as an image; FrameError where it is none."""
    if pixels is None:
        raise FrameError("incomplete", "the reader found no pixels")
    if pixels.ndim != 2 or not pixels.size:
        raise FrameError("no image", f"an array of shape {pixels.shape}")
    if pixels.dtype.kind not in NUMBERS or pixels.dtype.itemsize > 8:
        raise FrameError("unsupported dtype", str(pixels.dtype))
    rows, columns = pixels.shape
    blob = np.ascontiguousarray(pixels).reshape(-1).view(np.uint8).data
    return PackedImage(blob=blob, algorithm="raw", shape=(rows, columns), dtype=pixels.dtype)


def _exposure(header: dict[str, object]) -> float | None:
    """Find the exposure in s in a CBF or EDF header."""
    text = str(header.get("_array_data.header_contents", ""))
    found = EXPOSURE.search(text)
    values = [found[1]] if found else []
    values += [
        str(header[k]) for k in ("exposure_time", "ExposureTime", "count_time") if k in header
    ]
    for value in values:
        try:
            seconds = float(value)
        except ValueError:
            continue
        if seconds > 0:
            return seconds
    return None
