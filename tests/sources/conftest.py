"""Recorded streams, and waiting for a condition instead of for a time."""

import io
import os
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import cbor2
import numpy as np
import pytest

from livepdf.model.frame import SourceItem

Recording = list[list[bytes]]


def wait_for(
    step: Callable[[], list[SourceItem]], done: Callable[[list[SourceItem]], Any], limit: float = 30
) -> list[SourceItem]:
    """Gather what ``step`` returns until ``done`` says so; fail after ``limit`` s."""
    items: list[SourceItem] = []
    deadline = time.monotonic() + limit
    while not done(items):
        if time.monotonic() > deadline:
            pytest.fail(f"not within {limit} s; so far {items}")
        items += step()
    return items


def kinds(items: list[SourceItem]) -> list[str]:
    return [type(item).__name__ for item in items]


@pytest.fixture
def older_cbor2() -> str:
    """Where tools/dev.py puts cbor2 5, beside the newer one of the environment."""
    folder = Path(os.environ.get("LIVEPDF_CBOR2_5", Path(sys.prefix) / "cbor2-5"))
    if not (folder / "cbor2").is_dir():
        message = f"cbor2 5 is not in {folder}; pip install --no-deps --target it 'cbor2<6'"
        if os.environ.get("CI") == "true":
            pytest.fail(message)
        pytest.skip(message)
    return str(folder)


@pytest.fixture
def recording(data_path: Callable[[str], Path]) -> Callable[[str], Recording]:
    """Return a function that reads a recorded stream: messages of parts."""

    def read(name: str) -> Recording:
        data = data_path(f"protocols/{name}.cborseq").read_bytes()
        stream, messages = io.BytesIO(data), []
        while stream.tell() < len(data):
            messages.append(cbor2.load(stream))
        return messages

    return read


@pytest.fixture
def si1m(recording: Callable[[str], Recording]) -> list[bytes]:
    """A real series of an EIGER 1M: start, ten images, end."""
    return [parts[0] for parts in recording("dectris_v2_eiger1_si1m_all_10frames")]


@pytest.fixture
def si16m(recording: Callable[[str], Recording]) -> list[bytes]:
    """A real series of an EIGER2 16M: start, one image, end."""
    return [parts[0] for parts in recording("dectris_v2_eiger2_si16m_start_image_end")]


def image_message(index: int, **changes: Any) -> bytes:
    """Encode a small raw image of series 7, one channel, with some of its keys changed."""
    pixels = np.arange(6, dtype="<u2") + index % 60_000
    fields = {
        "type": "image",
        "series_id": 7,
        "series_unique_id": "A",
        "image_id": index,
        "real_time": [1, 2],
        "data": {"threshold_1": cbor2.CBORTag(40, [[2, 3], cbor2.CBORTag(69, pixels.tobytes())])},
    }
    fields.update(changes)
    return cbor2.dumps({k: v for k, v in fields.items() if v is not None})


def start_message(**changes: Any) -> bytes:
    """Encode the start of series 7 with some of its keys changed."""
    fields = {
        "type": "start",
        "series_id": 7,
        "series_unique_id": "A",
        "channels": ["threshold_1"],
        "number_of_images": 10,
    }
    fields.update(changes)
    return cbor2.dumps({k: v for k, v in fields.items() if v is not None})


def end_message(number: int = 7, unique: str = "A") -> bytes:
    return cbor2.dumps({"type": "end", "series_id": number, "series_unique_id": unique})


@pytest.fixture
def watch(tmp_path: Path) -> Iterator[Callable[..., Any]]:
    """Return a function that opens a source on the folder of the test, with quick looks."""
    # Here, not above: these modules also serve where only the streams' libraries are installed.
    from livepdf.config.sources import Directory
    from livepdf.sources.directory import DirectorySource

    opened: list[DirectorySource] = []

    def open_source(**changes: Any) -> DirectorySource:
        settings = {"kind": "directory", "path": tmp_path, "poll": 0.05, "notify": False}
        source = DirectorySource(Directory(**{**settings, **changes}))
        source.open()
        opened.append(source)
        return source

    yield open_source
    for source in opened:
        source.close()
