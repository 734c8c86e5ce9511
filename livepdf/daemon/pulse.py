"""A source that counts how often it is asked: whoever watches sees whether it hangs."""

from livepdf.model.frame import SourceItem
from livepdf.sources.source import Source


class Pulse:
    """Passes everything on to a source."""

    def __init__(self, source: Source) -> None:
        self._source = source
        self.description = source.description
        self.beats = 0
        """Grows with every look at the source, whether anything came or not."""

    def open(self) -> None:
        """Open the source; raises SourceError."""
        self._source.open()

    def poll(self, timeout: float) -> list[SourceItem]:
        """Return what came within ``timeout`` s."""
        items = list(self._source.poll(timeout))
        self.beats += 1
        return items

    def state(self) -> str:
        """Return how the source is doing, in words."""
        return self._source.state()

    def lost(self) -> int:
        """Return how many frames never arrived."""
        return self._source.lost()

    def close(self) -> None:
        """Close the source."""
        self._source.close()
