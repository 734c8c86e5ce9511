"""Choose messages of a recording by the series and the frames that they carry."""

from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import click

from livepdf.model.frame import Frame, FrameRefused, RunStart
from livepdf.model.recorded import SLOW, Recorded

if TYPE_CHECKING:
    from livepdf.sources.source import Feed

_FOREVER = 1e9
"""s after which a feed gives up whatever it waits for."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Choice:
    """What to keep."""

    series: str | None = None
    frames: tuple[int, float] | None = None
    """First, and the one after the last."""

    def has_series(self, name: str) -> bool:
        """Whether frames of that series are kept; its number is enough."""
        return self.series is None or self.series in (name, name.split("-")[0])

    def has_frame(self, index: int) -> bool:
        """Whether that frame of a kept series is kept."""
        return self.frames is None or self.frames[0] <= index < self.frames[1]


def frame_range(text: str | None) -> tuple[int, float] | None:
    """Read FIRST:LAST; either may be left out."""
    if text is None:
        return None
    first, colon, last = text.partition(":")
    try:
        if not colon:
            raise ValueError(text)
        return int(first or 0), int(last) if last else float("inf")
    except ValueError:
        raise click.BadParameter(f"{text!r} is not FIRST:LAST", param_hint="--frames") from None


def chosen(
    messages: Iterable[Recorded], make_feed: Callable[[], "Feed"], choice: Choice
) -> Iterator[Recorded]:
    """Yield the messages of the chosen frames, with the headers and ends of their series.

    Each message is shown to a feed of its own, which has to tell at once what it is.
    Slow values stay with their frames.
    """
    kept_series = choice.series is None
    left_out: Counter[str] = Counter()
    for message in messages:
        if message.raw.channel == SLOW:
            kept = _is_of_choice(message, choice)
        else:
            frames, series = _told(message, make_feed())
            if series is not None:
                kept_series = choice.has_series(series)
            kept = kept_series and (not frames or any(map(choice.has_frame, frames)))
        if kept:
            # What is left out on purpose is no hole: the numbers close up.
            yield replace(message, sequence=message.sequence - left_out[message.raw.channel])
        else:
            left_out[message.raw.channel] += 1


def _is_of_choice(message: Recorded, choice: Choice) -> bool:
    """Whether these are the slow values of a frame that is kept."""
    from livepdf.sources.slow_recorded import given_in

    given = given_in(message.raw)
    if given is None:
        return False
    return choice.has_series(given.detector_series) and choice.has_frame(given.frame)


def _told(message: Recorded, feed: "Feed") -> tuple[list[int], str | None]:
    """Return the frames in a message, and the series where it names one."""
    raw = message.raw
    items = feed.feed(raw) + feed.tick(now=raw.received + _FOREVER)
    frames: list[int] = []
    series = None
    for item in items:
        if isinstance(item, RunStart):
            series = item.series
        elif isinstance(item, Frame):
            frames.append(item.index)
        elif isinstance(item, FrameRefused) and item.index is not None:
            frames.append(item.index)
            series = item.series or series
    return frames, series
