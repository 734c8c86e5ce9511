"""From bluesky documents to runs and frames: a run begins with its first image.

Documents come in order, files may be late: what refers to a file that is not complete waits, and
everything behind it, for a stated time.
"""

import time
import weakref
from collections import OrderedDict, deque
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np

from livepdf.config.control_sources import BlueskyDocuments
from livepdf.errors import FrameError
from livepdf.model.frame import Frame, FrameRefused, PackedImage, RunStart, SourceItem
from livepdf.model.raw import RawMessage
from livepdf.sources.bluesky_documents import (
    Document,
    array_of,
    is_image,
    parse,
    rows,
    whole_range,
)
from livepdf.sources.bluesky_files import NotYetError, SeriesFiles
from livepdf.sources.bluesky_references import Place, of_datum, of_stream
from livepdf.sources.fields import Scalar, in_words, number, scalar, text
from livepdf.sources.ordering import Arrival, SeriesId
from livepdf.sources.series import Patience, Ready, SeriesTracker, Settled
from livepdf.sources.slow_values import NO_VALUES, SlowValues, slow_values

REMEMBERED = 2000
"""Documents of a kind that later ones may refer to."""
EVENT_PATIENCE = 1.0
"""s that an image waits for the event with its slow values."""
READ_BUDGET = 0.1
"""s that one poll waits at most for the process that reads files."""
MOST_WAITING = 200_000
"""Images that may wait for their files."""


@dataclass(slots=True, kw_only=True, eq=False)
class _Stream:
    """A descriptor: which readings its events have."""

    run: str
    name: str
    image: str | None
    others: bool
    """Whether its events have readings beside the image."""


@dataclass(slots=True, kw_only=True, eq=False)
class _Wanted:
    """One image that waits for its turn."""

    run: str
    index: int
    since: float
    place: Place | None = None
    image: PackedImage | None = None
    values: SlowValues | None = None
    event: tuple[str, int] | None = None
    """Descriptor and number of the event whose values belong to it."""
    time: float | None = None


@dataclass(slots=True)
class _Stop:
    run: str


@dataclass(slots=True, eq=False)
class _Memory:
    """The newest documents of one kind, by their name."""

    kept: OrderedDict[str, Any] = field(default_factory=OrderedDict)

    def put(self, key: str, value: Any) -> None:
        self.kept[key] = value
        if len(self.kept) > REMEMBERED:
            self.kept.popitem(last=False)


