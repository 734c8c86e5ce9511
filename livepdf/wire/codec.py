"""Messages to and from ZeroMQ parts: a msgpack header, then raw little-endian arrays."""

from collections.abc import Sequence
from typing import Any, TypeVar

import msgspec
import numpy as np
from numpy.typing import NDArray

from livepdf.wire.messages import PublishedMessage, Reply, Request

T = TypeVar("T")
Array = NDArray[Any]

_LARGEST_BUFFER = 1 << 30
_MOST_AXES = 4
_DTYPES = {"<f4", "<f8", "<u2", "<i8", "|b1"}
"""Kinds of numbers that may travel; anything else is refused before it is looked at."""


class WireError(ValueError):
    """A message that does not follow the protocol; the text says how."""


class _Buffer(msgspec.Struct, frozen=True):
    dtype: str
    shape: tuple[int, ...]


class _Envelope(msgspec.Struct, frozen=True):
    message: msgspec.Raw
    buffers: tuple[_Buffer, ...] = ()


_encoder = msgspec.msgpack.Encoder()
_envelope = msgspec.msgpack.Decoder(_Envelope)
_published: msgspec.msgpack.Decoder[PublishedMessage] = msgspec.msgpack.Decoder(PublishedMessage)
_request: msgspec.msgpack.Decoder[Request] = msgspec.msgpack.Decoder(Request)
_reply: msgspec.msgpack.Decoder[Reply] = msgspec.msgpack.Decoder(Reply)


def encode(message: msgspec.Struct, arrays: Sequence[Array] = ()) -> list[bytes | memoryview]:
    """Pack a message and its arrays; the arrays are not copied where they are contiguous."""
    plain = [np.ascontiguousarray(a, dtype=a.dtype.newbyteorder("<")) for a in arrays]
    envelope = _Envelope(
        message=msgspec.Raw(_encoder.encode(message)),
        buffers=tuple(_Buffer(dtype=a.dtype.str, shape=a.shape) for a in plain),
    )
    return [_encoder.encode(envelope), *(a.data.cast("B") if a.size else b"" for a in plain)]


def decode_published(parts: Sequence[bytes]) -> tuple[PublishedMessage, list[Array]]:
    """Unpack one message of the results socket.

    Raises
    ------
    WireError
        For anything that is not such a message.
    """
    return _decode(parts, _published)


def decode_request(parts: Sequence[bytes]) -> Request:
    """Unpack a request; requests carry no arrays.

    Raises
    ------
    WireError
        For anything that is not a request.
    """
    message, arrays = _decode(parts, _request)
    if arrays:
        raise WireError("a request carries no arrays")
    return message


def decode_reply(parts: Sequence[bytes]) -> tuple[Reply, list[Array]]:
    """Unpack a reply.

    Raises
    ------
    WireError
        For anything that is not a reply.
    """
    return _decode(parts, _reply)


def _decode(parts: Sequence[bytes], decoder: msgspec.msgpack.Decoder[T]) -> tuple[T, list[Array]]:
    if not parts:
        raise WireError("an empty message")
    try:
        envelope = _envelope.decode(parts[0])
        message = decoder.decode(envelope.message)
    except (msgspec.DecodeError, RecursionError, UnicodeDecodeError) as error:
        raise WireError(str(error)) from None
    if len(envelope.buffers) != len(parts) - 1:
        raise WireError(f"{len(parts) - 1} buffers came, {len(envelope.buffers)} were announced")
    return message, [_array(b, p) for b, p in zip(envelope.buffers, parts[1:], strict=True)]


def _array(buffer: _Buffer, part: bytes) -> Array:
    if buffer.dtype not in _DTYPES:
        raise WireError(f"arrays of {buffer.dtype!r} are not sent")
    if len(buffer.shape) > _MOST_AXES:
        raise WireError(f"an array of {len(buffer.shape)} axes, wanted {_MOST_AXES} at most")
    dtype = np.dtype(buffer.dtype)
    size = dtype.itemsize
    for length in buffer.shape:
        if not 0 <= length <= _LARGEST_BUFFER:
            raise WireError(f"a length in {buffer.shape} that no array has")
        size *= length
    if size > _LARGEST_BUFFER or size != len(part):
        raise WireError(f"a buffer of {len(part)} bytes for {buffer.dtype}{buffer.shape}")
    return np.frombuffer(part, dtype=dtype).reshape(buffer.shape)
