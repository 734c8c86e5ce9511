"""What the web page shows, as plain numbers and words: from the mirror of a viewer."""

import math
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from livepdf.clients.words import duration, status_line
from livepdf.model.curve import Curve, CurveKind, Trend
from livepdf.wire.mirror import Mirror, RunWindows

Json = dict[str, object]
POINTS = 1500
"""Of a curve or a trend, at most: more than a screen has."""
_EVENTS = 20
_STALE = 10.0
"""s after which data count as old."""


def page_state(mirror: Mirror, *, now: float) -> Json:
    """Return everything that the page draws; ``now`` is Unix seconds."""
    status, latest = mirror.status, mirror.latest
    shown: Json = {
        "version": mirror.version,
        "connected": mirror.connected,
        "connection": mirror.connection,
        "title": "livepdf",
        "line": mirror.connection if status is None else status_line(status, now=now),
        "problems": [] if status is None else list(status.problems),
    }
    if mirror.snapshot is not None:
        shown["title"] = f"{mirror.snapshot.profile} · {mirror.snapshot.sample}"
    if status is not None:
        age = now - status.newest
        counters = status.counters
        shown |= {
            "state": status.state,
            "run": status.run,
            "age": duration(age),
            "stale": status.state == "running" and age > _STALE,
            "lag": duration(status.lag),
            "received": counters.received,
            "used": counters.used,
            "refused": sum(counters.refused.values()),
            "waiting": counters.waiting,
            "lost": counters.lost,
        }
    if latest is not None:
        span = latest.span
        shown["scope"] = f"window {span.number}, {span.frames} frames"
        shown["curves"] = {kind: _curve(latest.curves, kind) for kind in ("gr", "iq")}
    if mirror.windows is not None:
        newest = (mirror.windows.trend(name)[-1] for name in mirror.windows.trend_names())
        shown["values"] = [_value(trend) for trend in newest if trend is not None]
        shown["trends"] = _trends(mirror.windows)
    shown["events"] = [
        {"ago": duration(now - event.time), "kind": event.kind, "text": event.text}
        for event in mirror.events[-_EVENTS:][::-1]
    ]
    return shown


def _curve(curves: Sequence[Curve], kind: CurveKind) -> Json | None:
    found = next((curve for curve in curves if curve.kind == kind), None)
    if found is None:
        return None
    step = max(1, math.ceil(found.x.size / POINTS))
    part = slice(None, None, step)
    return {
        "x": _numbers(found.x[part]),
        "y": _numbers(found.y[part]),
        "sigma": _numbers(found.sigma[part]),
    }


def _value(trend: Trend) -> Json:
    return {
        "name": trend.name,
        "unit": trend.unit,
        "value": _number(trend.value),
        "sigma": _number(trend.sigma),
        "reason": trend.reason,
    }


def _trends(windows: RunWindows) -> Json:
    times = windows.times()
    step = max(1, math.ceil(len(times) / POINTS))
    rows = range(len(times) - 1, -1, -step)[::-1]
    known = times[np.isfinite(times)]
    origin = known[0] if len(known) else 0.0
    shown: Json = {"time": _numbers(np.array([times[row] - origin for row in rows]))}
    lines = []
    for name in windows.trend_names():
        trend = windows.trend(name)
        picked = [trend[row] for row in rows]
        lines.append(
            {
                "name": name,
                "unit": next((one.unit for one in trend if one is not None), ""),
                "value": [None if one is None else _number(one.value) for one in picked],
                "sigma": [None if one is None else _number(one.sigma) for one in picked],
            }
        )
    shown["lines"] = lines
    return shown


def _number(value: float) -> float | None:
    """Return what JSON has: None in place of NaN."""
    return float(f"{value:.7g}") if math.isfinite(value) else None


def _numbers(values: NDArray[np.floating]) -> list[float | None]:
    return [_number(float(value)) for value in values]
