"""Trains as a Karabo bridge sends them, in both versions of its protocol."""

from collections.abc import Iterable, Iterator, Mapping
from typing import Any, Literal

import msgspec
import numpy as np
from numpy.typing import NDArray

Parts = list[bytes]
Version = Literal["1.0", "2.2"]
Source = Mapping[str, Any]
"""Plain values and arrays by key."""


def run_messages(
    images: Iterable[NDArray[Any]],
    *,
    source: str,
    key: str,
    first_train: int,
    version: Version = "2.2",
    beside: Mapping[str, Source] | None = None,
    began: float = 0.0,
    rate: float = 10.0,
) -> Iterator[Parts]:
    """Yield one message for each train.

    Parameters
    ----------
    images
        The array of each train, its axes in whatever order the bridge is to send them.
    source, key
        Where the array stands in a train.
    first_train
        Number of the first train; the others follow without a gap.
    version
        Of the protocol.
    beside
        Other sources, the same in every train.
    began : float, s
        Unix time of the first train.
    rate : float, Hz
    """
    for number, image in enumerate(images):
        train = {**(beside or {}), source: {key: image}}
        yield train_parts(
            train, train=first_train + number, time=began + number / rate, version=version
        )


def train_parts(
    sources: Mapping[str, Source], *, train: int, time: float, version: Version = "2.2"
) -> Parts:
    """Return one train."""
    if version == "1.0":
        content = {
            name: {
                **{key: _numpy(value) for key, value in values.items()},
                "metadata": _metadata(name, train, time),
            }
            for name, values in sources.items()
        }
        return [msgspec.msgpack.encode(content)]
    parts: Parts = []
    for name, values in sorted(sources.items()):
        arrays = {key: v for key, v in values.items() if isinstance(v, np.ndarray)}
        plain = {key: value for key, value in values.items() if key not in arrays}
        header = {"source": name, "content": "msgpack", "metadata": _metadata(name, train, time)}
        parts += [msgspec.msgpack.encode(header), msgspec.msgpack.encode(plain)]
        for key, array in arrays.items():
            described = {
                "source": name,
                "content": "array",
                "path": key,
                "dtype": str(array.dtype),
                "shape": list(array.shape),
            }
            parts += [msgspec.msgpack.encode(described), np.ascontiguousarray(array).tobytes()]
    return parts


def _metadata(name: str, train: int, time: float) -> dict[str, Any]:
    seconds = int(time)
    return {
        "source": name,
        "timestamp": time,
        "timestamp.tid": train,
        "timestamp.sec": str(seconds),
        "timestamp.frac": f"{round((time - seconds) * 1e6):06d}".ljust(18, "0"),
    }


def _numpy(value: Any) -> Any:
    """Return an array as msgpack-numpy puts it: a map whose keys are bytes."""
    if not isinstance(value, np.ndarray):
        return value
    return {
        b"nd": True,
        b"type": value.dtype.str,
        b"kind": b"",
        b"shape": list(value.shape),
        b"data": np.ascontiguousarray(value).tobytes(),
    }
