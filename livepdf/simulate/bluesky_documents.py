"""bluesky documents of a run whose images stand in its events or lie in one HDF5 file."""

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

KEY = "detector"
"""Data key of the images."""


def message(name: str, fields: Mapping[str, Any], *, prefix: bytes = b"") -> bytes:
    """Return one document as bluesky's Publisher sends it, serialised as JSON."""
    return b" ".join([prefix, name.encode(), json.dumps(fields).encode()])


def start(run: str, *, scan: int, time: float, sample: str = "") -> bytes:
    """Return the first document of a run."""
    return message("start", {"uid": run, "scan_id": scan, "time": time, "sample_name": sample})


def descriptor(
    run: str, *, shape: Sequence[int], external: bool, values: Sequence[str] = ()
) -> bytes:
    """Return the document that says what the events of the stream ``primary`` hold."""
    image = {"dtype": "array", "shape": list(shape), "source": "simulated"}
    if external:
        image["external"] = "STREAM:"
    numbers = {name: {"dtype": "number", "shape": [], "source": "simulated"} for name in values}
    keys = {KEY: image, **numbers}
    fields = {"uid": f"{run}-primary", "run_start": run, "name": "primary", "data_keys": keys}
    return message("descriptor", fields)


def event(run: str, *, number: int, time: float, data: Mapping[str, Any]) -> bytes:
    """Return one event; ``number`` counts from 1, as bluesky does."""
    fields = {
        "uid": f"{run}-{number}",
        "descriptor": f"{run}-primary",
        "seq_num": number,
        "time": time,
        "data": dict(data),
        "timestamps": dict.fromkeys(data, time),
    }
    return message("event", fields)


def hdf5_resource(run: str, path: Path, *, dataset: str) -> bytes:
    """Return the document that names the file of the images."""
    fields = {
        "uid": f"{run}-file",
        "run_start": run,
        "data_key": KEY,
        "mimetype": "application/x-hdf5",
        "uri": f"file://localhost{path}",
        "parameters": {"dataset": dataset},
    }
    return message("stream_resource", fields)


def hdf5_images(run: str, *, first: int, count: int) -> bytes:
    """Return the document that says which images of the file have been taken."""
    fields = {
        "uid": f"{run}-file/{first}",
        "descriptor": f"{run}-primary",
        "stream_resource": f"{run}-file",
        "indices": {"start": first, "stop": first + count},
        "seq_nums": {"start": first + 1, "stop": first + count + 1},
    }
    return message("stream_datum", fields)


def stop(run: str, *, time: float) -> bytes:
    """Return the last document of a run."""
    fields = {"uid": f"{run}-stop", "run_start": run, "time": time, "exit_status": "success"}
    return message("stop", fields)
