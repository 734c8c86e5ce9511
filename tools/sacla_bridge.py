"""An example: shots of SACLA, by SACLA's own Python, as a DECTRIS V2 stream for livepdf.

It runs on an analysis host of SACLA, whose Python brings ``dbpy`` and ``stpy``; it needs pyzmq,
cbor2 and numpy beside them, and nothing of livepdf. It follows published scripts: neither library
is public, and the bridge was not run against them. Take it as a start.

    python sacla_bridge.py --beamline 3 --run 123456 --detector MPCCD-8N0-3-002 --bind tcp://*:31001

livepdf then reads it with

    [source]
    kind = "dectris-stream-v2"
    endpoint = "tcp://HOST:31001"

Photons = counts × gain (e⁻ per count) × 3.65 eV per e⁻ / photon energy of the shot (eV). Modules
are put one below the other in the order in which they are named.
"""

import argparse
import importlib
import time
from collections.abc import Iterator, Sequence
from typing import Any

import cbor2
import numpy as np
import zmq
from numpy.typing import NDArray

EV_PER_ELECTRON = 3.65
FLOAT32 = 85
"""RFC 8746: little-endian 32-bit floats."""
ROW_MAJOR = 40
CHANNEL = "photons"
ENERGY = "xfel_bl_{beamline}_tc_spec_1/energy"
"""keV of each shot, where the spectrometer could tell."""


def start_message(series: int, name: str, shape: tuple[int, int], frames: int) -> bytes:
    """Return the message that begins a series."""
    return cbor2.dumps(
        {
            "type": "start",
            "series_id": series,
            "series_unique_id": name,
            "channels": [CHANNEL],
            "number_of_images": frames,
            "image_size_x": shape[1],
            "image_size_y": shape[0],
            "user_data": {"tag step": 2},
        }
    )


def image_message(series: int, name: str, number: int, photons: NDArray[np.float32]) -> bytes:
    """Return the message of one shot, (ny, nx)."""
    content = cbor2.CBORTag(FLOAT32, np.ascontiguousarray(photons, "<f4").tobytes())
    return cbor2.dumps(
        {
            "type": "image",
            "series_id": series,
            "series_unique_id": name,
            "image_id": number,
            "real_time": [1, 1],
            "data": {CHANNEL: cbor2.CBORTag(ROW_MAJOR, [list(photons.shape), content])},
        }
    )


def end_message(series: int, name: str) -> bytes:
    """Return the message that ends a series."""
    return cbor2.dumps({"type": "end", "series_id": series, "series_unique_id": name})


def shots(
    *, stpy: Any, dbpy: Any, beamline: int, run: int, detectors: Sequence[str]
) -> Iterator[tuple[int, NDArray[np.float32]]]:
    """Yield tag and photons of every shot whose photon energy and modules are all there."""
    high = dbpy.read_hightagnumber(beamline, run)
    tags = dbpy.read_taglist_byrun(beamline, run)
    energies = dbpy.read_syncdatalist(ENERGY.format(beamline=beamline), high, tags)
    readers = [stpy.StorageReader(name, beamline, (run,)) for name in detectors]
    buffers = [stpy.StorageBuffer(reader) for reader in readers]
    for tag, said in zip(tags, energies, strict=False):
        try:
            energy = 1000 * float(said)
        except ValueError:
            continue  # "not-converged" or "saturated"
        modules = []
        for reader, buffer in zip(readers, buffers, strict=True):
            reader.collect(buffer, tag)
            gain = float(buffer.read_det_info(0)["mp_absgain"])
            modules.append(gain * np.asarray(buffer.read_det_data(0), np.float32))
        yield int(tag), np.concatenate(modules) * np.float32(EV_PER_ELECTRON / energy)


def publish(socket: Any, run: int, found: Iterator[tuple[int, NDArray[np.float32]]]) -> int:
    """Push a run as one series; return how many shots it had.

    Shots are numbered one after the other: tags go up in steps, which are no losses.
    """
    name, number = f"sacla-{run}", 0
    for number, (_, photons) in enumerate(found, start=1):
        if number == 1:
            rows, columns = photons.shape
            socket.send(start_message(run, name, (rows, columns), 0))
        socket.send(image_message(run, name, number - 1, photons))
    if number:
        socket.send(end_message(run, name))
    return number


def main() -> None:
    """Push one run."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--beamline", type=int, required=True)
    parser.add_argument("--run", type=int, required=True)
    parser.add_argument("--detector", action="append", required=True, help="one for each module")
    parser.add_argument("--bind", default="tcp://*:31001")
    options = parser.parse_args()
    socket: Any = zmq.Context.instance().socket(zmq.PUSH)
    socket.bind(options.bind)
    found = shots(
        stpy=importlib.import_module("stpy"),
        dbpy=importlib.import_module("dbpy"),
        beamline=options.beamline,
        run=options.run,
        detectors=options.detector,
    )
    began = time.monotonic()
    number = publish(socket, options.run, found)
    print(f"{number} shots in {time.monotonic() - began:.1f} s")


if __name__ == "__main__":
    main()
