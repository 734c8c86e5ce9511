"""Histories as the follower makes them, for tests of what is decided without a display."""

import numpy as np
from livepdf_gui.show.columns import History, RecordedWindows

from livepdf.model.curve import Result
from tests.gui.publisher import Q, R


def history_of(results: list[Result]) -> History:
    """Return the frozen history of these windows."""
    windows = RecordedWindows(results[0].span.run, q=Q, r=R)
    for result in results:
        windows.put(
            result.span,
            iq=result.curve("iq").y,
            gr=result.curve("gr").y,
            trends=result.trends,
            environment=result.environment,
        )
    return windows.freeze()


def flat_history(values: list[float], *, points: int = 50) -> History:
    """Return windows whose G(r) is one constant each; NaN leaves the window out."""
    from livepdf.model.curve import Span

    r = np.linspace(2.0, 10.0, points)
    windows = RecordedWindows("flat", q=r, r=r)
    for number, value in enumerate(values):
        if np.isnan(value):
            continue
        span = Span(
            scope="window", run="flat", number=number, first=number, last=number, frames=1,
            start=100.0 + number, end=101.0 + number, revision=1,
        )  # fmt: skip
        row = np.full(points, value)
        windows.put(span, iq=row, gr=row, trends=(), environment=())
    return windows.freeze()