class BlueskyFeed:
    """Takes documents, gives runs and frames; reads the files that documents refer to."""

    def __init__(self, settings: BlueskyDocuments, *, live: bool = False) -> None:
        """Make it.

        Parameters
        ----------
        live
            Whether documents go on coming while a file is read: then no call waits long for it.
        """
        self._settings = settings
        self._live = live
        self._tracker: SeriesTracker[Frame | FrameRefused] = SeriesTracker(
            Patience(gap=settings.gap_timeout, header=0.0, idle=settings.idle_timeout, resume=True)
        )
        self._files = SeriesFiles(settings.read_timeout)
        self._starts, self._streams = _Memory(), _Memory()
        self._resources, self._datums, self._events = _Memory(), _Memory(), _Memory()
        self._waiting: deque[_Wanted | _Stop] = deque()
        self._let_go = weakref.finalize(self, self._files.close)

    @property
    def lost(self) -> int:
        """Frames that the numbering says existed but never arrived."""
        return self._tracker.lost

    @property
    def run_is_open(self) -> bool:
        """Whether a run has begun and is not over."""
        return self._tracker.current is not None

    def feed(self, raw: RawMessage) -> list[SourceItem]:
        """Take one document; whatever is in it, nothing is raised."""
        now = raw.received
        items: list[SourceItem] = []
        try:
            document = parse(raw.parts, prefix=self._settings.prefix.encode())
            if document is not None:
                self._take(document, now)
        except FrameError as error:
            items.append(self.refuse(error.reason, error.detail, now=now))
        return items + self._work(now, 0.0)

    def tick(self, *, now: float) -> list[SourceItem]:
        """Try again what waits, and give up what has waited long enough."""
        return self._work(now, READ_BUDGET) + _items(self._tracker.tick(now=now))

    def refuse(self, reason: str, detail: str, *, now: float) -> FrameRefused:
        """Count a document that is none, on the run that is open."""
        series = self._tracker.current
        return FrameRefused(
            series="" if series is None else str(series), reason=reason, detail=detail, time=now
        )

    def close(self) -> None:
        """End the reading process; may be called twice."""
        self._let_go()

    def _take(self, document: Document, now: float) -> None:
        name, fields = document
        uid = text(fields.get("uid"))
        match name:
            case "start":
                self._starts.put(uid, fields)
            case "descriptor":
                self._streams.put(uid, self._stream(fields))
            case "resource" | "stream_resource":
                self._resources.put(uid, fields)
            case "datum":
                self._datums.put(text(fields.get("datum_id")), fields)
            case "stream_datum":
                self._stream_datum(fields, now)
            case "event":
                self._event(fields, now)
            case "event_page":
                for event in rows(fields, ("data", "timestamps")):
                    self._event(event, now)
            case "datum_page":
                for datum in rows(fields, ("datum_kwargs",)):
                    self._datums.put(text(datum.get("datum_id")), datum)
            case "stop":
                self._waiting.append(_Stop(text(fields.get("run_start"))))
            case _:
                raise FrameError("unknown message", f"document {name!r} is of old versions")

    def _stream(self, fields: Mapping[str, Any]) -> _Stream:
        keys = fields.get("data_keys")
        if not isinstance(keys, Mapping):
            raise FrameError("malformed", "a descriptor without data_keys")
        images = [name for name, key in keys.items() if is_image(key)]
        wanted = self._settings.image
        image = wanted if wanted in keys else None
        if wanted is None and images:
            image = images[0]
        return _Stream(
            run=text(fields.get("run_start")),
            name=text(fields.get("name")),
            image=image,
            others=len(keys) > len(images),
        )

    def _of_stream(self, descriptor: object) -> _Stream | None:
        """Return the stream of a document, None where its images are not wanted."""
        stream = self._streams.kept.get(text(descriptor))
        if not isinstance(stream, _Stream):
            detail = f"{in_words(descriptor)} came before livepdf listened"
            raise FrameError("missing descriptor", detail)
        return stream if stream.name == self._settings.stream and stream.image else None

    def _stream_datum(self, fields: Mapping[str, Any], now: float) -> None:
        stream = self._of_stream(fields.get("descriptor"))
        resource = self._resources.kept.get(text(fields.get("stream_resource")))
        if stream is None:
            return
        if resource is None:
            raise FrameError("missing resource", in_words(fields.get("stream_resource")))
        if resource.get("data_key") not in (None, stream.image):
            return
        numbers, events = whole_range(fields.get("indices")), whole_range(fields.get("seq_nums"))
        each = max(len(numbers) // max(len(events), 1), 1)
        places = of_stream(resource, numbers=numbers, paths=self._settings.paths)
        self._room_for(len(places))
        descriptor = text(fields.get("descriptor"))
        for offset, place in enumerate(places):
            event = (descriptor, events.start + offset // each) if stream.others else None
            self._waiting.append(
                _Wanted(
                    run=stream.run,
                    index=numbers.start + offset,
                    since=now,
                    place=place,
                    event=event,
                    values=None if event else NO_VALUES,
                )
            )

    def _event(self, fields: Mapping[str, Any], now: float) -> None:
        stream = self._of_stream(fields.get("descriptor"))
        data = fields.get("data")
        if stream is None or stream.image is None:
            return
        if not isinstance(data, Mapping):
            raise FrameError("malformed", "an event without data")
        sequence = fields.get("seq_num")
        if not isinstance(sequence, int) or not 0 < sequence < 1 << 40:
            raise FrameError("malformed", f"seq_num {in_words(sequence)}")
        values = self._values(data, stream.image)
        taken = number(fields.get("time"))
        self._events.put(f"{text(fields.get('descriptor'))}/{sequence}", (values, taken))
        if stream.image not in data:
            return
        wanted = self._images(data[stream.image])
        self._room_for(len(wanted))
        for offset, (place, image) in enumerate(wanted):
            self._waiting.append(
                _Wanted(
                    run=stream.run,
                    index=(sequence - 1) * len(wanted) + offset,
                    since=now,
                    place=place,
                    image=image,
                    values=values,
                    time=taken,
                )
            )

    def _room_for(self, count: int) -> None:
        if len(self._waiting) + count > MOST_WAITING:
            raise FrameError("too many waiting", f"{len(self._waiting)} images wait for files")

    def _images(self, value: object) -> list[tuple[Place | None, PackedImage | None]]:
        if isinstance(value, str):
            datum = self._datums.kept.get(value)
            if datum is None:
                raise FrameError("missing resource", f"datum {value[:60]}")
            resource = self._resources.kept.get(text(datum.get("resource")))
            if resource is None:
                raise FrameError("missing resource", in_words(datum.get("resource")))
            return [(p, None) for p in of_datum(resource, datum, paths=self._settings.paths)]
        array = array_of(value)
        if array.ndim not in (2, 3) or not array.size:
            raise FrameError("unsupported shape", f"an array of shape {array.shape}")
        stack = array if array.ndim == 3 else array[None]
        return [(None, _raw(image)) for image in stack]

    def _values(self, data: Mapping[str, Any], image: str) -> SlowValues:
        chosen = self._settings.values
        if not chosen:
            return slow_values({key: value for key, value in data.items() if key != image})
        return slow_values({ours: data.get(theirs) for ours, theirs in chosen.items()})

    def _work(self, now: float, budget: float) -> list[SourceItem]:
        items: list[SourceItem] = []
        until = time.monotonic() + budget if self._live else float("inf")
        while self._waiting:
            first = self._waiting[0]
            if isinstance(first, _Stop):
                items += _items(self._tracker.end(SeriesId(number=None, unique=first.run), now=now))
            else:
                found = self._frame(first, now, until)
                if found is None:
                    break
                items += self._pass_on(first, found, now)
            self._waiting.popleft()
        return items

    def _frame(self, wanted: _Wanted, now: float, until: float) -> Frame | FrameRefused | None:
        """Return what became of an image, None while it may still come."""
        waited = now - wanted.since
        if wanted.values is None and wanted.event is not None:
            event = self._events.kept.get(f"{wanted.event[0]}/{wanted.event[1]}")
            if event is None and waited < EVENT_PATIENCE:
                return None
            wanted.values, wanted.time = (NO_VALUES, None) if event is None else event
        image, exposure, taken, origin = wanted.image, None, wanted.time, "event"
        try:
            if image is None and wanted.place is not None:
                last = waited >= self._settings.file_timeout
                read = self._files.read(wanted.place, last=last, until=until)
                image, exposure = read.image, read.exposure
                taken = read.time if taken is None else taken
                origin = f"{wanted.place.path.name}/{wanted.place.number}"
        except NotYetError:
            return None
        except FrameError as error:
            return FrameRefused(
                series=wanted.run,
                reason=error.reason,
                detail=error.detail,
                time=now,
                index=wanted.index,
            )
        assert image is not None
        values = wanted.values or NO_VALUES
        return Frame(
            series=wanted.run,
            index=wanted.index,
            image=image,
            received=wanted.since,
            time=wanted.since if taken is None else taken,
            exposure=exposure,
            monitor=values.monitor,
            environment=values.environment,
            origin=origin if origin != "event" else f"event {wanted.index}",
        )

    def _pass_on(
        self, wanted: _Wanted, found: Frame | FrameRefused, now: float
    ) -> list[SourceItem]:
        series = SeriesId(number=None, unique=wanted.run)
        settled: Settled[Frame | FrameRefused] = []
        if not self._tracker.knows(series):
            settled += self._tracker.start(
                series, self._run_start(wanted, now), now=now, first=self._first(wanted)
            )
        arrival = Arrival(series=series, index=wanted.index, content=found, size=_size(found))
        return _items(settled + self._tracker.frame(arrival, now=now))

    def _first(self, wanted: _Wanted) -> int:
        return 0 if wanted.run in self._starts.kept else wanted.index

    def _run_start(self, wanted: _Wanted, now: float) -> RunStart:
        start = self._starts.kept.get(wanted.run)
        if start is None:
            missing: dict[str, Scalar] = {"header": "missing", "first frame seen": wanted.index}
            return RunStart(series="", name=f"run-{wanted.run[:8]}", time=now, metadata=missing)
        sample = start.get("sample_name", start.get("sample"))
        scan = f"scan-{in_words(start.get('scan_id', wanted.run[:8]))}"
        kept = {key[:40]: scalar(value) for key, value in list(start.items())[:64]}
        return RunStart(
            series="",
            name=f"{sample[:60]}-{scan}" if isinstance(sample, str) and sample else scan,
            time=number(start.get("time")) or now,
            metadata={key: value for key, value in kept.items() if value is not None},
        )


def _items(settled: Settled[Frame | FrameRefused]) -> list[SourceItem]:
    return [
        replace(item.arrival.content, series=item.run) if isinstance(item, Ready) else item
        for item in settled
    ]


def _raw(image: Any) -> PackedImage:
    rows, columns = image.shape
    blob = np.ascontiguousarray(image).tobytes()
    return PackedImage(blob=blob, algorithm="raw", shape=(rows, columns), dtype=image.dtype)


def _size(found: Frame | FrameRefused) -> int:
    return len(found.image.blob) if isinstance(found, Frame) else 0
