"""Messages of DESY's HiDRA: files cut into chunks."""

import json
from collections.abc import Iterator
from pathlib import PurePosixPath

CHUNK = 10 << 20
"""Bytes of a chunk, as the program is delivered."""
Parts = list[bytes]


def file_messages(
    path: PurePosixPath, content: bytes, *, chunk_size: int = CHUNK, modified: float = 0.0
) -> Iterator[Parts]:
    """Yield the chunks of one file, each as a JSON part and its bytes.

    Parameters
    ----------
    path
        Below the folder that HiDRA watches.
    content
        The file.
    chunk_size
        Bytes; the last chunk is shorter, and empty when the file fills the others.
    modified : float
        Unix seconds.
    """
    fields = {
        "source_path": "/ramdisk",
        "relative_path": str(path.parent),
        "filename": path.name,
        "version": "4.4.3",
        "filesize": len(content),
        "file_mod_time": modified,
        "file_create_time": modified,
        "chunksize": chunk_size,
        "confirmation_required": False,
    }
    for number, start in enumerate(range(0, max(len(content), 1), chunk_size)):
        header = json.dumps({**fields, "chunk_number": number}).encode()
        yield [header, content[start : start + chunk_size]]


def alive() -> Parts:
    """Return what is sent now and then to see whether a reader is there."""
    return [b"ALIVE_TEST"]
