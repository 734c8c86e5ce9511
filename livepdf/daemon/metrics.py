"""Numbers for Prometheus, read when it asks: nothing is counted twice for it."""

import threading
from collections.abc import Callable, Iterable, Mapping
from wsgiref.simple_server import WSGIServer

from prometheus_client import CollectorRegistry, start_http_server
from prometheus_client.core import (
    CounterMetricFamily,
    GaugeMetricFamily,
    HistogramMetricFamily,
    InfoMetricFamily,
    Metric,
)
from prometheus_client.registry import Collector

from livepdf.daemon.timings import BOUNDS, Timings
from livepdf.errors import Complaint, ConfigError
from livepdf.model.status import Disk, Status

_HOST = "127.0.0.1"
"""Nobody has to show a key here, so it is for this machine alone."""


class StatusMetrics(Collector):
    """Turns the status into metrics, each time that somebody reads them."""

    def __init__(
        self,
        status: Callable[[], Status],
        timings: Timings,
        *,
        spooled: Callable[[], int],
        software: Mapping[str, str],
    ) -> None:
        """Make it; ``spooled`` tells the bytes that wait on disk."""
        self._status = status
        self._timings = timings
        self._spooled = spooled
        self._software = software

    def collect(self) -> Iterable[Metric]:
        """Yield all metrics."""
        status = self._status()
        yield from _frames(status)
        yield from self._gauges(status)
        yield _stages(self._timings)
        yield _flags(status)
        yield _costs(status)
        turned = CounterMetricFamily(
            "livepdf_turned_away", "Requests and connections refused", labels=["reason"]
        )
        for reason, count in status.turned_away.items():
            turned.add_metric([reason], count)
        yield turned
        dropped = CounterMetricFamily(
            "livepdf_sink_dropped", "Items that a publishing sink did not take", labels=["sink"]
        )
        for name, count in status.sinks.items():
            dropped.add_metric([name], count)
        yield dropped
        yield InfoMetricFamily("livepdf_build", "Versions", value=dict(self._software))

    def _gauges(self, status: Status) -> Iterable[Metric]:
        up = status.source_state.startswith("connected")
        for name, text, value in (
            ("data_age_seconds", "Since the newest frame", status.time - status.newest),
            ("pipeline_lag_seconds", "From a frame to its published result", status.lag),
            ("frame_rate_hertz", "Frames received per second", status.rate),
            ("queue_bytes", "Images that wait, in memory and on disk", status.queue_bytes),
            ("queue_limit_bytes", "Images that may wait in memory", status.queue_limit),
            ("queue_depth", "Frames that wait", status.counters.waiting),
            ("spool_bytes", "Images that wait on disk", self._spooled()),
            ("source_up", "Whether the source is connected", float(up)),
            ("clients", "Viewers that follow the results", status.clients),
            ("config_revision", "Number of the plan in use", status.revision),
            ("windows", "Windows finished in this run", status.windows),
            ("windows_owed", "Windows whose trends are still to come", status.owed),
            ("problems", "What is wrong now", len(status.problems)),
        ):
            yield GaugeMetricFamily(f"livepdf_{name}", text, value=float(value))
        if status.disk is not None:
            yield from _disk(status.disk)


def serve_metrics(
    port: int, metrics: Collector, *, file: str
) -> tuple[WSGIServer, threading.Thread]:
    """Serve metrics on this machine; port 0 takes a free one. ConfigError where it is taken."""
    registry = CollectorRegistry(auto_describe=False)
    registry.register(metrics)
    try:
        return start_http_server(port, addr=_HOST, registry=registry)
    except OSError as error:
        found = f"{_HOST}:{port}: {error.strerror or error}"
        raise ConfigError([Complaint(file, "metrics.port", found, "a free port, or 0")]) from None


def _frames(status: Status) -> Iterable[Metric]:
    counters = status.counters
    frames = CounterMetricFamily(
        "livepdf_frames", "Frames by what became of them", labels=["stage", "outcome"]
    )
    frames.add_metric(["intake", "received"], counters.received)
    frames.add_metric(["intake", "lost"], counters.lost)
    frames.add_metric(["window", "used"], counters.used)
    frames.add_metric(["window", "left out"], counters.left_out)
    for reason, count in counters.refused.items():
        frames.add_metric(["pipeline", reason], count)
    yield frames


def _stages(timings: Timings) -> Metric:
    family = HistogramMetricFamily("livepdf_stage_seconds", "Per frame", labels=["stage"])
    for stage, spread in timings.spreads().items():
        total, buckets = 0, []
        for bound, count in zip((*BOUNDS, float("inf")), spread.counts, strict=True):
            total += count
            buckets.append(("+Inf" if bound == float("inf") else repr(bound), float(total)))
        family.add_metric([stage], buckets, spread.total)
    return family


def _costs(status: Status) -> Metric:
    family = GaugeMetricFamily(
        "livepdf_analysis_seconds", "CPU time for a window, median", labels=["analysis"]
    )
    for name, seconds in status.costs:
        family.add_metric([name], seconds)
    return family


def _disk(disk: Disk) -> Iterable[Metric]:
    for name, text, value in (
        ("disk_free_bytes", "Room on the disk that will be full first", float(disk.free)),
        ("disk_pace_bytes", "Bytes per second by which it fills, whoever writes", disk.pace),
        ("disk_lasts_seconds", "Until it is full at that pace", disk.lasts),
    ):
        yield GaugeMetricFamily(f"livepdf_{name}", text, value=value)


def _flags(status: Status) -> Metric:
    family = GaugeMetricFamily("livepdf_flag_raised", "Quality flags", labels=["flag"])
    for lamp in status.quality:
        family.add_metric([lamp.name], float(lamp.raised))
    return family
