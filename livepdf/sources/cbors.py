"""Read streams that MAX IV's tools recorded: CBOR items one after the other (``.cbors``)."""

import re
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import cbor2

from livepdf.errors import FileError
from livepdf.model.raw import RawMessage
from livepdf.model.recorded import Origin, Recorded

SUFFIXES = (".cbors", ".cborseq")
_EVENT, _FRAME = 42877, 42878
"""Tags of an event of several streams, and of one stream's message in it."""
_PERIOD = 0.01
"""s between two messages: these files hold no times."""
_PROBE = 512
"""Bytes of a message that tell its protocol."""


class CborsReader:
    """A recording of ZeroMQ messages without times or settings."""

    def __init__(self, path: Path, *, stream: str | None = None) -> None:
        """Name it.

        Parameters
        ----------
        stream : str, optional
            Which stream to take from a file of several; needed where there is more than one.
        """
        self.path = path
        self._stream = stream

    def origin(self) -> Origin | None:
        """Return the protocol as the first message shows it; None for one that is not known."""
        for message in self.messages():
            kind = protocol_of(message.raw.parts)
            return None if kind is None else Origin(kind=kind)
        return None

    def messages(self) -> Iterator[Recorded]:
        """Walk through the messages; received every 10 ms from the time of the file on.

        Raises
        ------
        FileError
            When the file cannot be read, is cut off, or holds several streams and none was chosen.
        """
        for number, (name, parts) in enumerate(self._items()):
            raw = RawMessage(channel=name, received=self._time(number), parts=parts)
            yield Recorded(raw=raw, sequence=number)

    def _time(self, number: int) -> float:
        return float(int(self.path.stat().st_mtime)) + number * _PERIOD

    def _items(self) -> Iterator[tuple[str, tuple[bytes, ...]]]:
        try:
            with self.path.open("rb") as file:
                size = file.seek(0, 2)
                file.seek(0)
                while file.tell() < size:
                    found = self._parts(cbor2.load(file))
                    if found is not None:
                        yield found
        except OSError as error:
            raise FileError(f"cannot read {self.path}: {error.strerror or error}") from None
        except (cbor2.CBORDecodeError, ValueError) as error:
            raise FileError(f"{self.path} is no whole sequence of CBOR items: {error}") from None

    def _parts(self, item: Any) -> tuple[str, tuple[bytes, ...]] | None:
        if isinstance(item, cbor2.CBORTag) and item.tag == _EVENT:
            streams = item.value[1]
            name = self._chosen(streams)
            if name not in streams:
                return None
            return name, _byte_strings(streams[name].value[1])
        return "stream", _byte_strings(item)

    def _chosen(self, streams: Mapping[str, Any]) -> str:
        if self._stream is not None:
            return self._stream
        if len(streams) > 1:
            names = ", ".join(streams)
            raise FileError(f"{self.path} holds several streams ({names}): say which with --stream")
        return next(iter(streams), "")


def protocol_of(parts: Sequence[bytes | memoryview]) -> str | None:
    """Return the ``kind`` of source that such a first message belongs to, None where unknown."""
    head = bytes(parts[0][:_PROBE]) if parts else b""
    if re.search(rb'"htype"\s*:\s*"d(header|image|series_end)-', head):
        return "dectris-stream-v1"
    if re.search(rb'"htype"\s*:\s*"(header|image|series_end)"', head):
        return "stins"
    if len(parts) == 1 and re.search(rb"dtype(estart|eimage|cend)", head):
        return "dectris-stream-v2"
    return None


def _byte_strings(item: Any) -> tuple[bytes, ...]:
    if not isinstance(item, list | tuple) or not all(isinstance(part, bytes) for part in item):
        raise ValueError(f"a {type(item).__name__} where the parts of a message were wanted")
    return tuple(item)
