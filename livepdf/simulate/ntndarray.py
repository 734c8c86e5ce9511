"""NTNDArray structures as areaDetector's PVA plugin publishes them."""

from collections.abc import Mapping
from math import floor
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from livepdf.simulate.stream2 import bitshuffle_lz4

Codec = Literal["", "bslz4"]
_HEADER = 12
_SCALAR_TYPE = {"i1": 1, "i2": 2, "i4": 3, "i8": 4, "u1": 5, "u2": 6, "u4": 7, "u8": 8,
                "f4": 9, "f8": 10}  # fmt: skip
"""pvData's ScalarType, by numpy's name."""
MEMBER = {"b1": "boolean", "i1": "byte", "i2": "short", "i4": "int", "i8": "long", "u1": "ubyte",
          "u2": "ushort", "u4": "uint", "u8": "ulong", "f4": "float", "f8": "double"}  # fmt: skip
"""Member of the union ``value`` without its ending ``Value``, by numpy's name."""
_STAMP = ("S", "time_t", [("secondsPastEpoch", "l"), ("nanoseconds", "i"), ("userTag", "i")])
_ALARM = ("S", "alarm_t", [("severity", "i"), ("status", "i"), ("message", "s")])
_ARRAYS = [
    ("booleanValue", "a?"), ("byteValue", "ab"), ("shortValue", "ah"), ("intValue", "ai"),
    ("longValue", "al"), ("ubyteValue", "aB"), ("ushortValue", "aH"), ("uintValue", "aI"),
    ("ulongValue", "aL"), ("floatValue", "af"), ("doubleValue", "ad"),
]  # fmt: skip
TYPE = (
    "S",
    "epics:nt/NTNDArray:1.0",
    [
        ("value", ("U", "", _ARRAYS)),
        ("codec", ("S", "codec_t", [("name", "s"), ("parameters", "v")])),
        ("compressedSize", "l"),
        ("uncompressedSize", "l"),
        ("uniqueId", "i"),
        ("dataTimeStamp", _STAMP),
        ("alarm", _ALARM),
        ("timeStamp", _STAMP),
        (
            "dimension",
            (
                "aS",
                "dimension_t",
                [
                    ("size", "i"),
                    ("offset", "i"),
                    ("fullSize", "i"),
                    ("binning", "i"),
                    ("reverse", "?"),
                ],
            ),
        ),
        (
            "attribute",
            (
                "aS",
                "epics:nt/NTAttribute:1.0",
                [
                    ("name", "s"),
                    ("value", "v"),
                    ("descriptor", "s"),
                    ("sourceType", "i"),
                    ("source", "s"),
                ],
            ),
        ),
    ],
)
"""Type of the structure, as p4p spells it."""


def ntndarray(
    image: NDArray[Any],
    *,
    unique_id: int,
    time: float,
    codec: Codec = "",
    attributes: Mapping[str, float | str] | None = None,
) -> dict[str, Any]:
    """Return the fields of the structure that holds an image.

    Parameters
    ----------
    image : (ny, nx)
    unique_id : int
        The driver's counter.
    time : float
        Unix seconds, by the server's and the detector's clock.
    codec
        How it is compressed.
    attributes
        What the plugin attaches beside ``ColorMode``.
    """
    flat = np.ascontiguousarray(image).reshape(-1)
    packed = flat if codec == "" else np.frombuffer(bitshuffle_lz4(image)[_HEADER:], np.uint8)
    scalar = None if codec == "" else _SCALAR_TYPE[image.dtype.str[1:]]
    attached = {"ColorMode": 0, **(attributes or {})}
    return {
        "value": packed,
        "codec": {"name": codec, "parameters": scalar},
        "compressedSize": packed.nbytes,
        "uncompressedSize": flat.nbytes,
        "uniqueId": unique_id,
        "dataTimeStamp": _stamp(time),
        "timeStamp": _stamp(time),
        "dimension": [_dimension(size) for size in image.shape[::-1]],
        "attribute": [_attribute(name, value) for name, value in attached.items()],
    }


def _stamp(time: float) -> dict[str, int]:
    whole = floor(time)
    return {"secondsPastEpoch": whole, "nanoseconds": round((time - whole) * 1e9), "userTag": 0}


def _dimension(size: int) -> dict[str, Any]:
    return {"size": size, "offset": 0, "fullSize": size, "binning": 1, "reverse": False}


def _attribute(name: str, value: float | str) -> dict[str, Any]:
    return {"name": name, "value": value, "descriptor": "", "sourceType": 0, "source": ""}
