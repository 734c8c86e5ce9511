"""Slow values that somebody publishes as JSON over ZeroMQ."""

import time
from collections.abc import Callable, Mapping

import zmq

from livepdf.config.slow import SlowJson
from livepdf.errors import FrameError, SourceError
from livepdf.sources.fields import json_map, number
from livepdf.sources.slow_reading import Reading, taken

MOST_AT_ONCE = 1000
LARGEST = 1 << 20


def parse_slow(payload: bytes, settings: SlowJson, *, received: float) -> list[Reading]:
    """Read one object; FrameError ``malformed`` where it is none, or lacks its time or number."""
    fields = json_map(payload)
    stamp, frame = None, None
    if settings.frame is not None:
        counted = number(fields.get(settings.frame))
        if counted is None or counted != int(counted):
            raise FrameError("malformed", f"no {settings.frame} in a JSON object")
        frame = int(counted)
    elif (stamp := number(fields.get(settings.time))) is None:
        raise FrameError("malformed", f"no {settings.time} in a JSON object")
    return [
        Reading(
            name=value.name, value=taken(value, found), received=received, time=stamp, frame=frame
        )
        for value in settings.value
        if (found := number(_inside(fields, value.of))) is not None
    ]


class JsonFeed:
    """Subscribes to one publisher."""

    def __init__(self, settings: SlowJson, *, clock: Callable[[], float] = time.time) -> None:
        self.description = f"JSON from {settings.endpoint}"
        self._settings = settings
        self._clock = clock
        self._context: zmq.Context[zmq.Socket[bytes]] | None = None
        self._socket: zmq.Socket[bytes] | None = None
        self._state = "waiting: not open yet"
        self.refused = 0
        """Messages that were no such object."""

    def open(self) -> None:
        """Connect; ZeroMQ goes on trying by itself. Raises SourceError for a bad address."""
        self._context = zmq.Context()
        self._socket = self._context.socket(zmq.SUB)
        self._socket.setsockopt(zmq.LINGER, 0)
        self._socket.setsockopt(zmq.MAXMSGSIZE, LARGEST)
        self._socket.setsockopt(zmq.SUBSCRIBE, b"")
        try:
            self._socket.connect(self._settings.endpoint)
        except zmq.ZMQError as error:
            self.close()
            raise SourceError(f"cannot connect to {self._settings.endpoint}: {error}") from error
        self._state = f"waiting: nothing from {self._settings.endpoint} yet"

    def poll(self, timeout: float) -> list[Reading]:
        """Drain what is there, waiting at most ``timeout`` s for the first message."""
        readings: list[Reading] = []
        if self._socket is None or not self._socket.poll(int(timeout * 1000)):
            return readings
        for _ in range(MOST_AT_ONCE):
            try:
                payload = self._socket.recv_multipart(zmq.NOBLOCK)[-1]
            except zmq.Again:
                break
            try:
                readings += parse_slow(payload, self._settings, received=self._clock())
                self._state = "connected"
            except FrameError as error:
                self.refused += 1
                self._state = f"waiting: {error}"
        return readings

    def state(self) -> str:
        """Return ``connected``, ``waiting: …`` or ``lost: …``."""
        return self._state

    def close(self) -> None:
        """Close the socket."""
        if self._socket is not None:
            self._socket.close(linger=0)
        if self._context is not None:
            self._context.term()
        self._socket = self._context = None


def _inside(fields: Mapping[str, object], path: str) -> object:
    """Return the value of a key, or of a path of keys with dots."""
    if path in fields:
        return fields[path]
    value: object = fields
    for key in path.split("."):
        value = value.get(key) if isinstance(value, Mapping) else None
    return value
