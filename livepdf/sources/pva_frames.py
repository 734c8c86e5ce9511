"""From updates of a PVA channel to runs and frames.

A channel has no start and no end. A run begins with the first new image and is over when the
counter steps back, the size of the images or a chosen attribute changes, the acquire PV falls, or
nothing has come for long. The image that a channel holds when one connects is an old one.
"""

from collections.abc import Mapping
from dataclasses import dataclass

from livepdf.config.control_sources import EpicsPva
from livepdf.errors import FrameError
from livepdf.model.frame import Frame, FrameRefused, RunStart, SourceItem
from livepdf.model.raw import RawMessage
from livepdf.sources.ntndarray import Array, parse, unique_id
from livepdf.sources.ordering import FARTHEST, Arrival, SeriesId
from livepdf.sources.pva_raw import Link, Update, unpack_message
from livepdf.sources.series import Patience, Ready, SeriesTracker, Settled
from livepdf.sources.slow_values import MONITOR, slow_values

IMAGES, ACQUIRE = "image", "acquire"
"""Channels of the raw messages: the array, and the PV that says whether the detector runs."""
EXPOSURE = "exposure"
REACH = 64
"""How far a number may step back where no clock tells disorder from a counter that was reset."""
MOST_ATTRIBUTES = 64


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class _Received:
    array: Array
    time: float
    """Unix seconds of receipt."""


@dataclass(slots=True, kw_only=True, eq=False)
class _Count:
    """Where the detector's counter stands in the open run."""

    series: SeriesId
    unique: int
    index: int
    """Of the update numbered ``unique``, the farthest so far."""
    stamp: float | None
    layout: tuple[object, ...]


