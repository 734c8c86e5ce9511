"""One message of the DECTRIS legacy stream (JSON and blobs), read into words; no socket, no clock.

Shapes are sent as [x, y], the fast axis first. Parts are told by their ``htype``, not by their
number: appendices come and go, and some senders split the header over several messages. The
``hash`` is not that of the image and is never looked at.
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from livepdf.errors import FrameError
from livepdf.model.frame import Algorithm, PackedImage
from livepdf.sources.described import described, pixel_type, sizes
from livepdf.sources.fields import (
    LONGEST_TEXT,
    Part,
    in_words,
    json_map,
    json_or_none,
    number,
    positive,
    text,
    whole,
)
from livepdf.sources.slow_values import SlowValues, slow_values

ENCODING = re.compile(r"^(?:bs(?P<bits>8|16|32|64))?-?(?P<lz4>lz4)?(?P<order>[<>])$")
NANOSECOND = 1e-9
LONGEST_FIRST = 500
"""Bytes of the first part of a message; they have about 80."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Header:
    """The detector was armed."""

    series: int
    detail: str
    """``none``, ``basic`` or ``all``: what follows, perhaps in messages of its own."""
    settings: Mapping[str, object] | None = None
    """None where this message has none."""
    mask: "NDArray[np.bool_] | FrameError | None" = None
    """(ny, nx), True = ignore."""
    appendix: str = ""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Settings:
    """The detector's settings in a message of their own."""

    settings: Mapping[str, object]


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Table:
    """A flat field, a pixel mask or a count-rate table in a message of its own."""

    mask: "NDArray[np.bool_] | FrameError | None"
    """None for the two others."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Image:
    """One exposure."""

    series: int
    index: int
    image: PackedImage | FrameError = field(repr=False)
    start: float | None
    """s since an origin that only the detector knows."""
    exposure: float | None
    """s"""
    slow: SlowValues
    """Numbers that the beamline appended."""


@dataclass(frozen=True, slots=True, kw_only=True)
class End:
    """The detector says that the series is over."""

    series: int


Message = Header | Settings | Table | Image | End


def parse(parts: Sequence[Part]) -> Message:
    """Read one message of several parts; images stay packed.

    Raises FrameError ``malformed`` or ``unknown message`` where it is none of the protocol. An
    image that has its number but no usable pixels holds the reason in their place.
    """
    if not parts:
        raise FrameError("malformed", "a message without parts")
    first = json_map(parts[0])
    kind = text(first.get("htype"), longest=40)
    if kind.startswith("dimage-"):
        return _image(first, parts)
    if kind.startswith("dheader-"):
        return _header(first, parts)
    if kind.startswith("dseries_end-"):
        return End(series=whole(first, "series"))
    if _table_name(first) is not None:
        return Table(mask=_mask(first, parts[1]) if _is_mask(first, parts[1:]) else None)
    if not kind and "trigger_mode" in first:
        return Settings(settings=first)
    raise FrameError("unknown message", f"htype {in_words(kind)!r}")


def messages(parts: Sequence[Part]) -> list[Sequence[Part]]:
    """Take apart what a sender has joined: one simulator glues an image to the header before it."""
    begins = [place for place, part in enumerate(parts) if _begins(part)]
    if not begins or begins[0] > 0:
        return [parts]
    return [parts[a:b] for a, b in pairwise([*begins, len(parts)])]


def _begins(part: Part) -> bool:
    if len(part) > LONGEST_FIRST or bytes(part[:1]) != b"{":
        return False
    found = json_or_none(part)
    kind = text(found.get("htype")) if isinstance(found, dict) else ""
    return kind.startswith(("dimage-", "dheader-", "dseries_end-"))


def _header(first: Mapping[str, object], parts: Sequence[Part]) -> Header:
    settings: Mapping[str, object] | None = None
    mask: NDArray[np.bool_] | FrameError | None = None
    appendix = ""
    place = 1
    while place < len(parts):
        found = json_or_none(parts[place])
        if isinstance(found, dict) and _table_name(found) is not None:
            if _is_mask(found, parts[place + 1 :]):
                mask = _mask(found, parts[place + 1])
            place += 2
            continue
        if settings is None and isinstance(found, dict) and place == 1:
            settings = found
        else:
            appendix = bytes(parts[place][:LONGEST_TEXT]).decode(errors="replace")
        place += 1
    return Header(
        series=whole(first, "series"),
        detail=text(first.get("header_detail"), longest=10),
        settings=settings,
        mask=mask,
        appendix=appendix,
    )


def _table_name(fields: Mapping[str, object]) -> str | None:
    # One simulator leaves out the d before the name.
    name = text(fields.get("htype"), longest=40).removeprefix("d").partition("-")[0]
    return name if name in ("flatfield", "pixelmask", "countrate_table") else None


def _is_mask(fields: Mapping[str, object], following: Sequence[Part]) -> bool:
    return _table_name(fields) == "pixelmask" and len(following) > 0


def _mask(fields: Mapping[str, object], blob: Part) -> "NDArray[np.bool_] | FrameError":
    try:
        columns, rows = sizes(fields.get("shape"), 2)
        dtype = pixel_type(fields.get("type"))
        described(blob, shape=(rows, columns), dtype=dtype, algorithm="raw")
    except FrameError as error:
        return error
    return np.asarray(np.frombuffer(blob, dtype).reshape(rows, columns) != 0)


def _image(first: Mapping[str, object], parts: Sequence[Part]) -> Image:
    series, index = whole(first, "series"), whole(first, "frame")
    image: PackedImage | FrameError
    try:
        if len(parts) < 3:
            raise FrameError("no image", f"an image message of {len(parts)} parts")
        image = _pixels(json_map(parts[1]), parts[2])
    except FrameError as error:
        image = error
    times, appendix = _rest(parts[3:])
    start = number(times.get("start_time"))
    stop = number(times.get("stop_time"))
    exposure = positive(times.get("real_time"))
    if exposure is None and start is not None and stop is not None:
        exposure = positive(stop - start)
    return Image(
        series=series,
        index=index,
        image=image,
        start=None if start is None else start * NANOSECOND,
        exposure=None if exposure is None else exposure * NANOSECOND,
        slow=slow_values(appendix),
    )


def _rest(parts: Sequence[Part]) -> tuple[Mapping[str, object], object]:
    """Tell the times of an image from what the beamline appended; either may be missing."""
    times: Mapping[str, object] = {}
    appendix: object = None
    for part in parts:
        found = json_or_none(part)
        if isinstance(found, dict) and text(found.get("htype")).startswith("dconfig"):
            times = found
        else:
            appendix = found
    return times, appendix


def _pixels(fields: Mapping[str, object], blob: Part) -> PackedImage:
    columns, rows = sizes(fields.get("shape"), 2)
    algorithm, order, bits = _encoding(fields.get("encoding"))
    dtype = pixel_type(fields.get("type"), order=order)
    if bits is not None and bits != 8 * dtype.itemsize:
        raise FrameError("wrong element size", f"{bits} bits for pixels of {dtype.itemsize} bytes")
    size = fields.get("size")
    if isinstance(size, int) and len(blob) < size:
        raise FrameError("truncated", f"{len(blob)} bytes of {in_words(size)}")
    return described(blob, shape=(rows, columns), dtype=dtype, algorithm=algorithm)


def _encoding(value: object) -> tuple[Algorithm, str, int | None]:
    found = ENCODING.match(value) if isinstance(value, str) else None
    if found is None or (found["bits"] and not found["lz4"]):
        raise FrameError("unsupported compression", in_words(value))
    if not found["lz4"]:
        return "raw", found["order"], None
    if not found["bits"]:
        return "lz4-block", found["order"], None
    return "bslz4", found["order"], int(found["bits"])
