"""Send a series over a socket at its rate, with all that goes wrong on the way."""

import json
import sys
import threading
import time
from collections.abc import Callable, Iterable, Iterator
from dataclasses import asdict

from livepdf.cli.signals import stopped_by_signal
from livepdf.errors import LivepdfError
from livepdf.simulate.faults import Faults, Message, Pause, Restart, Step, Tally, faulty
from livepdf.simulate.port import Port, Way


def as_messages(
    parts: Iterable[list[bytes]], *, is_image: Callable[[list[bytes]], bool]
) -> Iterator[Message]:
    """Tell start, images and end apart: what is no image is start before the first one."""
    seen = False
    for message in parts:
        image = is_image(message)
        seen = seen or image
        yield Message(role="image" if image else "end" if seen else "start", parts=message)


def send(
    messages: Iterable[Message],
    *,
    faults: Faults,
    rate: float,
    endpoint: str,
    way: Way,
    wait: float,
    name: str,
) -> None:
    """Bind, print `bound ADDRESS`, send, and print what became of the images as JSON.

    Whoever cannot bind, or finds no reader in time, ends the process with a message.
    """
    tally = Tally()
    with stopped_by_signal() as stop:
        try:
            sent = _send(
                faulty(messages, faults, tally),
                rate=rate,
                endpoint=endpoint,
                way=way,
                wait=wait,
                stop=stop,
            )
        except LivepdfError as error:
            sys.exit(f"{name}: {error}")
    print(json.dumps({"sent": sent, **asdict(tally)}), flush=True)


def _send(
    steps: Iterator[Step],
    *,
    rate: float,
    endpoint: str,
    way: Way,
    wait: float,
    stop: threading.Event,
) -> int:
    port = Port(endpoint, way=way, patience=wait)
    print(f"bound {port.endpoint}", flush=True)
    sent = images = 0
    try:
        port.wait_for_reader(stop=stop)
        began = time.monotonic()
        for step in steps:
            if isinstance(step, Restart):
                address = port.endpoint
                port.close()
                port = Port(address, way=way, patience=wait)
                continue
            if isinstance(step, Pause):
                began += step.seconds
                if stop.wait(step.seconds):
                    break
                continue
            due = began + images / rate
            if stop.wait(max(0.0, due - time.monotonic())) or not port.send(step.parts, stop=stop):
                break
            images += step.role == "image"
            sent += 1
    finally:
        port.close()
    return sent
