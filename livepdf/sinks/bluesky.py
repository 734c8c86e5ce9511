"""Results as documents of bluesky's event model, sent to its 0MQ proxy, never pickled."""

import math
from typing import Any

import event_model
import msgspec
import zmq

from livepdf.config.publish import BlueskyPublish
from livepdf.model.curve import Result
from livepdf.model.status import Event, Status

_ENCODER = msgspec.msgpack.Encoder()
_LINGER = 1000


class BlueskySink:
    """One bluesky run for each run of ours, one event for each window."""

    def __init__(self, settings: BlueskyPublish) -> None:
        self._prefix = settings.prefix.encode()
        self._context: zmq.Context[zmq.Socket[bytes]] = zmq.Context()
        self._socket = self._context.socket(zmq.PUB)
        self._socket.setsockopt(zmq.LINGER, _LINGER)
        self._socket.connect(settings.address)
        self._run: Any = None
        self._name = self._over = ""
        """Names of the run that is open and of the one before."""
        self._streams = 0
        self._stream: Any = None
        self._keys: dict[str, str] = {}

    def result(self, result: Result) -> None:
        """Send one event with the trends of a window and where its curves are."""
        run = result.span.run
        if result.span.scope != "window" or run == self._over:
            return  # what is measured again after the run has ended is in its file
        if run != self._name:
            self._begin(run)
        values = _values(result)
        kinds = {key: _kind(value) for key, value in values.items()}
        if self._stream is None or kinds.keys() - self._keys.keys():
            self._describe(values, result)
        data = {key: values.get(key, math.nan) for key in self._keys}
        when = dict.fromkeys(data, result.span.end)
        self._send("event", self._stream.compose_event(data=data, timestamps=when))

    def event(self, event: Event) -> None:
        """End the run with ours."""
        if event.kind == "run end":
            self._over = self._name
            self._end("success", event.text)

    def flag(self, name: str, raised: bool, words: str) -> None:
        """Send nothing: flags go along with the windows."""

    def status(self, status: Status) -> None:
        """Nothing is sent."""

    def close(self) -> None:
        """End the run and let go of the socket."""
        self._end("abort", "livepdf stops")
        self._socket.close()
        self._context.term()

    def _begin(self, name: str) -> None:
        self._end("abort", "another run began")
        metadata = {"livepdf_run": name, "plan_name": "livepdf"}
        self._run, self._name = event_model.compose_run(metadata=metadata), name
        self._stream, self._streams, self._keys = None, 0, {}
        self._send("start", self._run.start_doc)

    def _describe(self, values: dict[str, Any], result: Result) -> None:
        units = {_key(trend.name): trend.unit for trend in result.trends}
        data_keys = {}
        for key, value in values.items():
            described: dict[str, Any] = {
                "source": "livepdf",
                "dtype": _kind(value),
                "shape": [],
            }
            if units.get(key.removesuffix("_sigma")):
                described["units"] = units[key.removesuffix("_sigma")]
            data_keys[key] = described
        self._keys = {key: described["dtype"] for key, described in data_keys.items()}
        self._streams += 1
        # A stream keeps its columns: with more of them another one begins.
        name = "primary" if self._streams == 1 else f"primary_{self._streams}"
        self._stream = self._run.compose_descriptor(name=name, data_keys=data_keys)
        self._send("descriptor", self._stream.descriptor_doc)

    def _end(self, status: str, reason: str) -> None:
        if self._run is not None:
            self._send("stop", self._run.compose_stop(exit_status=status, reason=reason))
        self._run, self._name = None, ""

    def _send(self, name: str, document: Any) -> None:
        parts = [self._prefix, name.encode(), _ENCODER.encode(document)]
        self._socket.send(b" ".join(parts), flags=zmq.NOBLOCK)


def _values(result: Result) -> dict[str, Any]:
    """Return what an event holds: numbers and words; curves stay in the file that is written."""
    span = result.span
    values: dict[str, Any] = {
        "window": span.number,
        "first_frame": span.first,
        "last_frame": span.last,
        "revision": span.revision,
        "flags": ", ".join(result.flags),
    }
    for trend in result.trends:
        values[_key(trend.name)] = trend.value
        values[f"{_key(trend.name)}_sigma"] = trend.sigma
    for name, value in result.environment:
        values[_key(name)] = value
    return values


def _key(name: str) -> str:
    return name.replace(".", "_").replace("/", "_").replace(" ", "_")


def _kind(value: object) -> str:
    if isinstance(value, str):
        return "string"
    return "integer" if isinstance(value, int) else "number"
