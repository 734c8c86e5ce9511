"""A DECTRIS detector that does not exist: sends packed powder images (Stream V2) at a set rate."""

import json
import sys
import threading
import time
import uuid
from collections.abc import Iterator
from datetime import UTC, datetime
from itertools import count, islice
from pathlib import Path

import click
import numpy as np
from numpy.typing import NDArray

from livepdf.cli.signals import stopped_by_signal
from livepdf.daemon.memory import tune_process
from livepdf.errors import LivepdfError
from livepdf.simulate.port import Port
from livepdf.simulate.powder import CAMERAS, WAVELENGTH, blind_pixels, powder_images
from livepdf.simulate.sender import Sent, send_series
from livepdf.simulate.stream2 import (
    Series,
    end_message,
    image_content,
    packed_image_message,
    start_message,
)

_HC = 12.398419843
"""keV Å"""


@click.command()
@click.option("--camera", type=click.Choice(list(CAMERAS)), default="pilatus-2m", show_default=True)
@click.option("--mean", type=click.FloatRange(min=0, min_open=True), help="Counts per pixel.")
@click.option(
    "--endpoint",
    default="tcp://127.0.0.1:0",
    show_default=True,
    help="Address to bind, as a detector does; port 0 takes a free one.",
)
@click.option("--rate", type=click.FloatRange(min=0, min_open=True), default=250.0, help="Hz.")
@click.option("--frames", type=click.IntRange(min=1), default=15000, help="Length of the series.")
@click.option(
    "--distinct", type=click.IntRange(min=1), default=8, help="Different images, taken in turn."
)
@click.option("--seed", type=click.IntRange(min=0), default=0, help="Of the noise.")
@click.option("--drop", is_flag=True, help="Drop what no reader has room for, as a detector does.")
@click.option(
    "--room", type=click.IntRange(min=1), default=200, help="Images held for a slow reader."
)
@click.option("--wait", type=float, default=60.0, help="s to wait for a reader.")
@click.option("--hold", is_flag=True, help="Begin with a line on standard input.")
@click.option(
    "--write",
    type=click.Path(dir_okay=False, path_type=Path),
    help="Write the calibration (.poni) to this file.",
)
@click.option(
    "--times",
    type=click.Path(dir_okay=False, path_type=Path),
    help="Write when each image was sent (Unix s), one line each.",
)
def main(
    camera: str,
    mean: float | None,
    endpoint: str,
    rate: float,
    frames: int,
    distinct: int,
    seed: int,
    drop: bool,
    room: int,
    wait: float,
    hold: bool,
    write: Path | None,
    times: Path | None,
) -> None:
    """Send a series of powder images as a DECTRIS detector control unit does.

    The images are drawn and packed (bitshuffle, LZ4) before the first line on standard output,
    `bound ADDRESS`. Once a reader is there the series starts and keeps its rate. The last line is
    JSON: images sent and dropped, seconds, and how late the last image was.

    \b
    python3 -m tools.detectors.dectris_v2 --rate 250 --write detector.poni
    python3 -m tools.detectors.dectris_v2 --camera eiger-9m --rate 100 --drop
    """  # noqa: D301  (\b is click's own mark)
    tune_process()
    chosen = CAMERAS[camera]
    if write is not None:
        write.write_text(chosen.poni_text(), encoding="utf-8")
    images = powder_images(chosen, count=min(distinct, frames), mean=mean, seed=seed)
    contents = [image_content(image) for image in images]
    blind = blind_pixels(chosen.geometry())
    try:
        with (
            Port(endpoint, patience=wait, queue=room) as port,
            stopped_by_signal() as stop,
        ):
            print(f"bound {port.endpoint}", flush=True)
            if hold and port.wait_for_reader(stop=stop):
                sys.stdin.readline()
            series = _series(camera, blind, frames=frames, rate=rate)
            clock: list[float] = []
            sent = _send(port, series, contents, rate=rate, stop=stop, drop=drop, clock=clock)
    except LivepdfError as error:
        sys.exit(f"dectris_v2: {error}")
    if times is not None:
        times.write_text("".join(f"{moment:.6f}\n" for moment in clock), encoding="ascii")
    print(_summary(sent, contents), flush=True)


def _series(camera: str, blind: NDArray[np.bool_], *, frames: int, rate: float) -> Series:
    chosen = CAMERAS[camera]
    return Series(
        series_id=1,
        unique_id=uuid.uuid4().hex,
        images=frames,
        shape=chosen.shape,
        energy=_HC / WAVELENGTH,
        distance_m=chosen.distance_m,
        pixel_m=chosen.pixel_m,
        beam=chosen.beam,
        frame_time=1.0 / rate,
        blind=blind,
        armed=datetime.now(UTC),
        description=f"{camera} (simulated)",
        dtype=chosen.dtype,
    )


def _send(
    port: Port,
    series: Series,
    contents: list[bytes],
    *,
    rate: float,
    stop: threading.Event,
    drop: bool,
    clock: list[float],
) -> Sent:
    return send_series(
        port,
        start=start_message(series),
        images=islice(_messages(series, contents), series.images),
        end=end_message(series),
        rate=rate,
        stop=stop,
        sent=lambda _: clock.append(time.time()),
        drop=drop,
    )


def _messages(series: Series, contents: list[bytes]) -> Iterator[bytes]:
    for index in count():
        content = contents[index % len(contents)]
        yield packed_image_message(series, index=index, content=content, user_data={})


def _summary(sent: Sent, contents: list[bytes]) -> str:
    return json.dumps(
        {
            "sent": sent.images,
            "dropped": sent.dropped,
            "seconds": round(sent.seconds, 3),
            "late": round(sent.late, 3),
            "bytes": round(sum(map(len, contents)) / len(contents)),
        }
    )


if __name__ == "__main__":
    main()
