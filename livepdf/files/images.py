"""Read single detector images: data, masks, darks and flats."""

import re
import struct
import zlib
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from livepdf.errors import FileError

HDF5_SUFFIXES = (".h5", ".hdf5", ".hdf", ".nxs", ".nx", ".cxi")

# What the readers raise on files that are damaged or of another kind.
_READER_FAILURES = (
    OSError,
    ValueError,
    LookupError,
    TypeError,
    AttributeError,
    RuntimeError,
    ArithmeticError,
    EOFError,
    AssertionError,
    struct.error,
    zlib.error,
)
_NUMBERED = re.compile(r"(.*_)\d+$")


def read_image(path: Path | str, *, frame: int = 0) -> NDArray[Any]:
    """Read one image with the values, the type and the orientation that the file has.

    Reads what fabio reads (TIFF, CBF, EDF, mar, …), ``.npy``, and HDF5 with the filters of
    hdf5plugin: the dataset is named as ``file.h5::/entry/data/data``, or found: the one stack of
    images, or the stacks ``data_000001``, ``data_000002``, … of a DECTRIS master file in a row,
    or else the one single image.

    Parameters
    ----------
    path : Path or str
    frame : int
        Number of the image in the file, from 0.

    Returns
    -------
    image : (ny, nx), native byte order

    Raises
    ------
    FileError
        Missing, damaged, of an unknown kind, without such a frame, or with several datasets that
        could be meant.
    """
    name, _, dataset = str(path).partition("::")
    file = Path(name)
    if not file.is_file():
        raise FileError(f"{file}: no such file")
    if frame < 0:
        raise FileError(f"{file}: frame {frame} asked for, they count from 0")
    try:
        image = _read(file, dataset=dataset, frame=frame)
    except _READER_FAILURES as error:
        raise FileError(f"{file}: cannot be read: {str(error) or type(error).__name__}") from error
    if image is None:
        raise FileError(f"{file}: truncated: it has a header but no pixels")
    return _checked(file, np.asarray(image))


def read_mask(path: Path | str) -> NDArray[np.bool_]:
    """Read a mask as pyFAI and most programs write it: not 0 means ignore.

    Returns
    -------
    mask : (ny, nx) bool
        True = ignore; in the orientation of the file.

    Raises
    ------
    FileError
        As :func:`read_image`.
    """
    mask = read_image(path)
    # NaN is not 0 either.
    return np.asarray(mask != 0)


def read_float_image(path: Path | str) -> NDArray[np.float64]:
    """Read a dark or a flat.

    Returns
    -------
    image : (ny, nx) float64

    Raises
    ------
    FileError
        As :func:`read_image`.
    """
    return read_image(path).astype(np.float64)


def _read(file: Path, *, dataset: str, frame: int) -> NDArray[Any] | None:
    suffix = file.suffix.lower()
    if suffix in HDF5_SUFFIXES or dataset:
        return _read_hdf5(file, dataset=dataset, frame=frame)
    if suffix == ".npy":
        return _one(np.load(file, allow_pickle=False), frame=frame)
    import fabio

    with fabio.open(str(file)) as image:
        if frame >= image.nframes:
            raise IndexError(f"frame {frame} asked for, it has {image.nframes}")
        chosen: NDArray[Any] | None = (image if frame == 0 else image.get_frame(frame)).data
        return chosen


def _read_hdf5(file: Path, *, dataset: str, frame: int) -> NDArray[Any]:
    import h5py
    import hdf5plugin  # noqa: F401  (brings the decompressors)

    with h5py.File(file, "r") as opened:
        if dataset:
            return _one(opened[dataset], frame=frame)
        stacks = _image_stacks(opened)
        asked = frame
        for stack in stacks:
            count = 1 if stack.ndim == 2 else stack.shape[0]
            if frame < count:
                return _one(stack, frame=frame)
            frame -= count
        raise IndexError(f"frame {asked} asked for, it has {asked - frame}")


def _one(stack: Any, *, frame: int) -> NDArray[Any]:
    if stack.ndim == 2 and frame == 0:
        return np.asarray(stack[()])
    if stack.ndim == 3 and frame < stack.shape[0]:
        return np.asarray(stack[frame])
    raise IndexError(f"frame {frame} asked for from an array of shape {stack.shape}")


def _image_stacks(opened: Any) -> list[Any]:
    found = _datasets(opened)
    for dimensions in (3, 2):
        stacks = {name: data for name, data in found.items() if data.ndim == dimensions}
        if not stacks:
            continue
        families = {_family(name) for name in stacks}
        if len(families) > 1:
            names = ", ".join(sorted(stacks))
            raise ValueError(f"several datasets could be meant, add ::DATASET for one of {names}")
        return [stacks[name] for name in sorted(stacks)]
    raise ValueError("it holds no image")


def _datasets(group: Any, *, depth: int = 12) -> dict[str, Any]:
    import h5py

    found: dict[str, Any] = {}
    for key in group:
        # A master file may name data files that were never written.
        try:
            item = group[key]
        except (KeyError, OSError):
            continue
        if isinstance(item, h5py.Group) and depth:
            found |= _datasets(item, depth=depth - 1)
        elif isinstance(item, h5py.Dataset) and _holds_images(item):
            found.setdefault(f"{group.name}/{key}".replace("//", "/"), item)
    return _without_aliases(found)


def _without_aliases(found: dict[str, Any]) -> dict[str, Any]:
    import h5py

    unique: dict[Any, str] = {}
    for name, data in sorted(found.items()):
        place = h5py.h5o.get_info(data.id)
        unique.setdefault((place.fileno, place.addr), name)
    return {name: found[name] for name in unique.values()}


def _holds_images(item: Any) -> bool:
    return item.ndim in (2, 3) and item.dtype.kind in "iufb" and min(item.shape[-2:]) > 1


def _family(name: str) -> str:
    match = _NUMBERED.match(name)
    return match.group(1) if match else name


def _checked(file: Path, image: NDArray[Any]) -> NDArray[Any]:
    if image.ndim != 2 or image.size == 0:
        raise FileError(f"{file}: found an array of shape {image.shape}, wanted one image")
    if image.dtype.kind not in "iufb":
        raise FileError(f"{file}: found {image.dtype} pixels, wanted numbers")
    return image.astype(image.dtype.newbyteorder("="), copy=False)