class PvaFrames:
    """Turns updates into what the intake is handed; holds the state of the series, no channel."""

    def __init__(self, settings: EpicsPva) -> None:
        self._settings = settings
        self._tracker: SeriesTracker[_Received] = SeriesTracker(
            Patience(gap=settings.gap_timeout, header=0.0, idle=settings.idle_timeout)
        )
        self._count: _Count | None = None
        self._runs = 0
        self._first_after_link = True
        self._acquiring: bool | None = None
        self._stopped: float | None = None

    @property
    def lost(self) -> int:
        """Frames that the numbering says existed but never arrived."""
        return self._tracker.lost

    @property
    def run_is_open(self) -> bool:
        """Whether a run has begun and is not over."""
        return self._tracker.current is not None

    def feed(self, raw: RawMessage) -> list[SourceItem]:
        """Take one update of the array or of the acquire PV."""
        now = raw.received
        try:
            message = unpack_message(raw.parts)
            if raw.channel == ACQUIRE:
                return self._acquire(message, now)
            if isinstance(message, Update):
                return self._update(message, now)
        except FrameError as error:
            return [self.refuse(error.reason, error.detail, now=now)]
        self._first_after_link = True
        return []

    def refuse(self, reason: str, detail: str, *, now: float) -> FrameRefused:
        """Count an update that is no frame, on the run that is open."""
        series = self._tracker.current
        return FrameRefused(
            series="" if series is None else str(series), reason=reason, detail=detail, time=now
        )

    def tick(self, *, now: float) -> list[SourceItem]:
        """Give up what has been waited for long enough."""
        items = self._items(self._tracker.tick(now=now))
        series = self._tracker.current
        stopped = self._stopped
        if stopped is not None and now - stopped >= self._settings.gap_timeout:
            self._stopped = None
            if series is not None:
                items += self._items(self._tracker.end(series, now=now))
        return items

    def _acquire(self, message: Update | Link, now: float) -> list[SourceItem]:
        if not isinstance(message, Update):
            return []
        before, value = self._acquiring, _truth(message)
        self._acquiring = value
        if before and not value:
            # Images still on their way through plugins come after this.
            self._stopped = now
        if value and before is False:
            self._stopped = None
            series = self._tracker.current
            return [] if series is None else self._items(self._tracker.end(series, now=now))
        return []

    def _update(self, update: Update, now: float) -> list[SourceItem]:
        stale, self._first_after_link = self._first_after_link, False
        unique = unique_id(update)
        if stale and (self._tracker.current is None or not len(update.pixels)):
            return [self.refuse("stale first image", f"uniqueId {unique}", now=now)]
        array = parse(update)
        if self._stopped is not None:
            self._stopped = now
        series, index, settled = self._place(array, now)
        if index < 0:
            settled += [self.refuse("late", f"uniqueId {unique} before the first", now=now)]
            return self._items(settled)
        arrival = Arrival(
            series=series,
            index=index,
            content=_Received(array=array, time=now),
            size=len(update.pixels),
        )
        return self._items(settled + self._tracker.frame(arrival, now=now))

    def _place(self, array: Array, now: float) -> tuple[SeriesId, int, Settled[_Received]]:
        """Find the run and the place in it; open a run where the image begins one."""
        stamp, layout = self._stamp(array), self._layout(array)
        count = self._count
        if count is not None and self._tracker.current == count.series and count.layout == layout:
            step = _wrapped(array.unique_id - count.unique)
            if not _is_reset(step, stamp=stamp, newest=count.stamp):
                if 0 < step <= FARTHEST:
                    count.unique, count.index = array.unique_id, count.index + step
                    count.stamp = stamp
                    step = 0
                return count.series, count.index + step, []
        series = SeriesId(number=self._runs, unique=f"{int(now if stamp is None else stamp)}")
        self._runs += 1
        self._stopped = None
        self._count = _Count(
            series=series, unique=array.unique_id, index=0, stamp=stamp, layout=layout
        )
        settled = self._tracker.start(series, self._run_start(array, stamp, now), now=now)
        return series, 0, settled

    def _run_start(self, array: Array, stamp: float | None, now: float) -> RunStart:
        attribute = self._settings.series
        name = array.attributes.get(attribute) if attribute else None
        kept = dict(list(array.attributes.items())[:MOST_ATTRIBUTES])
        return RunStart(
            series="",
            name=str(name) if name not in (None, "") else self._settings.channel,
            time=now if stamp is None else stamp,
            metadata={
                "channel": self._settings.channel,
                "first uniqueId": array.unique_id,
                "codec": array.codec or "none",
                **{f"attribute {key}": value for key, value in kept.items()},
            },
        )

    def _layout(self, array: Array) -> tuple[object, ...]:
        attribute = self._settings.series
        run = array.attributes.get(attribute) if attribute else None
        return array.image.shape, array.image.dtype, run

    def _stamp(self, array: Array) -> float | None:
        if self._settings.time == "detector":
            return array.detector_time
        return array.server_time

    def _items(self, settled: Settled[_Received]) -> list[SourceItem]:
        return [self._frame(item) if isinstance(item, Ready) else item for item in settled]

    def _frame(self, ready: Ready[_Received]) -> Frame:
        array, received = ready.arrival.content.array, ready.arrival.content.time
        stamp = self._stamp(array)
        chosen = {name: array.attributes.get(a) for name, a in self._settings.attributes.items()}
        exposure = slow_values({EXPOSURE: chosen.pop(EXPOSURE, None)}).environment.get(EXPOSURE)
        slow = slow_values(chosen)
        return Frame(
            series=ready.run,
            index=ready.arrival.index,
            image=array.image,
            received=received,
            time=received if stamp is None else stamp,
            exposure=exposure if exposure is not None and exposure > 0 else None,
            monitor=slow.monitor if MONITOR in chosen else None,
            environment=slow.environment,
            origin=f"{self._settings.channel}/{array.unique_id}",
        )


def pva_feed(settings: EpicsPva) -> PvaFrames:
    """Make what understands the updates of such a channel."""
    return PvaFrames(settings)


def _wrapped(step: int) -> int:
    """Return the step of a counter of 32 bits."""
    return (step + (1 << 31)) % (1 << 32) - (1 << 31)


def _is_reset(step: int, *, stamp: float | None, newest: float | None) -> bool:
    """Tell a counter that was reset from an image that is late or came twice."""
    if step > 0:
        return False
    if stamp is None or newest is None:
        return step < -REACH
    return stamp > newest


def _truth(update: Update) -> bool:
    value: object = update.fields.get("value")
    if isinstance(value, Mapping):  # an enum: index 1 is "Acquire"
        value = value.get("index")
    return bool(value)
