"""Whether every stage goes on: one that has work and does none is stuck."""

from collections.abc import Mapping
from dataclasses import dataclass

STALL = 60.0
"""s without progress, with work waiting, after which a stage counts as stuck."""


@dataclass(frozen=True, slots=True)
class Stage:
    """One part of the daemon at one moment."""

    done: int
    """Grows with every piece of work."""
    busy: bool
    """Whether it has something to do; a stage that merely waits is never stuck."""


class Watchdog:
    """Remembers when each stage last got on."""

    def __init__(self, *, stall: float = STALL) -> None:
        """Make it; ``stall`` in s."""
        self._stall = stall
        self._seen: dict[str, tuple[int, float]] = {}

    def stuck(self, stages: Mapping[str, Stage], now: float) -> tuple[str, ...]:
        """Return the stages that do not get on, in words; ``now`` in s of a steady clock."""
        found = []
        for name, stage in stages.items():
            done, since = self._seen.get(name, (-1, now))
            if done != stage.done or not stage.busy:
                self._seen[name] = (stage.done, now)
            elif now - since > self._stall:
                found.append(f"{name} does nothing for {now - since:.0f} s, with work waiting")
        return tuple(found)
