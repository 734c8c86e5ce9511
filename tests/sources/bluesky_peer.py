"""Runs bluesky's RunEngine with its Publisher; a program of its own, spoken to over its pipes.

Arguments: address of the proxy, serializer (json, msgpack or pickle), folder for images, number.
It publishes greetings until it is told to go, so that nothing is lost while sockets connect.
"""

import json
import pickle
import selectors
import sys
from typing import Any

import numpy as np


def main(address: str, serializer: str, folder: str, number: int) -> None:
    import msgpack
    import msgpack_numpy
    from bluesky import RunEngine
    from bluesky.callbacks.zmq import Publisher
    from bluesky.plans import count
    from ophyd.sim import SynSignal, SynSignalWithRegistry

    def packed(doc: dict[str, Any]) -> bytes:
        return bytes(msgpack.packb(doc, default=msgpack_numpy.encode))

    serializers = {
        "json": lambda doc: json.dumps(doc).encode(),
        "msgpack": packed,
        "pickle": pickle.dumps,
    }
    publisher = Publisher(address, serializer=serializers[serializer])
    images = iter(range(number + 2))
    image = SynSignalWithRegistry(
        func=lambda: np.arange(12, dtype="u2").reshape(3, 4) + next(images),
        name="camera",
        save_path=folder,
    )
    temperatures = iter(range(300, 300 + number + 2))
    temperature = SynSignal(func=lambda: float(next(temperatures)), name="furnace")
    inline = SynSignal(func=lambda: [[1, 2, 3], [4, 5, 6]], name="inline")
    engine = RunEngine({})
    engine.subscribe(publisher)
    selector = selectors.DefaultSelector()
    selector.register(sys.stdin, selectors.EVENT_READ)
    while not selector.select(0.05):
        publisher("start", {"uid": "greeting", "time": 0.0})
    detectors = [inline, temperature] if folder == "inline" else [image, temperature]
    engine(count(detectors, num=number), sample_name="SnO2")
    sys.stdout.write("done\n")
    sys.stdout.flush()
    sys.stdin.readline()
    sys.stdin.readline()


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2], sys.argv[3], int(sys.argv[4]))
