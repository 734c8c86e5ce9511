"""A message as it came over the wire, before anybody looked into it."""

from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class RawMessage:
    """One message of a stream, byte for byte: what is recorded, replayed and re-published."""

    channel: str
    """Which of the source's sockets it came through; most sources have one, ``stream``."""
    received: float
    """Unix seconds when livepdf had all of it."""
    parts: tuple[bytes | memoryview, ...] = field(repr=False)
    """In order, never changed and never reused."""

    @property
    def size(self) -> int:
        """Bytes of all parts together."""
        return sum(map(len, self.parts))
