"""A bluesky RunEngine behind its 0MQ proxy that does not exist."""

import time
import uuid
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import click
import h5py
import numpy as np

from livepdf.simulate import bluesky_documents as documents
from livepdf.simulate.faults import Message, Role
from tools.detectors.options import fault_options, faults_of, image_options, socket_options
from tools.detectors.pictures import Pictures, pictures
from tools.detectors.send import send


@click.command("bluesky")
@socket_options("tcp://127.0.0.1:5568")
@image_options
@click.option(
    "--file",
    type=click.Path(dir_okay=False, path_type=Path),
    help="Write the images to this HDF5 file and send references, as area detectors do; left out, "
    "the images stand in the events.",
)
@fault_options
def main(endpoint: str, wait: float, file: Path | None, **given: Any) -> None:
    """Publish the documents of a run as bluesky's proxy does (JSON, port 5568).

    Whoever comes late has missed the start: begin the reader first, or use --no-start.

    \b
    python3 -m tools.detectors bluesky --file /tmp/scan.h5
    """  # noqa: D301 click wants the real control character
    faults, rate = faults_of(given), given["rate"]
    seen = pictures(given, seed=faults.seed)
    run = uuid.uuid4().hex
    messages = _inside(seen, run, rate) if file is None else _beside(seen, run, file.resolve())
    send(
        messages,
        faults=faults,
        rate=rate,
        endpoint=endpoint,
        way="pub",
        wait=wait,
        name="bluesky",
    )


def _inside(seen: Pictures, run: str, rate: float) -> Iterator[Message]:
    began = time.time()
    yield _message("start", documents.start(run, scan=1, time=began, sample="simulated"))
    shape = seen.series.shape
    yield _message("start", documents.descriptor(run, shape=shape, external=False))
    for index, image in enumerate(seen.images):
        data = {documents.KEY: image.tolist()}
        when = began + index / rate
        yield _message("image", documents.event(run, number=index + 1, time=when, data=data))
    yield _message("end", documents.stop(run, time=time.time()))


def _beside(seen: Pictures, run: str, path: Path) -> Iterator[Message]:
    shape = seen.series.shape
    yield _message("start", documents.start(run, scan=1, time=time.time(), sample="simulated"))
    yield _message("start", documents.descriptor(run, shape=shape, external=True))
    with h5py.File(path, "x", libver="latest") as file:
        dataset = file.create_dataset(
            "entry/data/data",
            shape=(0, *shape),
            maxshape=(None, *shape),
            chunks=(1, *shape),
            dtype=np.dtype(seen.series.dtype),
        )
        file.swmr_mode = True
        yield _message("start", documents.hdf5_resource(run, path, dataset="entry/data/data"))
        for index, image in enumerate(seen.images):
            dataset.resize(index + 1, axis=0)
            dataset[index] = image
            dataset.flush()
            yield _message("image", documents.hdf5_images(run, first=index, count=1))
    yield _message("end", documents.stop(run, time=time.time()))


def _message(role: Role, document: bytes) -> Message:
    return Message(role=role, parts=[document])


if __name__ == "__main__":
    main()
