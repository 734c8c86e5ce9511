"""A DECTRIS detector (Stream V2) that does not exist."""

from collections.abc import Iterator
from typing import Any

import click

from livepdf.simulate.faults import Message
from livepdf.simulate.stream2 import (
    end_message,
    image_content,
    packed_image_message,
    start_message,
)
from tools.detectors.options import fault_options, faults_of, image_options, socket_options
from tools.detectors.pictures import Pictures, pictures
from tools.detectors.send import send


@click.command("dectris-v2")
@socket_options("tcp://127.0.0.1:31001")
@image_options
@click.option("--ends", type=click.IntRange(min=0), default=1, help="How often the end is sent.")
@fault_options
def main(endpoint: str, wait: float, ends: int, **given: Any) -> None:
    """Push a series as a DECTRIS control unit does (CBOR, port 31001).

    --ends 2 sends the end twice, as a detector that is disarmed after its end. Of a stream that
    is pushed there is one reader: start a second one and each gets every other image.

    \b
    python3 -m tools.detectors dectris-v2 --write demo.poni
    python3 -m tools.detectors dectris-v2 --loss 0.02 --disorder 0.1 --corruption 0.01 --seed 7
    """  # noqa: D301 click wants the real control character
    faults, rate = faults_of(given), given["rate"]
    seen = pictures(given, seed=faults.seed)
    messages = _messages(seen, ends=ends)
    send(
        messages,
        faults=faults,
        rate=rate,
        endpoint=endpoint,
        way="push",
        wait=wait,
        name="dectris-v2",
    )


def _messages(seen: Pictures, *, ends: int) -> Iterator[Message]:
    series = seen.series
    yield Message(role="start", parts=[start_message(series)])
    for index, image in enumerate(seen.images):
        content = image_content(image)
        parts = [packed_image_message(series, index=index, content=content, user_data={})]
        yield Message(role="image", parts=parts)
    for _ in range(ends):
        yield Message(role="end", parts=[end_message(series)])


if __name__ == "__main__":
    main()
