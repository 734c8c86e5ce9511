"""A DECTRIS detector with the legacy stream (V1) that does not exist."""

from typing import Any

import click

from livepdf.simulate.stream1 import Detail, run_messages
from tools.detectors.options import fault_options, faults_of, image_options, socket_options
from tools.detectors.pictures import pictures
from tools.detectors.send import as_messages, send


@click.command("dectris-v1")
@socket_options("tcp://127.0.0.1:9999")
@image_options
@click.option(
    "--header",
    "detail",
    type=click.Choice(["none", "basic", "all"]),
    default="all",
    show_default=True,
    help="header_detail of the detector; only 'all' sends the pixel mask.",
)
@click.option("--split-header", is_flag=True, help="Each part of the header in its own message.")
@click.option("--appendix", help="header_appendix: any text.")
@click.option("--image-appendix", help="image_appendix: any text.")
@click.option("--ends", type=click.IntRange(min=0), default=2, help="How often the end is sent.")
@click.option("--raw", is_flag=True, help="Pixels that are not compressed.")
@fault_options
def main(
    endpoint: str,
    wait: float,
    detail: Detail,
    split_header: bool,
    appendix: str | None,
    image_appendix: str | None,
    ends: int,
    raw: bool,
    **given: Any,
) -> None:
    """Push a series as an EIGER or PILATUS with the legacy stream (JSON and blobs, port 9999).

    The end comes twice, at the end and when the detector is disarmed; real ones do so, some send
    none (--ends 0). --split-header sends the header in pieces, as another simulator does.

    \b
    python3 -m tools.detectors dectris-v1 --header basic --ends 0
    """  # noqa: D301 click wants the real control character
    faults, rate = faults_of(given), given["rate"]
    seen = pictures(given, seed=faults.seed)
    parts = run_messages(
        seen.series,
        seen.images,
        detail=detail,
        appendix=None if appendix is None else appendix.encode(),
        image_appendix=None if image_appendix is None else image_appendix.encode(),
        split_header=split_header,
        packed=not raw,
        ends=ends,
    )
    send(
        as_messages(parts, is_image=lambda message: b'"dimage-' in message[0]),
        faults=faults,
        rate=rate,
        endpoint=endpoint,
        way="push",
        wait=wait,
        name="dectris-v1",
    )


if __name__ == "__main__":
    main()
