"""One message of DECTRIS Stream V2 (CBOR), read into words; no socket, no clock, no state."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from math import isfinite

import cbor2

from livepdf.errors import FrameError
from livepdf.sources.cbor_views import loads
from livepdf.sources.fields import (
    LARGEST_INDEX,
    LONGEST_TEXT,
    Scalar,
    date,
    in_words,
    number,
    positive,
    scalar,
)
from livepdf.sources.ordering import SeriesId
from livepdf.sources.slow_values import SlowValues, slow_values

MAGIC = b"\xd9\xd9\xf7"
KEPT = (
    "beam_center_x", "beam_center_y", "count_time", "countrate_correction_enabled",
    "detector_description", "detector_serial_number", "flatfield_enabled", "frame_time",
    "incident_energy", "number_of_images", "pixel_mask_enabled", "pixel_size_x", "pixel_size_y",
    "saturation_value", "sensor_material", "sensor_thickness",
    "virtual_pixel_interpolation_enabled",
)  # fmt: skip
"""Keys of a start that go into the metadata of the run as they are."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Start:
    """The detector was armed."""

    series: SeriesId
    time: float | None
    """Unix seconds of arming."""
    channels: tuple[str, ...]
    expected: int | None
    wavelength: float | None
    """Å, as typed in by somebody."""
    saturation: float | None
    """Largest count that means something."""
    masks: Mapping[str, object]
    """Tagged array by channel, nonzero = ignore."""
    metadata: Mapping[str, Scalar]


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Image:
    """One exposure, every channel of it still packed."""

    series: SeriesId
    index: int
    time: float | None
    """Unix seconds when the exposure began."""
    exposure: float | None
    """s"""
    slow: SlowValues
    """Numbers that the beamline put into the image's user data."""
    data: Mapping[str, object] = field(repr=False)
    """Tagged array by channel."""


@dataclass(frozen=True, slots=True, kw_only=True)
class End:
    """The detector says that the series is over."""

    series: SeriesId


@dataclass(frozen=True, slots=True, kw_only=True)
class Unknown:
    """A message of a type that is none of ours."""

    type: str


Message = Start | Image | End | Unknown


def parse(message: bytes | memoryview) -> Message:
    """Read one message. Extra keys are passed over; arrays stay packed, as views of the message.

    Raises FrameError ``malformed`` where the bytes are no such message, or one without what it
    must have: the series, and for an image its number and data.
    """
    fields = _decode(message)
    kind = fields.get("type")
    if kind == "image":
        return _image(fields)
    if kind == "start":
        return _start(fields)
    if kind == "end":
        return End(series=_series(fields))
    return Unknown(type=in_words(kind))


def _decode(message: bytes | memoryview) -> Mapping[object, object]:
    begin = len(MAGIC) if bytes(message[: len(MAGIC)]) == MAGIC else 0
    if not message:
        raise FrameError("malformed", "an empty message")
    if len(message) <= begin or message[begin] >> 5 != 5:
        raise FrameError("malformed", f"no CBOR map: begins {message[: begin + 8].hex(' ')}")
    try:
        decoded = loads(message)
    except (cbor2.CBORError, ValueError, TypeError, OverflowError, RecursionError) as error:
        raise FrameError("malformed", str(error)[:200]) from error
    except MemoryError as error:
        raise FrameError("too large", "a CBOR item that does not fit into memory") from error
    if not isinstance(decoded, Mapping):
        raise FrameError("malformed", f"{type(decoded).__name__} where a map was wanted")
    return decoded


def _image(fields: Mapping[object, object]) -> Image:
    index = fields.get("image_id")
    if not isinstance(index, int) or isinstance(index, bool) or not 0 <= index < LARGEST_INDEX:
        raise FrameError("malformed", f"image_id {in_words(index)}")
    data = fields.get("data")
    if not isinstance(data, Mapping) or not data:
        raise FrameError("no image", "an image message without data")
    start, stop = _seconds(fields.get("start_time")), _seconds(fields.get("stop_time"))
    exposure = _seconds(fields.get("real_time"))
    if exposure is None and start is not None and stop is not None:
        exposure = stop - start
    began = date(fields.get("series_date"))
    return Image(
        series=_series(fields),
        index=index,
        time=None if began is None else began + (start or 0.0),
        exposure=exposure if exposure is not None and exposure > 0 else None,
        slow=slow_values(fields.get("user_data")),
        data={in_words(channel): array for channel, array in data.items()},
    )


def _start(fields: Mapping[object, object]) -> Start:
    channels = fields.get("channels")
    masks = fields.get("pixel_mask")
    expected = number(fields.get("number_of_images"))
    wavelength = number(fields.get("incident_wavelength"))
    return Start(
        series=_series(fields),
        time=date(fields.get("arm_date")),
        channels=tuple(map(in_words, channels)) if isinstance(channels, list | tuple) else (),
        expected=int(expected) if expected is not None and 0 < expected < LARGEST_INDEX else None,
        wavelength=wavelength if wavelength is not None and wavelength > 0 else None,
        saturation=positive(fields.get("saturation_value")),
        masks={in_words(k): v for k, v in masks.items()} if isinstance(masks, Mapping) else {},
        metadata=_metadata(fields),
    )


def _metadata(fields: Mapping[object, object]) -> dict[str, Scalar]:
    kept: dict[str, Scalar] = {}
    for key in KEPT:
        value = scalar(fields.get(key))
        if value is not None:
            kept[key] = value
    thresholds = fields.get("threshold_energy")
    if isinstance(thresholds, Mapping):
        for channel, energy in thresholds.items():
            kept[f"threshold_energy {in_words(channel)}"] = number(energy)
    if fields.get("user_data") is not None:
        kept["user_data"] = in_words(fields["user_data"], longest=LONGEST_TEXT)
    return kept


def _series(fields: Mapping[object, object]) -> SeriesId:
    series = fields.get("series_id")
    if not isinstance(series, int) or isinstance(series, bool) or abs(series) >= LARGEST_INDEX:
        raise FrameError("malformed", f"series_id {in_words(series)}")
    unique = fields.get("series_unique_id")
    return SeriesId(number=series, unique=unique[:100] if isinstance(unique, str) else "")


def _seconds(value: object) -> float | None:
    """Return a time sent as [numerator, denominator]."""
    if not isinstance(value, list | tuple) or len(value) != 2:
        return None
    numerator, denominator = number(value[0]), number(value[1])
    if numerator is None or not denominator:
        return None
    seconds = numerator / denominator
    return seconds if isfinite(seconds) else None
