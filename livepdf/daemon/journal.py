"""Frames and runs as bytes that a later process understands; never pickle."""

from typing import Any, TypeVar

import msgspec
import numpy as np

from livepdf.daemon.spool import Record
from livepdf.errors import FrameError
from livepdf.model.frame import Algorithm, Frame, PackedImage, RunStart

FRAME, CLOSED = 1, 2
"""Kinds of records."""
Value = TypeVar("Value")


class Opened(msgspec.Struct, frozen=True, kw_only=True):
    """A run began."""

    serial: int
    """Of its beginning: frames say by this which run they are of."""
    name: str
    start: RunStart
    below: str = ""
    """Folder of its files below that of the results."""


class Closed(msgspec.Struct, frozen=True, array_like=True):
    """A run is over."""

    opened: int
    time: float
    reason: str
    lost: int


class FrameHead(msgspec.Struct, frozen=True, array_like=True):
    """All of a frame but the bytes of its image."""

    opened: int
    series: str
    index: int
    received: float
    time: float
    exposure: float | None
    monitor: float | None
    origin: str
    environment: dict[str, float]
    algorithm: Algorithm
    shape: tuple[int, int]
    dtype: str
    paused: bool


def encode(value: object) -> bytes:
    """Return bytes of dataclasses and structs, arrays in them included."""
    return msgspec.msgpack.encode(value, enc_hook=_plain)


def decode(data: bytes, kind: type[Value]) -> Value:
    """Return what `encode` was given.

    Raises
    ------
    ValueError
        When the bytes are something else.
    """
    return msgspec.msgpack.decode(data, type=kind, dec_hook=_array)


def frame_head(frame: Frame, *, opened: int, paused: bool) -> bytes:
    """Return the head of a frame's record; its blob is that of the image."""
    image = frame.image
    return encode(
        FrameHead(
            opened,
            frame.series,
            frame.index,
            frame.received,
            frame.time,
            frame.exposure,
            frame.monitor,
            frame.origin,
            dict(frame.environment),
            image.algorithm,
            image.shape,
            image.dtype.str,
            paused,
        )
    )


def frame_of(record: Record) -> tuple[Frame, bool]:
    """Return a frame, and whether the intake was paused.

    Raises
    ------
    FrameError
        ``spool unreadable``.
    """
    try:
        head = decode(record.head, FrameHead)
        dtype = np.dtype(head.dtype)
    except (ValueError, TypeError) as error:
        raise FrameError("spool unreadable", str(error)) from None
    image = PackedImage(blob=record.blob, algorithm=head.algorithm, shape=head.shape, dtype=dtype)
    frame = Frame(
        series=head.series,
        index=head.index,
        image=image,
        received=head.received,
        time=head.time,
        exposure=head.exposure,
        monitor=head.monitor,
        origin=head.origin,
        environment=head.environment,
    )
    return frame, head.paused


def _plain(value: object) -> object:
    if isinstance(value, np.ndarray):
        return {"dtype": value.dtype.str, "shape": value.shape, "bytes": value.tobytes()}
    if isinstance(value, np.generic):
        return value.item()
    raise NotImplementedError(f"cannot keep a {type(value).__name__}")


def _array(kind: type, value: Any) -> Any:
    if getattr(kind, "__origin__", kind) is not np.ndarray:
        raise NotImplementedError(f"cannot read back a {kind}")
    flat = np.frombuffer(value["bytes"], dtype=np.dtype(value["dtype"]))
    return flat.reshape(value["shape"]).copy()
