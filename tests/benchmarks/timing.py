"""Fair times on a machine that others use too: turns in one process, CPU time, medians."""

import statistics
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

PATIENCE = 0.3
"""s that a sample waits for a quiet moment."""
_LOAD = Path("/proc/loadavg")


@dataclass(frozen=True, slots=True, kw_only=True)
class Time:
    """CPU time of one call of one contender, ms; the same as wall time for one quiet thread."""

    median: float
    """Of the quiet samples, or of all where fewer than three were quiet."""
    best: float
    quiet: int = 0
    """Samples before and after which at most one other process wanted to run."""

    def over(self, parts: int) -> "Time":
        """Return the time of each of ``parts`` equal parts."""
        return Time(median=self.median / parts, best=self.best / parts, quiet=self.quiet)


def race(
    contenders: Mapping[str, Callable[[int], object]],
    *,
    rounds: int,
    warm_up: int = 2,
    patience: float = PATIENCE,
) -> dict[str, Time]:
    """Time contenders in turns, forward then backward, so that a noisy minute hits all alike.

    Each is called with the number of the round, to take another frame each time.
    """
    names = list(contenders)
    taken: dict[str, list[tuple[float, bool]]] = {name: [] for name in names}
    for number in range(-warm_up, rounds):
        for name in names if number % 2 else reversed(names):
            if number < 0:
                contenders[name](number)
                continue
            quiet = _quiet_within(patience)
            started = time.process_time()
            contenders[name](number)
            spent = 1e3 * (time.process_time() - started)
            taken[name].append((spent, quiet and _is_quiet()))
    return {name: _time(samples) for name, samples in taken.items()}


def _time(samples: list[tuple[float, bool]]) -> Time:
    quiet = [spent for spent, was_quiet in samples if was_quiet]
    chosen = quiet if len(quiet) >= 3 else [spent for spent, _ in samples]
    return Time(
        median=statistics.median(chosen), best=min(spent for spent, _ in samples), quiet=len(quiet)
    )


def _quiet_within(patience: float) -> bool:
    end = time.monotonic() + patience
    while not _is_quiet():
        if time.monotonic() > end:
            return False
        time.sleep(0.02)
    return True


def _is_quiet() -> bool:
    if not _LOAD.exists():
        return True
    # "running/all": this process is one of the running ones.
    return int(_LOAD.read_text(encoding="ascii").split()[3].split("/")[0]) <= 2
