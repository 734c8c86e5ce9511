"""Which windows have newer results than those that a viewer has."""

from livepdf.model.status import Redo


class Renewal:
    """Turns what the daemon says about its progress into windows to fetch again."""

    def __init__(self) -> None:
        self._key: tuple[str, int, str] | None = None
        self._low = 0
        """Windows from here on were fetched, or are wanted already."""
        self._ranges: list[tuple[int, int]] = []

    def join(self, redo: Redo | None) -> None:
        """Begin with a history that is fetched after this was said."""
        self._ranges = []
        self._key = None if redo is None else (redo.run, redo.revision, redo.part)
        self._low = 0 if redo is None else redo.first

    def hear(self, redo: Redo | None) -> None:
        """Take what the daemon says."""
        if redo is None:
            return
        key = (redo.run, redo.revision, redo.part)
        if key != self._key:
            if self._key is not None and self._key[:2] == key[:2]:
                self._want(redo.last - redo.total + 1)
            self._key, self._low = key, redo.last + 1
        self._want(redo.first)

    def next(self, run: str, most: int) -> tuple[int, int] | None:
        """Return first number and how many to fetch, None where all is new."""
        if self._key is None or self._key[0] != run:
            self._ranges = []
        if not self._ranges:
            return None
        first, last = self._ranges[0]
        return first, min(last - first + 1, most)

    def came(self, last: int) -> None:
        """Note that windows up to ``last`` of the first range came; -1 for none at all."""
        if not self._ranges:
            return
        first, end = self._ranges.pop(0)
        if first <= last < end:
            self._ranges.insert(0, (last + 1, end))

    def _want(self, first: int) -> None:
        if first < self._low:
            self._ranges.append((first, self._low - 1))
            self._low = first
