"""One series of a detector that pushes, sent at its own pace."""

import threading
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass

from livepdf.simulate.port import Port


@dataclass(frozen=True, slots=True, kw_only=True)
class Sent:
    """What became of the images of a series."""

    images: int
    """That went out."""
    dropped: int
    """That no reader had room for."""
    seconds: float
    """From the first one on."""
    late: float
    """s that the last one went out behind its time."""


def send_series(
    port: Port,
    *,
    start: bytes,
    images: Iterable[bytes],
    end: bytes,
    rate: float,
    stop: threading.Event,
    sent: Callable[[int], None],
    drop: bool = False,
) -> Sent:
    """Send a series at ``rate`` Hz.

    The clock starts when a reader took the start message. A late image is sent at once. When
    ``stop`` is set the series ends early, with its end message.

    Parameters
    ----------
    sent : callable
        Told the number of images sent so far after each one.
    drop : bool
        Drop an image that no reader has room for, as a detector does, instead of waiting.
    """
    if not port.send([start], stop=stop):
        return Sent(images=0, dropped=0, seconds=0.0, late=0.0)
    began = time.monotonic()
    count = dropped = 0
    due = began
    for message in images:
        due = began + (count + dropped) / rate
        if stop.wait(max(due - time.monotonic(), 0.0)):
            break
        if drop and not port.offer([message]):
            dropped += 1
            continue
        if not drop and not port.send([message], stop=stop):
            break
        count += 1
        sent(count)
    now = time.monotonic()
    # The end goes out even after a stop, if a reader is there to take it.
    port.send_last(end, stop=stop)
    return Sent(images=count, dropped=dropped, seconds=now - began, late=max(now - due, 0.0))
