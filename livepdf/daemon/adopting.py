"""Windows that a killed process had written after it last noted how far it was.

Their frames were in memory alone, so they cannot be made again: they stay in the file, and the
run goes on after them.
"""

import math
from collections.abc import Collection, Sequence
from dataclasses import replace

from livepdf.daemon.runs import TakenUp
from livepdf.daemon.windows import CutterState, Growing
from livepdf.model.sums import Sums
from livepdf.sinks.nexus_read import Stored

_NOTHING = CutterState(number=0, place=None, origin=math.nan, open=Growing(), whole=Growing())


def irreplaceable(
    rows: Sequence[Stored], taken_up: TakenUp, *, on_disk: Collection[int]
) -> list[Stored]:
    """Return the windows that are to stay: none where all their frames lie on disk.

    Parameters
    ----------
    rows
        What the last file of the run holds from the next window on, in order.
    on_disk : collection of int
        Numbers of the frames that come again.
    """
    found = [row for number, row in enumerate(rows, taken_up.number) if row.span.number == number]
    state = taken_up.state or _NOTHING
    settled = -1 if state.whole.sums is None else state.whole.last
    used = {index for row in found for index in range(row.span.first, row.span.last + 1)}
    if all(index <= settled or index in on_disk for index in used):
        return []
    bins = {sums.signal.shape for sums in (state.whole.sums, state.open.sums) if sums is not None}
    begun_anew = state.open.sums is not None and state.whole.first > state.open.first
    fits = bins <= {found[0].sums.signal.shape} and not begun_anew
    return found if fits else []


def adopt(taken_up: TakenUp, rows: Sequence[Stored]) -> TakenUp:
    """Return how far the run is with these windows; its open window is part of the first."""
    state = taken_up.state or _NOTHING
    first, last = rows[0].span, rows[-1].span
    whole = _merged(state.whole, state.open, rows)
    counters, begun = taken_up.counters, 0 if state.open.sums is None else state.open.sums.frames
    return replace(
        taken_up,
        state=CutterState(
            number=last.number + 1,
            place=None,
            origin=first.start if math.isnan(state.origin) else state.origin,
            open=Growing(),
            whole=whole,
        ),
        counters=replace(
            counters, used=counters.used + sum(row.span.frames for row in rows) - begun
        ),
        newest=max(taken_up.newest, last.last),
    )


def _merged(whole: Growing, begun: Growing, rows: Sequence[Stored]) -> Growing:
    """Return the sums of the run with those of its further windows."""
    sums, totals = whole.sums, dict(whole.totals)
    for row in rows:
        sums = row.sums if sums is None else sums + row.sums
        for name, mean in row.environment:
            total, n = totals.get(name, (0.0, 0))
            totals[name] = (total + mean * row.span.frames, n + row.span.frames)
    for name, (total, n) in begun.totals.items():
        total_with, n_with = totals.get(name, (0.0, 0))
        totals[name] = (total_with - total, n_with - n)
    first, last = rows[0].span, rows[-1].span
    empty = whole.sums is None
    return Growing(
        sums=sums if sums is None or begun.sums is None else _without(sums, begun.sums),
        first=first.first if empty else whole.first,
        last=last.last,
        start=first.start if empty else whole.start,
        end=last.end,
        received=last.end,
        totals=totals,
    )


def _without(sums: Sums, part: Sums) -> Sums:
    """Return sums less a part that they hold twice."""
    return Sums(
        signal=sums.signal - part.signal,
        variance=sums.variance - part.variance,
        weight=sums.weight - part.weight,
        pixels=sums.pixels - part.pixels,
        frames=sums.frames - part.frames,
        monitor=sums.monitor - part.monitor,
        exposure=sums.exposure - part.exposure,
    )
