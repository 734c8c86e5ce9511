import math
from pathlib import Path

import pytest

from livepdf.clients.words import disk_line
from livepdf.daemon.board import Board
from livepdf.daemon.disk import ROOM, DiskWatch, Pace, require_room

FAST, SLOW = Path("fast"), Path("slow")
GB = 10**9


def test_a_disk_that_fills_evenly_lasts_as_long_as_the_rest_over_the_pace() -> None:
    pace = Pace()
    for second in range(0, 120, 2):
        disk = pace.forecast(100 * GB - second * 10**7, float(second))

    assert disk.pace == pytest.approx(1e7)
    assert disk.lasts == pytest.approx((disk.free - ROOM) / 1e7)


def test_no_pace_is_told_before_it_is_known_and_none_where_nothing_is_written() -> None:
    pace = Pace()

    assert math.isnan(pace.forecast(GB, 0.0).lasts)
    assert math.isnan(pace.forecast(GB, 5.0).lasts)
    assert pace.forecast(GB, 30.0).lasts == math.inf
    assert pace.forecast(2 * GB, 40.0).pace == 0.0  # something was deleted


def test_bursts_count_by_their_mean_over_minutes() -> None:
    pace, free = Pace(), 500 * GB
    for second in range(0, 600, 2):
        free -= GB if second % 60 == 0 else 0
        disk = pace.forecast(free, float(second))

    assert disk.pace == pytest.approx(GB / 60, rel=0.15)


def test_people_hear_in_time_and_once_which_disk_will_be_full_and_when() -> None:
    free = {FAST: 100 * GB, SLOW: 90 * GB}
    clock = [0.0]
    board = Board()
    watch = DiskWatch(
        [FAST, SLOW],
        board,
        least_hours=2.0,
        least_free=GB,
        free=lambda folder: free[folder],
        clock=lambda: clock[0],
    )
    for _ in range(30):
        watch.look()
        clock[0] += 2.0
        free[FAST] -= 2 * 15_000_000

    assert watch.newest is not None
    assert watch.newest.folder == "fast"
    assert watch.newest.short
    (problem,) = board.problems()
    assert problem.startswith(
        "the disk of fast has 99.1 GB left: full in 1.8 h at the present 15.0"
    )
    assert [event.kind for event in board.events()] == ["warning"]
    assert disk_line(watch.newest) == "! disk: 99.1 GB free, full in 2 h at 15 MB/s"

    free[FAST] = 900 * GB
    clock[0] += 2.0
    watch.look()
    assert board.problems() == ()


def test_a_disk_with_little_left_is_said_at_the_first_look() -> None:
    board = Board()
    DiskWatch(
        [FAST], board, least_hours=0.0, least_free=GB, free=lambda _: GB // 2, clock=lambda: 0.0
    ).look()

    assert board.problems() == (
        "the disk of fast has 0.5 GB left; make room, or give another output.directory",
    )


def test_a_folder_that_is_gone_leaves_what_was_known(tmp_path: Path) -> None:
    watch = DiskWatch([tmp_path / "gone"], Board(), least_hours=1.0, least_free=1)
    watch.look()

    assert watch.newest is None
    with pytest.raises(OSError, match="MiB are free"):
        require_room(tmp_path, 1 << 62)
