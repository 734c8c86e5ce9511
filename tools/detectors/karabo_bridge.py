"""A Karabo bridge of the European XFEL that does not exist."""

import time
from typing import Any

import click

from livepdf.simulate.faults import Message
from livepdf.simulate.karabo import Version, run_messages
from livepdf.simulate.port import Way
from tools.detectors.options import fault_options, faults_of, image_options, socket_options
from tools.detectors.pictures import pictures
from tools.detectors.send import send

_FIRST_TRAIN = 1_000_000_000


@click.command("karabo")
@socket_options("tcp://127.0.0.1:45451")
@image_options
@click.option(
    "--way",
    type=click.Choice(["rep", "pub", "push"]),
    default="rep",
    show_default=True,
    help="A train on request, to everybody, or pushed to one reader.",
)
@click.option("--version", type=click.Choice(["1.0", "2.2"]), default="2.2", show_default=True)
@click.option("--source", default="SIM/DET/CAMERA:output", show_default=True)
@click.option("--key", default="data.image.pixels", show_default=True)
@fault_options
def main(
    endpoint: str, wait: float, way: Way, version: Version, source: str, key: str, **given: Any
) -> None:
    """Give one image in each train, as a Karabo bridge does (port 45451).

    A bridge has no header and no end: a gap in the train numbers is a train that was lost.

    \b
    python3 -m tools.detectors karabo --way pub --version 1.0 --loss 0.05
    """  # noqa: D301 click wants the real control character
    faults, rate = faults_of(given), given["rate"]
    seen = pictures(given, seed=faults.seed)
    trains = run_messages(
        seen.images,
        source=source,
        key=key,
        first_train=_FIRST_TRAIN,
        version=version,
        beside={"SIM/XGM/DOOCS:output": {"data.intensityTD": 1200.0}},
        began=time.time(),
        rate=rate,
    )
    send(
        (Message(role="image", parts=parts) for parts in trains),
        faults=faults,
        rate=rate,
        endpoint=endpoint,
        way=way,
        wait=wait,
        name="karabo",
    )


if __name__ == "__main__":
    main()
