"""MAX IV's streaming-receiver that does not exist."""

from typing import Any

import click

from livepdf.simulate.stins import run_messages
from tools.detectors.options import fault_options, faults_of, image_options, socket_options
from tools.detectors.pictures import pictures
from tools.detectors.send import as_messages, send


@click.command("stins")
@socket_options("tcp://127.0.0.1:26001")
@image_options
@click.option("--first-frame", type=click.IntRange(0, 1), default=0, help="As the detector counts.")
@click.option("--first-message", type=int, default=0, help="It counts on from run to run.")
@click.option("--filename", default="", help="Where it says that it writes the images.")
@click.option("--bare", is_flag=True, help="Packed without the 12 bytes of the HDF5 filter.")
@click.option("--raw", is_flag=True, help="Pixels that are not compressed.")
@click.option("--ends", type=click.IntRange(min=0), default=1, help="How often the end is sent.")
@fault_options
def main(
    endpoint: str,
    wait: float,
    first_frame: int,
    first_message: int,
    filename: str,
    bare: bool,
    raw: bool,
    ends: int,
    **given: Any,
) -> None:
    """Push a series as MAX IV's streaming-receiver does for live analysis (e.g. port 26001).

    \b
    python3 -m tools.detectors stins --filename /data/scan-0001.h5 --first-frame 1 --raw
    """  # noqa: D301 click wants the real control character
    faults, rate = faults_of(given), given["rate"]
    seen = pictures(given, seed=faults.seed)
    parts = run_messages(
        seen.series,
        seen.images,
        first_message=first_message,
        first_frame=first_frame,
        filename=filename,
        packed=not raw,
        bare=bare,
        ends=ends,
    )
    send(
        as_messages(parts, is_image=lambda message: b'"htype": "image"' in message[0]),
        faults=faults,
        rate=rate,
        endpoint=endpoint,
        way="push",
        wait=wait,
        name="stins",
    )


if __name__ == "__main__":
    main()
