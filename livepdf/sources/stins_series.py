"""Which series a STINS message belongs to.

``msg_number`` counts all messages of the sender, over series; ``frame`` counts the images of one
series from 0 or 1. Their difference points at the header, which tells one series from another even
where the header itself was not seen.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import PurePosixPath

from livepdf.config.sources import Stins
from livepdf.errors import FrameError
from livepdf.model.frame import RunStart
from livepdf.sources.dectris_v2_frames import patience_of
from livepdf.sources.fields import Part, Scalar, positive, scalar
from livepdf.sources.ordering import SeriesId
from livepdf.sources.stins import End, Header, Image, parse
from livepdf.sources.stream_frames import (
    Exposure,
    SeriesBegins,
    SeriesEnds,
    StreamEvent,
    StreamFrames,
)


@dataclass(slots=True, kw_only=True)
class _Known:
    """The newest series, as far as its messages tell."""

    series: SeriesId
    header: int
    """``msg_number`` of its header, or where that must have been."""
    newest: int
    """Largest ``msg_number`` seen of it."""
    base: int | None
    """``frame`` of its first image; None until one has come."""

    def holds(self, image: Image) -> bool:
        """Whether the image points at no header that came after this series."""
        return image.message - image.frame <= max(self.newest, self.header + 1)


class StinsReader:
    """Tells series apart by their headers, or by their counting where those are missing."""

    def __init__(self, module: int | None) -> None:
        self._module = module
        self._headed: _Known | None = None
        self._headless: _Known | None = None
        """What came since and points at no header that was seen."""

    def read(
        self, parts: Sequence[Part], *, now: float, current: SeriesId | None
    ) -> list[StreamEvent]:
        """Read one message. Raises FrameError where it is none of the protocol."""
        del current
        message = parse(parts, module=self._module)
        match message:
            case Header():
                return [self._begin(message, now)]
            case Image():
                return [self._exposure(message)]
            case End():
                return self._end(message)

    def _begin(self, header: Header, now: float) -> SeriesBegins:
        before = self._headless
        number, first, base = header.message, 0, None
        if before is not None:
            if before.header == header.message:
                base = 0
            elif before.header == header.message - 1:
                # Its images came first and count from 1: they pointed at the message before.
                number, first, base = header.message - 1, 1, 0
        series = SeriesId(number=number)
        self._headed = _Known(series=series, header=number, newest=header.message, base=base)
        self._headless = None
        return SeriesBegins(series=series, start=_run_start(header, now), first=first)

    def _exposure(self, image: Image) -> Exposure:
        known = self._series_of(image)
        if known.base is None:
            known.base = 1 if image.message - image.frame == known.header else 0
        known.newest = max(known.newest, image.message)
        if image.frame < known.base:
            raise FrameError("malformed", f"frame {image.frame} of a series that counts from 1")
        return Exposure(
            series=known.series,
            index=image.frame - known.base,
            image=image.image,
            time=image.time,
            exposure=image.exposure,
            slow=image.slow,
            origin=f"{known.series}/{image.frame}",
        )

    def _series_of(self, image: Image) -> _Known:
        headed, headless = self._headed, self._headless
        if headed is not None and image.message < headed.header:
            return _without_header(image)  # a straggler: its series is over
        if headed is not None and headed.holds(image):
            return headed
        if headless is None or not headless.holds(image):
            headless = self._headless = _without_header(image)
        return headless

    def _end(self, end: End) -> list[StreamEvent]:
        known = self._headless
        if known is None or end.message < known.header:
            known = self._headed
        if known is None or end.message < known.header:
            return []
        known.newest = max(known.newest, end.message)
        return [SeriesEnds(series=known.series)]


def _without_header(image: Image) -> _Known:
    header = image.message - image.frame - 1
    return _Known(series=SeriesId(number=header), header=header, newest=image.message, base=0)


def _run_start(header: Header, now: float) -> RunStart:
    metadata: dict[str, Scalar] = {
        key[:100]: kept
        for key, value in header.settings.items()
        if (kept := scalar(value)) is not None
    }
    if header.filename:
        metadata["filename"] = header.filename
    name = PurePosixPath(header.filename).stem[:100]
    return RunStart(
        series=str(header.message),
        name=name or f"series-{header.message}",
        time=now,
        expected=_expected(header),
        saturation=positive(header.settings.get("countrate_correction_count_cutoff")),
        metadata=metadata,
    )


def _expected(header: Header) -> int | None:
    images, triggers = header.settings.get("nimages"), header.settings.get("ntrigger", 1)
    if header.settings.get("trigger_mode") in ("inte", "exte"):
        images = 1
    if "nproj" in header.settings:
        images, triggers = header.settings["nproj"], 1
    if not isinstance(images, int) or not isinstance(triggers, int):
        return None
    return images * triggers if 0 < images * triggers < 1 << 40 else None


def stins_feed(settings: Stins) -> StreamFrames:
    """Make what understands the messages of such a stream."""
    return StreamFrames(StinsReader(settings.module), patience_of(settings))
