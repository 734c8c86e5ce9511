"""Which windows have newer results than those that a viewer has."""

from livepdf.model.status import Redo

_Key = tuple[str, int, str, bool]
"""Run, revision, part, and whether the course of the run was followed once more."""


class Renewal:
    """Turns what the daemon says about its progress into windows to fetch again."""

    def __init__(self) -> None:
        self._key: _Key | None = None
        self._low = 0
        """Windows from here on were fetched, or are wanted already."""
        self._ranges: list[tuple[int, int]] = []

    def join(self, redo: Redo | None) -> None:
        """Begin with a history that is fetched after this was said."""
        self._ranges = []
        self._key = None if redo is None else _key(redo)
        self._low = 0 if redo is None else redo.first

    def rejoin(self, redo: Redo | None) -> None:
        """Go on with windows that were fetched before, after words may have been missed."""
        if redo is None:
            self.join(None)
        else:
            self.hear(redo)

    def hear(self, redo: Redo | None) -> None:
        """Take what the daemon says."""
        if redo is None:
            return
        key = _key(redo)
        oldest = redo.last - redo.total + 1
        if key != self._key:
            before = None if self._key is None else self._key[:2]
            if redo.part == "trends" and redo.followed < 0:
                # All have their curves by now, whether that was heard or not.
                self._low = self._low if before == key[:2] else redo.last + 1
                self._want(oldest)
            self._key, self._low = key, max(redo.last, redo.followed) + 1
        self._want(oldest if redo.followed >= 0 else redo.first)

    def next(self, run: str, most: int) -> tuple[int, int] | None:
        """Return first number and how many to fetch, None where all is new."""
        if self._key is None or self._key[0] != run:
            self._ranges = []
        if not self._ranges:
            return None
        first, last = self._ranges[0]
        return first, min(last - first + 1, most)

    def came(self, asked: int, last: int) -> None:
        """Note that windows came: those from ``asked`` on were wanted, ``last`` is the newest.

        What was asked for because it was missing tells nothing about what is to be renewed.
        """
        if not self._ranges or self._ranges[0][0] != asked:
            return
        first, end = self._ranges.pop(0)
        if first <= last < end:
            self._ranges.insert(0, (last + 1, end))

    def _want(self, first: int) -> None:
        if first < self._low:
            self._ranges.append((first, self._low - 1))
            self._low = first


def _key(redo: Redo) -> _Key:
    return redo.run, redo.revision, redo.part, redo.followed >= 0
