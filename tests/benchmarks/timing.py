"""Fair times on a machine that others use too: turns in one process, CPU time, medians."""

import statistics
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Time:
    """CPU time of one call of one contender, ms; the same as wall time for one quiet thread."""

    median: float
    best: float


def race(contenders: Mapping[str, Callable[[int], object]], *, rounds: int) -> dict[str, Time]:
    """Time contenders in turns, forward then backward, so that a noisy minute hits all alike.

    Each is called with the number of the round, to take another frame each time.
    """
    names = list(contenders)
    taken: dict[str, list[float]] = {name: [] for name in names}
    for number in range(-2, rounds):
        for name in names if number % 2 else reversed(names):
            started = time.process_time()
            contenders[name](number)
            if number >= 0:
                taken[name].append(1e3 * (time.process_time() - started))
    return {
        name: Time(median=statistics.median(times), best=min(times))
        for name, times in taken.items()
    }
