"""Stuck is who has work and does none; words to the supervisor; counts in ranges."""

import socket
import threading
from pathlib import Path

import pytest

from livepdf.daemon.board import Board
from livepdf.daemon.notify import Notifier
from livepdf.daemon.supervision import Supervisor
from livepdf.daemon.timings import BOUNDS, Timings
from livepdf.daemon.watchdog import Stage, Watchdog
from livepdf.model.status import Counters, Status


def test_a_stage_with_work_that_does_none_is_stuck_and_an_idle_one_never() -> None:
    watchdog = Watchdog(stall=10.0)
    stages = {"frames": Stage(5, True), "results": Stage(1, False)}

    assert watchdog.stuck(stages, 0.0) == ()
    assert watchdog.stuck(stages, 9.0) == ()
    assert watchdog.stuck(stages, 11.0) == ("frames does nothing for 11 s, with work waiting",)
    assert watchdog.stuck({**stages, "frames": Stage(6, True)}, 12.0) == ()
    assert watchdog.stuck({**stages, "frames": Stage(6, False)}, 100.0) == ()
    assert watchdog.stuck({**stages, "frames": Stage(6, True)}, 105.0) == ()


@pytest.mark.logs_errors
def test_a_stuck_daemon_is_not_said_to_be_alive(tmp_path: Path) -> None:
    path = tmp_path / "notify"
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as heard:
        heard.bind(str(path))
        heard.setblocking(False)
        board, stages = Board(), {"frames": Stage(5, True)}
        board.state = "waiting"
        status = Status(state="running", time=0.0, counters=Counters())
        supervisor = Supervisor(
            Notifier(str(path), "30000000"),
            board=board,
            stages=lambda: stages,
            status=lambda: status,
            watchdog=Watchdog(stall=10.0),
        )

        def words(now: float) -> set[bytes]:
            supervisor.look(now)
            found = set()
            while True:
                try:
                    found |= {line.split(b"=")[0] for line in heard.recv(4096).split(b"\n")}
                except BlockingIOError:
                    return found

        assert b"WATCHDOG" in words(0.0)
        assert b"WATCHDOG" not in words(11.0)
        assert any("frames does nothing" in problem for problem in board.problems())
        stages["frames"] = Stage(6, True)
        assert b"WATCHDOG" in words(12.0)
        assert board.problems() == ()


def test_an_abstract_address_begins_with_a_zero_byte() -> None:
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as heard:
        heard.bind("\0livepdf-test-notify")
        Notifier("@livepdf-test-notify", "").ready("line one\nline two")

        assert heard.recv(4096) == b"READY=1\nSTATUS=line one line two"


def test_nobody_who_listens_is_no_trouble(tmp_path: Path) -> None:
    Notifier(str(tmp_path / "nothing"), "").alive()
    assert Notifier("", "").watchdog is None


def test_a_batch_counts_as_many_pieces_and_takes_its_time_once() -> None:
    timings = Timings()
    threads = [
        threading.Thread(target=timings.add, args=("integrate", 0.032, 16)) for _ in range(8)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    spread = timings.spreads()["integrate"]
    assert sum(spread.counts) == 128
    assert spread.counts[BOUNDS.index(3e-3)] == 128
    assert spread.total == pytest.approx(0.256)
