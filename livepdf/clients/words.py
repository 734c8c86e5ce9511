"""The daemon's state in words and figures that fit on one line."""

import math

from livepdf.model.curve import Trend
from livepdf.model.quality import Lamp
from livepdf.model.status import Counters, Disk, FeedStatus, Status


def status_line(status: Status, *, now: float) -> str:
    """Return the status as one line; ``now`` is Unix seconds."""
    counters = status.counters
    parts: list[str] = [status.state]
    if status.preparing:
        parts.append(status.preparing)
    if status.run:
        parts.append(f"{status.run}, {status.windows} windows")
    parts.append(
        f"{counters.received} frames: {counters.used} used, {_left_out(counters)}"
        f"{sum(counters.refused.values())} refused, {counters.waiting} waiting, "
        f"{counters.lost} lost"
    )
    parts.append(f"{status.rate:.1f} Hz")
    if math.isfinite(status.lag):
        parts.append(f"lag {duration(status.lag)}")
    if math.isfinite(status.newest):
        parts.append(f"newest frame {duration(now - status.newest)} ago")
    elif status.source_state:
        parts.append(f"source {status.source_state}")
    return " · ".join(parts + [f"! {problem}" for problem in status.problems[:1]])


def lamp_line(lamp: Lamp) -> str:
    """Return how one quality flag stands as one line."""
    if not math.isfinite(lamp.value):
        return f"{lamp.name}: {lamp.reason}"
    words = f"{lamp.name}: {lamp.value:.3g} {lamp.unit} (limit {lamp.limit:g})"
    frames = f", {lamp.frames} frames so far" if lamp.frames else ""
    return f"{'! ' if lamp.raised else ''}{words}{frames}"


def disk_line(disk: Disk) -> str:
    """Return how much room is left as one line: ``disk: 148 GB free, full in 5 h at 8.2 MB/s``."""
    words = f"disk: {_short(disk.free / 1e9)} GB free"
    if math.isfinite(disk.lasts):
        words = f"{words}, full in {duration(disk.lasts)} at {_short(disk.pace / 1e6)} MB/s"
    return f"{'! ' if disk.short else ''}{words}"


def costs_line(status: Status) -> str:
    """Return what a window costs: ``analysis: 41 ms a window: structure fit 36 ms, …``."""
    total = sum(seconds for _, seconds in status.costs)
    dearest = sorted(status.costs, key=lambda cost: -cost[1])
    parts = [f"{name} {_milliseconds(seconds)}" for name, seconds in dearest]
    words = f"analysis: {_milliseconds(total)} of CPU a window: {', '.join(parts)}"
    late = f"; {status.owed} windows get their trends later" if status.owed else ""
    return f"{words}{late}"


def _milliseconds(seconds: float) -> str:
    return f"{1000 * seconds:.3g} ms" if seconds >= 1e-4 else "< 0.1 ms"


def _short(value: float) -> str:
    return f"{value:.0f}" if value >= 100 else f"{value:.3g}"


def _left_out(counters: Counters) -> str:
    return f"{counters.left_out} left out, " if counters.left_out else ""


def feed_line(feed: FeedStatus) -> str:
    """Return how a feed of slow values is doing as one line."""
    parts = [f"{feed.name}: {feed.state}"]
    parts += [f"{name} {value:.5g}" for name, value in feed.newest]
    if math.isfinite(feed.clock_offset):
        used = "" if feed.clock_used == feed.clock_offset else f", {feed.clock_used:+.1f} s used"
        spread = f" ± {feed.clock_uncertainty:.1g}" if math.isfinite(feed.clock_uncertainty) else ""
        parts.append(f"clock {feed.clock_offset:+.2f}{spread} s{used}")
    parts += [f"{count} × {reason}" for reason, count in feed.missing.items()]
    return " · ".join(parts)


def duration(seconds: float) -> str:
    """Return a time that people read: ``12 ms``, ``3.4 s``, ``2 min``, ``5 h``."""
    if not math.isfinite(seconds):
        return "–"
    seconds = max(0.0, seconds)
    if seconds < 0.9995:
        return f"{1000 * seconds:.0f} ms"
    if seconds < 90:
        return f"{seconds:.1f} s"
    return f"{seconds / 60:.0f} min" if seconds < 5400 else f"{seconds / 3600:.0f} h"


def with_sigma(trend: Trend) -> str:
    """Return ``value ± σ unit`` with two figures of σ, or the reason why there is none."""
    if trend.reason or not math.isfinite(trend.value):
        return trend.reason or "no value"
    if not (math.isfinite(trend.sigma) and trend.sigma > 0):
        return f"{trend.value:.4g} {trend.unit}".rstrip()
    digits = max(0, 1 - math.floor(math.log10(trend.sigma)))
    if digits > 8:
        return f"{trend.value:.6g} ± {trend.sigma:.1g} {trend.unit}".rstrip()
    return f"{trend.value:.{digits}f} ± {trend.sigma:.{digits}f} {trend.unit}".rstrip()
