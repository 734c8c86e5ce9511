"""Trains to frames: each pulse is a frame, numbered by its train, so that gaps are seen.

A bridge announces no series: one begins with the first train and is over when none comes for a
while, or when the numbering or the number of pulses becomes another.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from math import isfinite

import numpy as np
from numpy.typing import NDArray

from livepdf.config.sources import KaraboBridge, KaraboValue
from livepdf.errors import FrameError
from livepdf.model.frame import PackedImage, RunStart
from livepdf.sources.dectris_v2_frames import patience_of
from livepdf.sources.fields import Part, number
from livepdf.sources.karabo import Array, Train, parse
from livepdf.sources.ordering import SeriesId
from livepdf.sources.slow_values import SlowValues
from livepdf.sources.stream_frames import Exposure, SeriesBegins, StreamEvent, StreamFrames

ORDER = ("pulse", "module", "slow", "fast")
FARTHEST_BACK, FARTHEST_AHEAD = 1_000, 100_000
"""Trains (10 a second) by which the number may jump; beyond them the bridge counts anew."""
MOST_PULSES = 10_000


@dataclass(slots=True, kw_only=True)
class _Counting:
    """How trains and pulses of the open series become frame numbers."""

    series: SeriesId
    first: int
    newest: int
    pulses: int

    def near(self, train: int) -> bool:
        """Whether the number of a train may belong here."""
        return self.first - FARTHEST_BACK <= train <= self.newest + FARTHEST_AHEAD


class KaraboReader:
    """Takes the images of one source out of each train."""

    def __init__(self, settings: KaraboBridge) -> None:
        self._settings = settings
        self._counting: _Counting | None = None
        self._stray: int | None = None
        """Number of a train far from the others, until a second one confirms it."""

    def read(
        self, parts: Sequence[Part], *, now: float, current: SeriesId | None
    ) -> list[StreamEvent]:
        """Read one train. Raises FrameError where it is none, or has no number."""
        train = parse(parts)
        tid = self._train_number(train)
        counting = self._counting if current is not None else None
        if counting is not None and not counting.near(tid):
            self._confirm(tid)
            counting = None
        self._stray = None
        try:
            images = self._images(train)
        except FrameError as error:
            if counting is None:
                raise
            return self._exposures(train, tid, [error] * counting.pulses, counting)
        events: list[StreamEvent] = []
        if counting is None or counting.pulses != len(images):
            series = SeriesId(number=tid)
            counting = _Counting(series=series, first=tid, newest=tid, pulses=len(images))
            self._counting = counting
            events.append(SeriesBegins(series=series, start=self._start(tid, len(images), now)))
        return events + self._exposures(train, tid, images, counting)

    def _confirm(self, tid: int) -> None:
        """Let a bridge count anew, but only when two trains say so: one number may be damaged."""
        stray, self._stray = self._stray, tid
        if stray is None or not stray < tid <= stray + FARTHEST_AHEAD:
            raise FrameError("stray series", f"train {tid}, far from those before")

    def _exposures(
        self,
        train: Train,
        tid: int,
        images: Sequence[PackedImage | FrameError],
        counting: _Counting,
    ) -> list[StreamEvent]:
        if tid < counting.first:
            raise FrameError("stale series", f"train {tid} before the first, {counting.first}")
        counting.newest = max(counting.newest, tid)
        place = (tid - counting.first) * counting.pulses
        source = train.get(self._settings.image.source)
        return [
            Exposure(
                series=counting.series,
                index=place + pulse,
                image=image,
                time=None if source is None else source.time,
                slow=self._slow(train, pulse),
                origin=f"train {tid}, pulse {pulse}",
            )
            for pulse, image in enumerate(images)
        ]

    def _train_number(self, train: Train) -> int:
        wanted = train.get(self._settings.image.source)
        if wanted is not None and wanted.train is not None:
            return wanted.train
        known = [source.train for source in train.values() if source.train is not None]
        if not known:
            raise FrameError("malformed", "a train without a number")
        return max(known)

    def _images(self, train: Train) -> list[PackedImage]:
        value = _value(train, self._settings.image)
        if isinstance(value, FrameError):
            raise value
        if not isinstance(value, Array):
            raise FrameError("no image", f"{self._settings.image.key} is no array")
        return _frames(value.values, self._settings.axes)

    def _slow(self, train: Train, pulse: int) -> SlowValues:
        monitor = self._settings.monitor
        environment = {
            name: found
            for name, where in self._settings.environment.items()
            if (found := _at(_value(train, where), pulse)) is not None
        }
        return SlowValues(
            monitor=None if monitor is None else _at(_value(train, monitor), pulse),
            environment=environment,
        )

    def _start(self, tid: int, pulses: int, now: float) -> RunStart:
        return RunStart(
            series=str(tid),
            name=f"trains-{tid}",
            time=now,
            metadata={
                "source": self._settings.image.source,
                "first train": tid,
                "pulses per train": pulses,
            },
        )


def _value(train: Train, where: KaraboValue) -> object:
    source = train.get(where.source)
    if source is None or where.key not in source.values:
        return FrameError("no image", f"train without {where.source} {where.key}")
    return source.values[where.key]


def _at(value: object, pulse: int) -> float | None:
    """Return a number of the train, or that of one pulse where there are several."""
    if not isinstance(value, Array):
        return number(value)
    flat = value.values.reshape(-1)
    place = pulse if flat.size > 1 else 0
    found = float(flat[place]) if place < flat.size else float("nan")
    return found if isfinite(found) else None


def _frames(array: NDArray[np.generic], axes: Sequence[str]) -> list[PackedImage]:
    """Cut the array of a train into images (module × slow, fast), each with bytes of its own."""
    if array.ndim != len(axes):
        raise FrameError("malformed", f"{array.ndim} axes where {', '.join(axes)} are wanted")
    present = [axes.index(name) for name in ORDER if name in axes]
    ordered = array.transpose(present)
    if "pulse" not in axes:
        ordered = ordered[np.newaxis]
    if ordered.shape[0] > MOST_PULSES:
        raise FrameError("too large", f"{ordered.shape[0]} pulses in one train")
    shape = (int(np.prod(ordered.shape[1:-1])), ordered.shape[-1])
    return [
        PackedImage(blob=image.tobytes(), algorithm="raw", shape=shape, dtype=array.dtype)
        for image in ordered
    ]


def karabo_feed(settings: KaraboBridge) -> StreamFrames:
    """Make what understands the trains of a bridge with these settings."""
    return StreamFrames(KaraboReader(settings), patience_of(settings))
