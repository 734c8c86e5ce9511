"""Files that DESY's HiDRA sends in chunks: the messages read, the chunks put together."""

from collections import OrderedDict
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import PurePosixPath

from livepdf.errors import FrameError
from livepdf.sources.fields import Part, in_words, json_map, number, text, whole

ALIVE = b"ALIVE_TEST"
MOST_OPEN = 64
"""Files of which chunks may be missing at one time."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Chunk:
    """A piece of a file."""

    path: PurePosixPath
    """Below the folder that HiDRA watches; never leads out of it."""
    number: int
    size: int
    """Bytes of the whole file, as far as the sender knew."""
    chunk_size: int
    modified: float | None
    """Unix seconds."""
    payload: Part = field(repr=False)


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class ReceivedFile:
    """A file of which every chunk has come."""

    path: PurePosixPath
    modified: float | None
    content: bytes = field(repr=False)


def parse(parts: Sequence[Part]) -> Chunk | None:
    """Read one message; None for a sign of life.

    Raises FrameError ``malformed`` for anything else.
    """
    if len(parts) == 1 and bytes(parts[0][: len(ALIVE) + 1]) == ALIVE:
        return None
    if len(parts) != 2:
        raise FrameError("malformed", f"a message of {len(parts)} parts, a chunk has two")
    fields = json_map(parts[0])
    return Chunk(
        path=_path(text(fields.get("relative_path")), text(fields.get("filename"))),
        number=whole(fields, "chunk_number"),
        size=whole(fields, "filesize"),
        chunk_size=whole(fields, "chunksize", least=1),
        modified=number(fields.get("file_mod_time")),
        payload=parts[1],
    )


def _path(folder: str, name: str) -> PurePosixPath:
    path = PurePosixPath(folder, name)
    unsafe = path.is_absolute() or ".." in path.parts or "\0" in str(path)
    if not name or "/" in name or unsafe or len(str(path)) > 1000:
        raise FrameError("malformed", f"file {in_words(str(path))!r}")
    return path


@dataclass(slots=True, kw_only=True)
class _Open:
    chunks: dict[int, Part]
    since: float
    held: int = 0
    last: int | None = None
    """Number of the last chunk, once that has come."""


class Assembly:
    """Puts chunks together; holds no more than ``limit`` bytes."""

    def __init__(self, limit: int) -> None:
        self._limit = limit
        self._open: OrderedDict[PurePosixPath, _Open] = OrderedDict()
        self.held = 0
        """Bytes of chunks whose files are not whole."""

    def add(self, chunk: Chunk, *, now: float) -> ReceivedFile | None:
        """Take a chunk; return its file when that is whole.

        Raises FrameError ``too large`` for a file that cannot be held, and ``wrong size`` for one
        with more bytes than its chunks may have.
        """
        if chunk.size > self._limit:
            self._forget(chunk.path)
            raise FrameError("too large", f"{chunk.path}: {chunk.size} bytes")
        if len(chunk.payload) > chunk.chunk_size or chunk.number > self._limit // chunk.chunk_size:
            self._forget(chunk.path)
            raise FrameError("wrong size", f"{chunk.path}: chunk {chunk.number}")
        file = self._open.setdefault(chunk.path, _Open(chunks={}, since=now))
        if chunk.number not in file.chunks:
            file.chunks[chunk.number] = chunk.payload
            file.held += len(chunk.payload)
            self.held += len(chunk.payload)
        if len(chunk.payload) < chunk.chunk_size or file.held >= chunk.size:
            file.last = max(file.chunks)
        if file.last is None or any(n not in file.chunks for n in range(file.last + 1)):
            return None
        self._forget(chunk.path)
        content = b"".join(file.chunks[n] for n in range(file.last + 1))
        return ReceivedFile(path=chunk.path, modified=chunk.modified, content=content)

    def give_up(self, *, now: float, patience: float) -> list[PurePosixPath]:
        """Forget files that were waited for too long, or that are too many; return them."""
        lost = []
        while self._open:
            path, file = next(iter(self._open.items()))
            full = self.held > self._limit or len(self._open) > MOST_OPEN
            if not full and now - file.since < patience:
                break
            self._forget(path)
            lost.append(path)
        return lost

    def _forget(self, path: PurePosixPath) -> None:
        file = self._open.pop(path, None)
        if file is not None:
            self.held -= file.held
