"""The process that reads image files for livepdf, so that a reader that hangs can be killed.

Started as ``python -m livepdf.sources.child``; answers every request with one JSON header and the
images as plain bytes.
"""

import json
import logging
import os
import sys
import threading
from dataclasses import asdict
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any

from livepdf.errors import FrameError
from livepdf.sources.batch import Batch
from livepdf.sources.read_images import read_batch


def main(requests: int, life: int) -> None:
    """Answer requests until the other end is closed."""
    threading.Thread(target=_end_with_parent, args=(life,), daemon=True).start()
    logging.disable(logging.WARNING)
    connection = Connection(requests)
    connection.send_bytes(b"ready")
    while True:
        try:
            request = json.loads(connection.recv_bytes())
            _answer(connection, request)
        except (EOFError, ConnectionError):
            return


def _answer(connection: "Connection[Any, Any]", request: dict[str, Any]) -> None:
    try:
        batch = read_batch(
            Path(request["path"]),
            first=request["first"],
            most_bytes=request["most_bytes"],
            sidecar=request["sidecar"],
        )
    except FrameError as error:
        header = {"refused": error.reason, "detail": error.detail}
        connection.send_bytes(json.dumps(header).encode())
        return
    except Exception as error:  # noqa: BLE001  (readers written by others raise anything)
        header = {"refused": "unreadable", "detail": f"{type(error).__name__}: {error}"[:300]}
        connection.send_bytes(json.dumps(header).encode())
        return
    connection.send_bytes(json.dumps(_header(batch)).encode())
    for image in batch.images:
        connection.send_bytes(image.image.blob)


def _header(batch: Batch) -> dict[str, Any]:
    images = [
        {
            "number": image.number,
            "exposure": image.exposure,
            "algorithm": image.image.algorithm,
            "shape": image.image.shape,
            "dtype": image.image.dtype.str,
        }
        for image in batch.images
    ]
    return {
        "images": images,
        "more": batch.more,
        "growing": batch.growing,
        "stack": batch.stack,
        "sidecar": asdict(batch.sidecar),
    }


def _end_with_parent(life: int) -> None:
    """Wait for the end of the process that started this one; a hanging reader must not stay."""
    os.read(life, 1)
    os._exit(1)


if __name__ == "__main__":
    main(int(sys.argv[1]), int(sys.argv[2]))
