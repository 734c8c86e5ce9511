"""From parsed Stream V2 messages to runs and frames: the channel chosen, the sizes checked."""

import logging
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from livepdf.config.sources import DectrisStreamV2, Stream
from livepdf.errors import FrameError
from livepdf.model.frame import Frame, FrameRefused, RunStart, SourceItem
from livepdf.model.raw import RawMessage
from livepdf.numerics.unpack import unpack
from livepdf.sources.dectris_v2 import End, Image, Start, Unknown, parse
from livepdf.sources.fields import Scalar
from livepdf.sources.ordering import Arrival
from livepdf.sources.series import Patience, Ready, SeriesTracker, Settled
from livepdf.sources.typed_array import packed_image

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class _Received:
    image: Image
    time: float


class DectrisV2Frames:
    """Turns messages into what the intake is handed; holds the state of the series, no socket."""

    def __init__(
        self,
        *,
        channel: str | None,
        patience: Patience,
        beside: frozenset[str] = frozenset(),
        sampled: bool = False,
    ) -> None:
        """Begin without a series.

        Parameters
        ----------
        channel
            The threshold channel wanted, None for the first announced.
        beside
            Types of messages that belong to the protocol but hold no images.
        sampled
            Whether the sender leaves images out on purpose: then none counts as lost.
        """
        self._wanted = channel
        self._channel = channel
        self._beside = beside
        self._sampled = sampled
        self._tracker: SeriesTracker[_Received] = SeriesTracker(patience)

    @property
    def lost(self) -> int:
        """Frames that the numbering says existed but never arrived."""
        return 0 if self._sampled else self._tracker.lost

    @property
    def run_is_open(self) -> bool:
        """Whether a series has begun and is not over."""
        return self._tracker.current is not None

    def feed(self, raw: RawMessage) -> list[SourceItem]:
        """Take one raw message: one part, or several that a sender has joined or appended."""
        now = raw.received
        if len(raw.parts) == 1:
            return self.message(raw.parts[0], now=now)
        found = [part for part in raw.parts if _is_message(part)]
        if not found:
            detail = f"{len(raw.parts)} parts, none of which is a message"
            return [self.refuse("malformed", detail, now=now)]
        return [item for part in found for item in self.message(part, now=now)]

    def message(self, message: bytes | memoryview, *, now: float) -> list[SourceItem]:
        """Take one message of one part, as received at ``now`` (Unix s)."""
        try:
            parsed = parse(message)
        except FrameError as error:
            return [self.refuse(error.reason, error.detail, now=now)]
        match parsed:
            case Image():
                arrival = Arrival(
                    series=parsed.series,
                    index=parsed.index,
                    content=_Received(image=parsed, time=now),
                    size=len(message),
                )
                return self._items(self._tracker.frame(arrival, now=now))
            case Start():
                start = _run_start(parsed, wanted=self._wanted, now=now)
                settled = self._tracker.start(parsed.series, start, now=now)
                if not settled:
                    log.info("series %s: its start came twice, or too late", parsed.series)
                return self._items(settled)
            case End():
                return self._items(self._tracker.end(parsed.series, now=now))
            case Unknown():
                if parsed.type in self._beside:
                    return []
                return [self.refuse("unknown message", f"type {parsed.type!r}", now=now)]

    def refuse(self, reason: str, detail: str, *, now: float) -> FrameRefused:
        """Count a message that is none, on the series that is open."""
        series = self._tracker.current
        return FrameRefused(
            series="" if series is None else str(series), reason=reason, detail=detail, time=now
        )

    def tick(self, *, now: float) -> list[SourceItem]:
        """Give up what has been waited for long enough."""
        return self._items(self._tracker.tick(now=now))

    def _items(self, settled: Settled[_Received]) -> list[SourceItem]:
        items: list[SourceItem] = []
        for item in settled:
            if isinstance(item, RunStart):
                channel = item.metadata.get("channel")
                self._channel = channel if isinstance(channel, str) else self._wanted
            items.append(self._frame(item) if isinstance(item, Ready) else item)
        return items

    def _frame(self, ready: Ready[_Received]) -> Frame | FrameRefused:
        image, received = ready.arrival.content.image, ready.arrival.content.time
        # Without a header nothing names the channels: the first that was sent is taken.
        channel = self._channel if self._channel is not None else next(iter(image.data))
        try:
            if channel not in image.data:
                sent = ", ".join(image.data)[:100]
                raise FrameError("channel missing", f"wanted {channel}, found {sent}")
            packed = packed_image(image.data[channel])
        except FrameError as error:
            return FrameRefused(
                series=ready.run,
                reason=error.reason,
                detail=error.detail,
                time=received,
                index=image.index,
            )
        return Frame(
            series=ready.run,
            index=image.index,
            image=packed,
            received=received,
            time=received if image.time is None else image.time,
            exposure=image.exposure,
            monitor=image.slow.monitor,
            environment=image.slow.environment,
            origin=f"{image.series}/{image.index}",
        )


def _is_message(part: bytes | memoryview) -> bool:
    try:
        return not isinstance(parse(part), Unknown)
    except FrameError:
        return False


def dectris_v2_feed(settings: DectrisStreamV2) -> DectrisV2Frames:
    """Make what understands the messages of a Stream V2 with these settings."""
    return DectrisV2Frames(
        channel=settings.channel,
        patience=patience_of(settings),
    )


def patience_of(settings: Stream) -> Patience:
    """Return how long a stream with these settings waits for what may still come."""
    return Patience(
        gap=settings.gap_timeout, header=settings.gap_timeout, idle=settings.idle_timeout
    )


def _run_start(start: Start, *, wanted: str | None, now: float) -> RunStart:
    channel = wanted if wanted is not None else next(iter(start.channels), None)
    metadata: dict[str, Scalar] = {**start.metadata}
    if channel is not None:
        metadata["channel"] = channel
    mask = None
    if channel is not None and channel in start.masks:
        try:
            mask = _mask(start.masks[channel])
        except FrameError as error:
            # The run goes on: the mask of the calibration is still there, and people are told.
            metadata["pixel_mask"] = f"unreadable: {error}"
            log.warning("series %s: pixel mask unreadable: %s", start.series, error)
    return RunStart(
        series=str(start.series),
        name=f"series-{start.series.number}",
        time=now if start.time is None else start.time,
        expected=start.expected,
        mask=mask,
        wavelength=start.wavelength,
        saturation=start.saturation,
        metadata=metadata,
    )


def _mask(value: object) -> NDArray[np.bool_]:
    image = packed_image(value)
    try:
        pixels = unpack(image.blob, algorithm=image.algorithm, shape=image.shape, dtype=image.dtype)
    except ValueError as error:
        raise FrameError("undecodable", str(error)) from error
    return np.asarray(pixels != 0)
