"""The results socket: every message numbered, never waiting for a viewer."""

import threading
import time
from collections.abc import Callable, Sequence
from typing import Any

import msgspec
import numpy as np
import zmq
from numpy.typing import NDArray

from livepdf.daemon.door import Door
from livepdf.daemon.relay import Relay
from livepdf.model.breakdown import BreakdownReport
from livepdf.model.curve import Curve, Result
from livepdf.model.laser import LaserReport
from livepdf.model.serial import SerialReport
from livepdf.model.status import Event, Status
from livepdf.wire import breakdown, laser, serial
from livepdf.wire.codec import encode
from livepdf.wire.curves import CurveHeader
from livepdf.wire.messages import (
    BreakdownMessage,
    ByeMessage,
    EventMessage,
    LaserMessage,
    PreviewMessage,
    ResultMessage,
    SerialMessage,
    StatusMessage,
)

Array = NDArray[Any]

_LARGEST_SUBSCRIPTION = 4096
_WATERMARK = 200
"""Messages held for a viewer that is slow; what is beyond it misses, and fetches later."""


class Publisher:
    """Publishes from any thread; a slow viewer loses messages, the daemon loses no time."""

    def __init__(
        self, context: "zmq.Context[zmq.Socket[bytes]]", address: str, *, door: Door | None = None
    ) -> None:
        self._lock = threading.Lock()
        self._socket = context.socket(zmq.PUB)
        # All that a viewer ever sends is what it subscribes to.
        self._socket.setsockopt(zmq.MAXMSGSIZE, _LARGEST_SUBSCRIPTION)
        if door is not None:
            door.guard(self._socket, "results")
        self._socket.setsockopt(zmq.SNDHWM, _WATERMARK)
        self._socket.setsockopt(zmq.LINGER, 500)
        self._sequence = 0
        self.relay: Relay | None = None
        """Where everything goes beside the wire."""
        self.results = self.statuses = 0
        """How many were published."""
        try:
            self._socket.bind(address)
        except zmq.ZMQError:
            self._socket.close(linger=0)
            raise
        self.address = self._socket.getsockopt_string(zmq.LAST_ENDPOINT)
        """Address that clients subscribe to."""

    @property
    def sequence(self) -> int:
        """Number of the last message."""
        return self._sequence

    def result(self, result: Result) -> None:
        """Publish all curves and trends of one window or run."""
        self.results += 1
        if self.relay is not None:
            self.relay.result(result)
        headers, arrays = curve_buffers(result.curves)
        self._send(
            lambda n: ResultMessage(
                sequence=n,
                span=result.span,
                curves=headers,
                trends=result.trends,
                environment=result.environment,
                flags=result.flags,
                quality=result.quality,
                flagged=result.flagged,
                left_out=result.left_out,
            ),
            arrays,
        )

    def status(self, status: Status) -> None:
        """Publish the status: also the heartbeat."""
        self.statuses += 1
        if self.relay is not None:
            self.relay.status(status)
        self._send(lambda n: StatusMessage(sequence=n, status=status))

    def event(self, event: Event) -> None:
        """Publish that something happened."""
        if self.relay is not None:
            self.relay.event(event)
        self._send(lambda n: EventMessage(sequence=n, event=event))

    def preview(
        self,
        image: NDArray[np.float32],
        *,
        saturated: NDArray[np.bool_] | None = None,
        run: str,
        frame: int,
        binning: int,
    ) -> None:
        """Publish a small detector image, (ny, nx), NaN where masked."""
        self._send(
            lambda n: PreviewMessage(
                sequence=n,
                run=run,
                frame=frame,
                time=time.time(),
                image=0,
                binning=binning,
                saturated=-1 if saturated is None else 1,
            ),
            [image] if saturated is None else [image, saturated],
        )

    def laser(self, report: LaserReport) -> None:
        """Publish what is known of shots with and without a laser."""
        header, arrays = laser.take_apart(report)
        self._send(lambda n: LaserMessage(sequence=n, header=header), arrays)

    def serial(self, report: SerialReport) -> None:
        """Publish what is known of hits."""
        header, arrays = serial.take_apart(report)
        self._send(lambda n: SerialMessage(sequence=n, header=header), arrays)

    def breakdown(self, report: BreakdownReport) -> None:
        """Publish what is known of samples that a laser destroys."""
        header, arrays = breakdown.take_apart(report)
        self._send(lambda n: BreakdownMessage(sequence=n, header=header), arrays)

    def close(self, reason: str) -> None:
        """Say good-bye and close."""
        self._send(lambda n: ByeMessage(sequence=n, reason=reason))
        with self._lock:
            self._socket.close()

    def _send(self, message: Callable[[int], msgspec.Struct], arrays: Sequence[Array] = ()) -> None:
        with self._lock:
            if self._socket.closed:
                return
            self._sequence += 1
            self._socket.send_multipart(encode(message(self._sequence), arrays), copy=False)


def curve_buffers(curves: Sequence[Curve]) -> tuple[tuple[CurveHeader, ...], list[Array]]:
    """Return headers that number the buffers, and the buffers; a shared x travels once."""
    arrays: list[Array] = []
    places: dict[int, int] = {}

    def place(array: Array) -> int:
        if id(array) not in places:
            places[id(array)] = len(arrays)
            arrays.append(array)
        return places[id(array)]

    headers = tuple(
        CurveHeader(kind=c.kind, x=place(c.x), y=place(c.y), sigma=place(c.sigma)) for c in curves
    )
    return headers, arrays
