"""The process that reads image files for livepdf, so that a reader that hangs can be killed.

Started as ``python -m livepdf.sources.child``; answers every request with one message.
"""

import logging
import os
import socket
import sys
import threading
from dataclasses import replace
from pathlib import Path
from typing import Any

from livepdf.errors import FrameError
from livepdf.sources.batch import FileState
from livepdf.sources.batch_message import Blob, to_message
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
            send(connection, *_answer(request))
        except (EOFError, ConnectionError):
            return


def _answer(request: dict[str, Any]) -> tuple[dict[str, Any], list[Blob]]:
    path = Path(request["path"])
    try:
        before = _state(path)
        batch = read_batch(
            path,
            first=request["first"],
            most_bytes=request["most_bytes"],
            sidecar=request["sidecar"],
            dataset=request["dataset"],
        )
        after = _state(path)
        if not batch.stack and None not in (before, after) and before != after:
            raise FrameError("incomplete", f"{path.name} was written to while it was read")
    except FrameError as error:
        return {"refused": error.reason, "detail": error.detail}, []
    except Exception as error:  # noqa: BLE001  (readers written by others raise anything)
        detail = f"{type(error).__name__}: {error}"[:300]
        return {"refused": "unreadable", "detail": detail}, []
    return to_message(replace(batch, state=after))


def _state(path: Path) -> FileState | None:
    try:
        stat = path.stat()
    except OSError:
        return None  # what reads it says what is wrong
    return FileState(stat.st_size, stat.st_mtime_ns, stat.st_ino)


def _end_with_parent(life: int) -> None:
    """Wait for the end of the process that started this one; a hanging reader must not stay."""
    os.read(life, 1)
    os._exit(1)


if __name__ == "__main__":
    main(int(sys.argv[1]), int(sys.argv[2]))
