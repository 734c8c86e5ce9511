"""The clock of the benchmarks, and what is made of its figures."""

import json
from pathlib import Path

from tests.benchmarks.report import Report
from tests.benchmarks.table import Row
from tests.benchmarks.timing import Time, race


def test_everybody_runs_in_every_round_and_in_turns() -> None:
    calls: list[str] = []

    times = race(
        {"a": lambda _: calls.append("a"), "b": lambda _: calls.append("b")}, rounds=4, patience=0.0
    )

    assert "".join(calls) == "baabbaabbaab"
    assert all(0 <= time.best <= time.median for time in times.values())


def test_the_ratio_is_taken_to_the_fastest_peer() -> None:
    times = {
        "slow": Time(median=40.0, best=39.0),
        "fast": Time(median=20.0, best=19.0),
        "livepdf": Time(median=2.0, best=1.0),
    }
    row = Row(work="frame → I", times=times, target=16.0)

    assert row.ratio == 10.0
    assert "10.0 × (wanted 16 ×)" in row.line()
    assert row.record()["ratio"] == 10.0


def test_without_a_peer_there_is_no_ratio() -> None:
    row = Row(work="I → G", times={"livepdf": Time(median=2.0, best=1.0)}, limit=2.5)
    assert row.ratio is None
    assert "(wanted ≤ 2.5 ms)" in row.line()


def test_the_floor_is_stated_beside_the_peers() -> None:
    row = Row(
        work="blob → I",
        times={"livepdf": Time(median=3.0, best=3.0)},
        floor=("LZ4 alone", Time(median=1.5, best=1.0)),
        most=3.6,
    )
    assert row.over_floor == 2.0
    assert "2.00 × LZ4 alone 1.50 ms (wanted ≤ 3.6 ×)" in row.line()
    assert row.record()["ms"]["LZ4 alone"]["median"] == 1.5


def test_a_batch_is_timed_per_frame() -> None:
    assert Time(median=16.0, best=8.0, quiet=3).over(16) == Time(median=1.0, best=0.5, quiet=3)


def test_a_row_says_whether_all_that_is_wanted_was_found() -> None:
    times = {"pyFAI": Time(median=30.0, best=30.0), "livepdf": Time(median=2.0, best=1.0)}
    floor = ("read", Time(median=1.0, best=1.0))

    assert Row(work="w", times=times).met is None
    assert Row(work="w", times=times, target=15.0, floor=floor, most=2.0).met
    assert Row(work="w", times=times, target=15.0, floor=floor, most=1.9).met is False
    assert "NOT MET" in Row(work="w", times=times, target=16.0).line()


def test_a_report_holds_every_row_and_what_was_left_out(tmp_path: Path) -> None:
    times = {"pyFAI": Time(median=30.0, best=30.0), "livepdf": Time(median=2.0, best=1.0)}
    report = Report(["--json", "f.json"])
    report.add("integration", Row(work="good", times=times, target=15.0))
    report.add("integration", Row(work="slow", times=times, target=16.0))
    report.leave_out("azint", "not installed")

    report.write(tmp_path / "f.json")

    found = json.loads((tmp_path / "f.json").read_text(encoding="utf-8"))
    assert [(row["work"], row["met"]) for row in found["rows"]] == [("good", True), ("slow", False)]
    assert found["not_measured"] == {"azint": "not installed"}
    assert found["machine"]["cores"] >= 1
    assert "1 of 2 rows as wanted" in report.summary()
    assert "missed: slow" in report.summary()
