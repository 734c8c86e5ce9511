"""One message of MAX IV STINS, what the streaming-receiver pushes on: JSON, then blobs."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from struct import pack

import numpy as np

from livepdf.errors import FrameError
from livepdf.model.frame import PackedImage
from livepdf.numerics.unpack import unpack
from livepdf.sources.described import described, pixel_type, sizes
from livepdf.sources.fields import (
    Part,
    date,
    in_words,
    json_map,
    json_or_none,
    positive,
    text,
    whole,
)
from livepdf.sources.slow_values import SlowValues, slow_values
from livepdf.sources.typed_array import LARGEST_IMAGE

BLOCK = 8192
"""Bytes of a bitshuffle block where the sender leaves the header of a blob out."""
OWN = frozenset({"htype", "msg_number", "frame", "shape", "type", "compression", "exposure_time"})
"""Keys of an image that are no slow values."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Header:
    """A series begins."""

    message: int
    filename: str
    settings: Mapping[str, object]


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Image:
    """One exposure."""

    message: int
    frame: int
    """As the sender counts, from 0 or 1."""
    image: PackedImage | FrameError = field(repr=False)
    time: float | None
    exposure: float | None
    slow: SlowValues


@dataclass(frozen=True, slots=True, kw_only=True)
class End:
    """A series is over."""

    message: int


Message = Header | Image | End


def parse(parts: Sequence[Part], *, module: int | None = None) -> Message:
    """Read one message; images stay packed.

    Parameters
    ----------
    parts
        JSON, then blobs, or for a header more JSON.
    module
        Which image is taken where there are several; None stacks them.

    Raises
    ------
    FrameError
        ``malformed`` or ``unknown message`` where it is none of the protocol. An image that has
        its number but no usable pixels holds the reason in their place.
    """
    if not parts:
        raise FrameError("malformed", "a message without parts")
    first = json_map(parts[0])
    message = whole(first, "msg_number")
    kind = first.get("htype")
    if kind == "header":
        more = json_or_none(parts[1]) if len(parts) > 1 else None
        settings = more if isinstance(more, dict) else {}
        return Header(message=message, filename=text(first.get("filename")), settings=settings)
    if kind == "image":
        return _image(first, parts[1:], message=message, module=module)
    if kind == "series_end":
        return End(message=message)
    raise FrameError("unknown message", f"htype {in_words(kind)}")


def _image(
    first: Mapping[str, object], blobs: Sequence[Part], *, message: int, module: int | None
) -> Image:
    image: PackedImage | FrameError
    try:
        image = _pixels(first, blobs, module)
    except FrameError as error:
        image = error
    stamps = first.get("timestamps")
    return Image(
        message=message,
        frame=whole(first, "frame"),
        image=image,
        time=date(stamps.get("dcu")) if isinstance(stamps, dict) else None,
        exposure=positive(first.get("exposure_time")),
        slow=slow_values({key: value for key, value in first.items() if key not in OWN}),
    )


def _pixels(fields: Mapping[str, object], blobs: Sequence[Part], module: int | None) -> PackedImage:
    if not blobs:
        raise FrameError("no image", "an image message without a blob")
    dtype = pixel_type(fields.get("type"))
    shape = sizes(fields.get("shape"))
    if len(shape) not in (2, 3):
        raise FrameError("malformed", f"shape {in_words(shape)}")
    count = shape[0] if len(shape) == 3 else 1
    rows, columns = shape[-2:]
    compression = fields.get("compression")
    if compression == "none":
        data = blobs[0] if len(blobs) == 1 else b"".join(blobs)
        stack = described(data, shape=(count * rows, columns), dtype=dtype, algorithm="raw")
        return stack if count == 1 or module is None else _part(stack, count, module)
    if compression != "bslz4":
        raise FrameError("unsupported compression", in_words(compression))
    if count == 1 or (len(blobs) == 1 and module is None):
        return _shuffled(blobs[0], shape=(count * rows, columns), dtype=dtype)
    if len(blobs) != count:
        raise FrameError("wrong size", f"{len(blobs)} blobs for {count} images")
    images = [_shuffled(blob, shape=(rows, columns), dtype=dtype) for blob in blobs]
    if module is None:
        return _stacked(images)
    if module >= count:
        raise FrameError("channel missing", f"module {module} of {count}")
    return images[module]


def _part(stack: PackedImage, count: int, module: int) -> PackedImage:
    if module >= count:
        raise FrameError("channel missing", f"module {module} of {count}")
    size = stack.image_bytes // count
    return replace(
        stack,
        blob=memoryview(stack.blob)[module * size : (module + 1) * size],
        shape=(stack.shape[0] // count, stack.shape[1]),
    )


def _shuffled(blob: Part, *, shape: tuple[int, int], dtype: np.dtype[np.generic]) -> PackedImage:
    size = shape[0] * shape[1] * dtype.itemsize
    announced = int.from_bytes(blob[:8], "big")
    if announced != size and not any(blob[:4]):
        # Zeros begin a header, of the wrong size then; the length of a first block is never 0.
        raise FrameError("wrong size", f"header says {announced} bytes for {size}")
    if announced != size:
        blob = pack(">QI", size, BLOCK) + bytes(blob)
    return described(blob, shape=shape, dtype=dtype, algorithm="bslz4")


def _stacked(images: Sequence[PackedImage]) -> PackedImage:
    # Modules of one detector make one image; only detectors of a few modules send them apart.
    total = sum(image.image_bytes for image in images)
    if total > LARGEST_IMAGE:
        raise FrameError("too large", f"{len(images)} images of {total} bytes together")
    try:
        pixels = np.vstack(
            [
                unpack(image.blob, algorithm="bslz4", shape=image.shape, dtype=image.dtype)
                for image in images
            ]
        )
    except ValueError as error:
        raise FrameError("undecodable", str(error)) from error
    shape = (pixels.shape[0], pixels.shape[1])
    return PackedImage(blob=pixels.tobytes(), algorithm="raw", shape=shape, dtype=pixels.dtype)
