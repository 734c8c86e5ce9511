"""A Jungfraujoch that does not exist; made after its documentation, not after the program."""

from collections.abc import Iterator
from dataclasses import replace
from typing import Any, Literal

import cbor2
import click

from livepdf.simulate.faults import Message
from livepdf.simulate.stream2 import (
    Series,
    end_message,
    image_content,
    packed_image_message,
    start_message,
)
from tools.detectors.options import fault_options, faults_of, image_options, socket_options
from tools.detectors.pictures import Pictures, pictures
from tools.detectors.send import send

CHANNEL = "default"
MORE = {"magic_number": 0x52320000, "error_value": 2**32 - 1}
SPOTS = {"spots": [{"x": 1.0, "y": 2.0, "I": 7.0}], "indexing_result": False}


@click.command("jungfraujoch")
@socket_options("tcp://127.0.0.1:31004")
@image_options
@click.option(
    "--way",
    type=click.Choice(["pub", "push"]),
    default="pub",
    show_default=True,
    help="The Preview socket, for everybody, or an Image socket, for its one reader.",
)
@click.option(
    "--every",
    type=click.IntRange(min=1),
    default=1,
    show_default=True,
    help="Of so many images a preview shows one.",
)
@fault_options
def main(endpoint: str, wait: float, way: Literal["pub", "push"], every: int, **given: Any) -> None:
    """Send a series as PSI's Jungfraujoch does: Stream V2 with more keys and messages in it.

    Nobody counts what a preview leaves out; of an Image socket every gap is a loss.

    \b
    python3 -m tools.detectors jungfraujoch --every 10 --rate 2
    python3 -m tools.detectors jungfraujoch --way push --loss 0.02
    """  # noqa: D301 click wants the real control character
    faults, rate = faults_of(given), given["rate"]
    seen = pictures(given, seed=faults.seed)
    send(
        _messages(seen, every=every),
        faults=faults,
        rate=rate,
        endpoint=endpoint,
        way=way,
        wait=wait,
        name="jungfraujoch",
    )


def _messages(seen: Pictures, *, every: int) -> Iterator[Message]:
    series = replace(seen.series, channel=CHANNEL)
    more = {**MORE, "detector_distance": series.distance_m}
    yield Message(role="start", parts=[start_message(series, more=more)])
    yield Message(role="start", parts=[_beside("calibration", series)])
    for number, image in enumerate(seen.images):
        part = packed_image_message(
            series,
            index=number * every,
            content=image_content(image, channel=CHANNEL),
            user_data={},
            more={**MORE, **SPOTS},
        )
        yield Message(role="image", parts=[part])
    yield Message(role="end", parts=[_beside("metadata", series)])
    yield Message(role="end", parts=[end_message(series)])


def _beside(kind: str, series: Series) -> bytes:
    """Return a message that other readers want, and ours passes over."""
    return cbor2.dumps({"type": kind, "series_id": series.series_id, "data": {}})


if __name__ == "__main__":
    main()
