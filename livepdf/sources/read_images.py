"""Read the images of one file; meant to run in a process that may be killed."""

import re
from dataclasses import replace
from pathlib import Path

import fabio

from livepdf.errors import FrameError
from livepdf.sources.batch import HDF5, Batch, ReadImage, Unusable
from livepdf.sources.complete import check_complete
from livepdf.sources.packing import packed
from livepdf.sources.qxrd import Sidecar, read_sidecar

EXPOSURE = re.compile(r"Exposure_time\s*[=:]?\s*([\d.]+(?:[eE][+-]?\d+)?)")


def read_batch(
    path: Path,
    *,
    first: int,
    most_bytes: int,
    sidecar: bool = False,
    dataset: str | None = None,
) -> Batch:
    """Read the images of a file from number ``first`` on, at least one, up to ``most_bytes``.

    Raises FrameError: ``incomplete`` where more bytes have to come first, ``corrupt``,
    ``unreadable``, ``unsupported dtype``, ``no image`` or another reason with what to do.
    """
    try:
        modified = path.stat().st_mtime
    except OSError as error:
        raise FrameError("unreadable", error.strerror or str(error)) from error
    if path.is_dir():
        from livepdf.sources.euxfel import read_run_folder  # h5py only where a file asks for it

        batch = read_run_folder(path, dataset=dataset, first=first, most_bytes=most_bytes)
    elif path.suffix.lower() in HDF5 or dataset is not None:
        from livepdf.sources.hdf5_series import read_hdf5

        batch = read_hdf5(path, dataset=dataset, first=first, most_bytes=most_bytes)
    else:
        check_complete(path)
        metadata = read_sidecar(path) if sidecar else Sidecar()
        batch = _read_pages(path, first=first, most_bytes=most_bytes, sidecar=metadata)
    return replace(batch, modified=modified)


def _read_pages(path: Path, *, first: int, most_bytes: int, sidecar: Sidecar) -> Batch:
    images: list[ReadImage | Unusable] = []
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
