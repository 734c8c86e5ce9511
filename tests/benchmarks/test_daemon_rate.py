"""The measurement itself: a short series through a real daemon, and what counts as kept."""

from dataclasses import replace

import pytest

from tests.benchmarks.daemon_rate import sustain
from tests.benchmarks.sustained import Sustained

KEPT = Sustained(
    work="pilatus-2m: daemon at 250 Hz, 60 s",
    rate=250.0,
    reached=250.0,
    dropped=0,
    late=0.0,
    received=15000,
    used=15000,
    refused=0,
    lost=0,
    queue=3.0,
    lags=(0.03, 0.1, 0.2),
    windows=10.0,
    cpu=1.3,
    detector_cpu=0.2,
    elsewhere=0.0,
    memory=500.0,
    blob=1_100_000,
)


@pytest.mark.system
def test_a_series_at_a_gentle_rate_is_used_whole() -> None:
    row = sustain(rate=40.0, seconds=2.0, camera="pilatus-100k")

    assert (row.received, row.used, row.refused, row.lost, row.dropped) == (80, 80, 0, 0, 0)
    assert row.lags[0] > 0
    assert row.memory > 50
    assert "80 of 80 used" in row.line()
    assert row.record()["used"] == 80


@pytest.mark.system
def test_a_detector_that_gives_up_ends_the_measurement_with_the_reason() -> None:
    with pytest.raises(RuntimeError, match=r"the detector gave up .*detector: exit code 1"):
        sustain(rate=40.0, seconds=2.0, camera="pilatus-100k", patience=0.1)


@pytest.mark.parametrize(
    "change",
    [
        {"dropped": 1},
        {"lost": 1},
        {"refused": 1},
        {"used": 14999},
        {"late": 1.0},
        {"lags": (0.1, 0.3, 0.4)},
        {"lags": (float("nan"),) * 3},
        {"windows": 9.0},
    ],
)
def test_a_rate_is_kept_only_when_nothing_is_lost_late_or_piled_up(
    change: dict[str, object],
) -> None:
    assert KEPT.kept
    assert "NOT KEPT" not in KEPT.line()
    assert not replace(KEPT, **change).kept  # type: ignore[arg-type]
