"""The process that reads image files for livepdf, so that a reader that hangs can be killed.

Started as ``python -m livepdf.sources.child``; answers every request with one message.
"""

import logging
import os
import socket
import sys
import threading
from dataclasses import asdict
from pathlib import Path
from typing import Any

from livepdf.errors import FrameError
from livepdf.sources.batch import Batch
from livepdf.sources.framing import BUFFER, receive, send
from livepdf.sources.read_images import read_batch


def main(requests: int, life: int) -> None:
    """Answer requests until the other end is closed."""
    threading.Thread(target=_end_with_parent, args=(life,), daemon=True).start()
    logging.disable(logging.WARNING)
    connection = socket.socket(fileno=requests)
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, BUFFER)
    send(connection, {"ready": True}, [])
    while True:
        try:
            request, _ = receive(connection)
            header, batch = _answer(request)
            send(connection, header, [image.image.blob for image in batch.images])
        except (EOFError, ConnectionError):
            return


def _answer(request: dict[str, Any]) -> tuple[dict[str, Any], Batch]:
    try:
        batch = read_batch(
            Path(request["path"]),
            first=request["first"],
            most_bytes=request["most_bytes"],
            sidecar=request["sidecar"],
        )
    except FrameError as error:
        return {"refused": error.reason, "detail": error.detail}, Batch(images=[], more=False)
    except Exception as error:  # noqa: BLE001  (readers written by others raise anything)
        detail = f"{type(error).__name__}: {error}"[:300]
        return {"refused": "unreadable", "detail": detail}, Batch(images=[], more=False)
    return _header(batch), batch


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
