"""What the collector's thread does: joins slow values to what the workers made, and settles it."""

import queue
from collections.abc import Callable

from livepdf.daemon.collector import Collector
from livepdf.daemon.joining import Joiner
from livepdf.daemon.timings import Timings
from livepdf.daemon.workers import Outcomes

_PATIENCE = 0.2
"""s between two looks at what waits for slow values."""


def collect(
    collector: Collector,
    *,
    outcomes: Outcomes,
    joiner: Joiner,
    timings: Timings,
    given_up: Callable[[], bool],
    after: Callable[[], None],
) -> None:
    """Settle outcomes until the collector has ended.

    Parameters
    ----------
    given_up
        Tells whether nothing more will come, as after a defect.
    after
        Called after each look.
    """
    while not collector.ended:
        try:
            ready = joiner.add(outcomes.get(timeout=min(_PATIENCE, joiner.pause)))
        except queue.Empty:
            ready = joiner.due()
            collector.rest()
            if given_up():
                collector.finish()
        with timings.measure("collect", len(ready)):
            for outcome in ready:
                collector.take(outcome)
        after()
