"""Where the images of bluesky documents lie: files that documents only refer to."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import unquote, urlsplit

from livepdf.errors import FrameError
from livepdf.sources.fields import text

MOST_IMAGES = 100_000
"""That one document may refer to."""
MOST_PER_POINT = 10_000
SPECS_OF_HDF5 = ("AD_HDF5", "HDF5")
TEMPLATE_LENGTH = 200
TEMPLATE = re.compile(r"(?:[^%{}]|\{(?::0?\d{1,2}d)?\}|%s|%(?:0?\d{0,2}|\d{1,2}\.\d{1,2})d)+")
"""Only plain numbers and texts: a template could otherwise look into objects or fill the memory."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """One image in one file."""

    path: Path
    number: int
    """Place in the file, from 0."""
    dataset: str | None = None
    """In an HDF5 file that may hold several."""


def of_stream(
    resource: Mapping[str, Any], *, numbers: range, paths: Mapping[str, str]
) -> list[Place]:
    """Return the images that a ``stream_datum`` with these indices refers to.

    Raises FrameError ``unsupported reference`` for what is no file of images, ``malformed`` for
    what is no reference.
    """
    if len(numbers) > MOST_IMAGES:
        raise FrameError("malformed", f"{len(numbers)} images in one document")
    uri = text(resource.get("uri"))
    split = urlsplit(uri)
    if split.scheme != "file":
        raise FrameError("unsupported reference", f"{uri[:100]!r} is no file")
    path = _local(unquote(split.path), paths)
    parameters = resource.get("parameters", resource.get("resource_kwargs"))
    parameters = parameters if isinstance(parameters, Mapping) else {}
    kind = text(resource.get("mimetype"))
    if "hdf5" in kind:
        dataset = text(parameters.get("dataset", parameters.get("path"))) or None
        return [Place(path=path, number=n, dataset=dataset) for n in numbers]
    if "tif" in kind or "template" in parameters:
        template = text(parameters.get("template"))
        return [Place(path=path / _filled(template, n), number=0) for n in numbers]
    raise FrameError("unsupported reference", f"files of type {kind[:100]!r}")


def of_datum(
    resource: Mapping[str, Any], datum: Mapping[str, Any], *, paths: Mapping[str, str]
) -> list[Place]:
    """Return the images that a ``datum`` of the older documents refers to; raises as above."""
    spec = text(resource.get("spec"))
    whole = Path(text(resource.get("root"))) / text(resource.get("resource_path")).lstrip("/")
    given = resource.get("resource_kwargs")
    kwargs = given if isinstance(given, Mapping) else {}
    point = datum.get("datum_kwargs")
    point = point if isinstance(point, Mapping) else {}
    path = _local(str(whole), paths)
    if spec.startswith(SPECS_OF_HDF5):
        return [Place(path=path, number=n) for n in _points(kwargs, point)]
    if spec == "AD_TIFF":
        template, name = text(kwargs.get("template")), text(kwargs.get("filename"))
        names = [_filled(template, n, str(path) + "/", name) for n in _points(kwargs, point)]
        return [Place(path=Path(name), number=0) for name in names]
    if spec == "NPY_SEQ":
        index = _count(point.get("index"))
        return [Place(path=path.with_name(f"{path.name}_{index}.npy"), number=0)]
    raise FrameError("unsupported reference", f"files of spec {spec[:100]!r}")


def _points(kwargs: Mapping[str, Any], point: Mapping[str, Any]) -> range:
    each = _count(kwargs.get("frame_per_point", 1))
    if not 1 <= each <= MOST_PER_POINT:
        raise FrameError("malformed", f"frame_per_point {each}")
    first = _count(point.get("point_number", 0)) * each
    return range(first, first + each)


def _filled(template: str, number: int, folder: str = "", name: str = "") -> str:
    """Fill a file name template: ``img_{:05d}.tif``, or areaDetector's ``%s%s_%6.6d.tiff``."""
    try:
        if len(template) > TEMPLATE_LENGTH or not TEMPLATE.fullmatch(template):
            raise ValueError("no plain place for a number")
        if "{" in template:
            filled = template.format(number)
        else:
            filled = template % ((folder, name, number) if folder else (number,))
    except (ValueError, TypeError, IndexError, KeyError, AttributeError, MemoryError) as error:
        raise FrameError("malformed", f"template {template[:60]!r}: {error}"[:200]) from error
    if len(filled) > 4 * TEMPLATE_LENGTH or (not folder and ".." in Path(filled).parts):
        raise FrameError("malformed", f"template {template[:60]!r}")
    return filled


def _local(path: str, paths: Mapping[str, str]) -> Path:
    """Translate a path of the machine that wrote the file; the longest prefix wins."""
    for theirs in sorted(paths, key=len, reverse=True):
        if path == theirs or path.startswith(theirs.rstrip("/") + "/"):
            return Path(paths[theirs] + path[len(theirs.rstrip("/")) :])
    return Path(path)


def _count(value: object) -> int:
    if not isinstance(value, int) or isinstance(value, bool) or not 0 <= value < 1 << 40:
        raise FrameError("malformed", f"number {str(value)[:40]}")
    return value
