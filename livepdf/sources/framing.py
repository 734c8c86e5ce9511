"""Messages between livepdf and its reading process: a JSON header, then blobs of stated sizes."""

import json
import socket
from collections.abc import Sequence
from typing import Any

LENGTH = 4
"""Bytes of the length of the header, big-endian."""
BUFFER = 4 << 20
"""Bytes that the kernel may hold, so that an image crosses in few steps."""


def send(to: socket.socket, header: dict[str, Any], blobs: Sequence[bytes | memoryview]) -> None:
    """Send one message."""
    text = json.dumps({**header, "sizes": [len(blob) for blob in blobs]}).encode()
    to.sendall(len(text).to_bytes(LENGTH, "big") + text)
    for blob in blobs:
        to.sendall(blob)


def receive(source: socket.socket) -> tuple[dict[str, Any], list[memoryview]]:
    """Receive one message; every blob is in memory of its own. EOFError when the peer has gone."""
    length = int.from_bytes(_exactly(source, LENGTH), "big")
    header = json.loads(bytes(_exactly(source, length)))
    return header, [_exactly(source, size) for size in header.pop("sizes")]


def _exactly(source: socket.socket, size: int) -> memoryview:
    blob = memoryview(bytearray(size))
    filled = 0
    while filled < size:
        received = source.recv_into(blob[filled:])
        if received == 0:
            raise EOFError("the other end has gone")
        filled += received
    return blob.toreadonly()
