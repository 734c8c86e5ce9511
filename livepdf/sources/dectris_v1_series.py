"""What the messages of the DECTRIS legacy stream say about series; split headers put together."""

import logging
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from math import prod

from livepdf.config.sources import DectrisStreamV1
from livepdf.errors import FrameError
from livepdf.model.frame import RunStart
from livepdf.sources.dectris_v1 import End, Header, Image, Settings, Table, messages, parse
from livepdf.sources.dectris_v2_frames import patience_of
from livepdf.sources.fields import Part, Scalar, date, positive, scalar, text
from livepdf.sources.ordering import SeriesId
from livepdf.sources.stream_frames import (
    Exposure,
    SeriesBegins,
    SeriesEnds,
    StreamEvent,
    StreamFrames,
)

log = logging.getLogger(__name__)
KEPT = (
    "beam_center_x", "beam_center_y", "bit_depth_image", "count_time",
    "countrate_correction_applied", "countrate_correction_count_cutoff", "data_collection_date",
    "description", "detector_distance", "detector_number", "eiger_fw_version",
    "flatfield_correction_applied", "frame_time", "nimages", "ntrigger",
    "number_of_excluded_pixels", "photon_energy", "pixel_mask_applied", "roi_mode",
    "sensor_material", "sensor_thickness", "software_version", "threshold_energy", "trigger_mode",
    "virtual_pixel_correction_applied", "x_pixel_size", "x_pixels_in_detector", "y_pixel_size",
    "y_pixels_in_detector",
)  # fmt: skip
"""Settings that go into the metadata of the run as they are."""
LARGEST_EXPECTED = 1 << 40


@dataclass(slots=True, kw_only=True)
class _Clock:
    """Ties the detector's own seconds to the date of its header."""

    series: int
    date: float | None
    first: float | None = None

    def time(self, image: Image) -> float | None:
        if image.start is None or self.date is None or image.series != self.series:
            return None
        if self.first is None:
            self.first = image.start
        return self.date + image.start - self.first


class DectrisV1Reader:
    """Remembers a header until all of it has come, and the clock of its series."""

    def __init__(self) -> None:
        self._header: Header | None = None
        self._clock = _Clock(series=-1, date=None)

    def read(
        self, parts: Sequence[Part], *, now: float, current: SeriesId | None
    ) -> list[StreamEvent]:
        """Read one message. Raises FrameError where it is none of the protocol."""
        del current
        events: list[StreamEvent] = []
        for group in messages(parts):
            try:
                events += self._read(group, now)
            except FrameError as error:
                events.append(error)
        return events

    def _read(self, parts: Sequence[Part], now: float) -> list[StreamEvent]:
        message = parse(parts)
        held = self._header
        match message:
            case Header():
                events = self._begin(now)
                self._header = message
                whole = message.detail == "none" or message.settings is not None
                return events + (self._begin(now) if whole else [])
            case Settings() | Table() if held is None:
                return []
            case Settings() if held is not None:
                self._header = replace(held, settings=message.settings)
                return [] if held.detail == "all" else self._begin(now)
            case Table() if held is not None:
                mask = held.mask if message.mask is None else message.mask
                self._header = replace(held, mask=mask)
                return []
            case End():
                return [*self._begin(now), SeriesEnds(series=SeriesId(number=message.series))]
            case Image():
                return [*self._begin(now), self._exposure(message)]
        raise FrameError("unknown message", type(message).__name__)

    def _begin(self, now: float) -> list[StreamEvent]:
        header, self._header = self._header, None
        if header is None:
            return []
        settings = header.settings or {}
        collected = date(settings.get("data_collection_date"))
        self._clock = _Clock(series=header.series, date=collected)
        mask = header.mask
        metadata = _metadata(header, settings)
        if isinstance(mask, FrameError):
            # The run goes on: the mask of the calibration is still there, and people are told.
            metadata["pixel_mask"] = f"unreadable: {mask}"
            log.warning("series %d: pixel mask unreadable: %s", header.series, mask)
            mask = None
        start = RunStart(
            series=str(header.series),
            name=f"series-{header.series}",
            time=now if collected is None else collected,
            expected=_expected(settings),
            mask=mask,
            wavelength=positive(settings.get("wavelength")),
            saturation=positive(settings.get("countrate_correction_count_cutoff")),
            metadata=metadata,
        )
        return [SeriesBegins(series=SeriesId(number=header.series), start=start)]

    def _exposure(self, image: Image) -> Exposure:
        return Exposure(
            series=SeriesId(number=image.series),
            index=image.index,
            image=image.image,
            time=self._clock.time(image),
            exposure=image.exposure,
            slow=image.slow,
        )


def _metadata(header: Header, settings: Mapping[str, object]) -> dict[str, Scalar]:
    kept: dict[str, Scalar] = {
        key: value for key in KEPT if (value := scalar(settings.get(key))) is not None
    }
    if header.appendix:
        kept["user_data"] = header.appendix
    return kept


def _expected(settings: Mapping[str, object]) -> int | None:
    """Return the announced number of frames; in ``inte`` and ``exte`` each trigger is one."""
    each = text(settings.get("trigger_mode")) in ("inte", "exte")
    counts = (
        [settings.get("ntrigger")] if each else [settings.get(k) for k in ("nimages", "ntrigger")]
    )
    found = prod(count for count in counts if isinstance(count, int))
    return found if 0 < found < LARGEST_EXPECTED else None


def dectris_v1_feed(settings: DectrisStreamV1) -> StreamFrames:
    """Make what understands the messages of a legacy stream with these settings."""
    return StreamFrames(DectrisV1Reader(), patience_of(settings))
