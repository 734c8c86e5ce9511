"""Something is done when it should be, by a real server and real programs; and only then."""

import json
import math
import sys
import threading
import time
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from typing import Any

import pytest

from livepdf.config.publish import CommandPublish, Target, WebhookPublish
from livepdf.model.status import Event, EventKind
from livepdf.sinks.occasions import Occasioned, Reached, commanded, posted
from tests.sinks.made import result


def event(kind: EventKind, text: str = "", run: str = "run_0001", frame: int = -1) -> Event:
    return Event(kind=kind, time=time.time(), text=text, run=run, frame=frame)


class Heard(HTTPServer):
    """A server that remembers what was posted, and answers as it is told to."""

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Answering)
        self.posts: list[tuple[str, str, Any]] = []
        self.code = 200
        self.location = ""
        self.silent = threading.Event()
        """Answers wait while it is set."""
        self.url = f"http://127.0.0.1:{self.server_port}/hook?token=1"


class Answering(BaseHTTPRequestHandler):
    server: Heard

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"]))
        self.server.posts.append((self.path, self.headers["Content-Type"], json.loads(body)))
        deadline = time.monotonic() + 60.0
        while self.server.silent.is_set() and time.monotonic() < deadline:
            time.sleep(0.02)
        self.send_response(self.server.code)
        if self.server.location:
            self.send_header("Location", self.server.location)
        self.end_headers()

    def log_message(self, *_: object) -> None:
        """Say nothing."""


@pytest.fixture
def server() -> Iterator[Heard]:
    made = Heard()
    thread = threading.Thread(target=made.serve_forever, kwargs={"poll_interval": 0.02})
    thread.start()
    yield made
    made.silent.clear()
    made.shutdown()
    thread.join()
    made.server_close()


def hook(server: Heard, **more: Any) -> Occasioned:
    on = more.pop("on", ["onset", "beam lost"])
    table = {"kind": "webhook", "url": server.url, "on": on, "pause": 0.0, **more}
    settings = WebhookPublish.model_validate(table)
    return Occasioned(settings, act=posted(settings))


def test_a_happening_that_is_wanted_is_posted_as_json_and_others_are_not(server: Heard) -> None:
    sink = hook(server)
    sink.event(event("run start", "series-1"))
    sink.event(event("onset", "growth began", frame=12))
    sink.flag("beam lost", True, "beam lost: 0.01")
    sink.flag("beam lost", False, "beam lost is over")
    sink.flag("zingers", True, "3 bins")

    (path, kind, first), (_, _, second) = server.posts
    assert (path, kind) == ("/hook?token=1", "application/json")
    assert (first["happening"], first["text"], first["run"], first["frame"]) == (
        *("onset", "growth began", "run_0001"),
        12,
    )
    assert abs(first["time"] - time.time()) < 60.0
    assert (second["happening"], second["text"]) == ("beam lost", "beam lost: 0.01")


def test_a_server_that_refuses_hangs_or_leads_elsewhere_is_a_failure_that_is_told(
    server: Heard,
) -> None:
    sink = hook(server, timeout=0.5)
    server.code = 500
    with pytest.raises(OSError, match="500"):
        sink.event(event("onset"))

    server.code, server.location = 302, f"http://127.0.0.1:{server.server_port}/elsewhere"
    with pytest.raises(OSError, match="302"):
        sink.event(event("onset"))
    assert not any(path == "/elsewhere" for path, _, _ in server.posts)

    server.silent.set()
    began = time.monotonic()
    with pytest.raises(OSError, match="timed out"):
        sink.event(event("onset"))
    assert time.monotonic() - began < 30.0


def test_the_same_happening_counts_again_after_the_pause_alone(server: Heard) -> None:
    sink = hook(server, pause=3600.0)
    for _ in range(5):
        sink.event(event("onset"))
        sink.flag("beam lost", True, "")

    assert sorted(post["happening"] for _, _, post in server.posts) == ["beam lost", "onset"]


def runs(*words: str, timeout: float = 20.0) -> Occasioned:
    settings = CommandPublish(
        kind="command", command=list(words), on=["mark"], timeout=timeout, pause=0.0
    )
    return Occasioned(settings, act=commanded(settings))


def test_a_program_reads_the_facts_and_no_shell_reads_its_words(tmp_path: Path) -> None:
    out = tmp_path / "facts; touch pwned $(id)"
    script = "import sys; open(sys.argv[1], 'w').write(sys.stdin.read())"

    runs(sys.executable, "-c", script, str(out)).event(event("mark", "cell filled ' \" ; $HOME"))

    assert json.loads(out.read_text())["text"] == "cell filled ' \" ; $HOME"
    assert list(tmp_path.iterdir()) == [out]


def test_a_program_that_fails_or_is_not_there_is_a_failure_that_is_told(tmp_path: Path) -> None:
    with pytest.raises(OSError, match="exit code 3"):
        runs(sys.executable, "-c", "raise SystemExit(3)").event(event("mark"))
    with pytest.raises(FileNotFoundError):
        runs(str(tmp_path / "nothing")).event(event("mark"))


def test_a_program_that_hangs_is_killed_with_all_that_it_started(tmp_path: Path) -> None:
    told = tmp_path / "child"
    script = (
        "import subprocess, sys; c = subprocess.Popen(['sleep', '600']);"
        "open(sys.argv[1], 'w').write(str(c.pid)); c.wait()"
    )
    sink = runs(sys.executable, "-c", script, str(told), timeout=3.0)

    with pytest.raises(OSError, match="took over 3 s"):
        sink.event(event("mark"))

    child = int(told.read_text())
    deadline = time.monotonic() + 60.0
    while alive(child):
        assert time.monotonic() < deadline
        time.sleep(0.02)


def alive(pid: int) -> bool:
    """Whether a process runs; one that nobody has buried yet does not."""
    try:
        state = Path(f"/proc/{pid}/stat").read_text().rsplit(") ", 1)[1][0]
    except OSError:
        return False
    return state != "Z"


@pytest.mark.parametrize(
    ("windows", "reached"),
    [
        # The target is 40, three in a row; 41.7 ± 1 is above for 95 %, 41.6 ± 1 is not.
        ([(41.7, 1.0)] * 3, 2),
        ([(41.6, 1.0)] * 9, None),
        ([(41.7, 1.0), (39.0, 1.0), (41.7, 1.0), (41.7, 1.0), (41.7, 1.0)], 4),
        ([(41.7, 1.0), (math.nan, math.nan), (41.7, 1.0), (41.7, 1.0)], None),
        ([(100.0, math.nan)] * 5, None),
        ([(41.7, 1.0), (41.7, 1.0), None, (41.7, 1.0)], None),
    ],
)
def test_a_target_is_reached_when_windows_in_a_row_are_above_for_certain(
    windows: list[tuple[float, float] | None], reached: int | None
) -> None:
    watch = Reached(Target(trend="domain size", above=40.0))
    said = [
        bool(watch.take(result(n, *([] if at is None else [("domain size", *at)]))))
        for n, at in enumerate(windows)
    ]

    assert [n for n, was in enumerate(said) if was] == ([] if reached is None else [reached])


def test_a_target_is_told_once_a_run_and_a_flagged_window_is_no_evidence() -> None:
    watch = Reached(Target(trend="domain size", above=40.0, windows=2))
    far = ("domain size", 60.0, 1.0)

    said = [
        bool(watch.take(result(n, far, run=run, flags=flags)))
        for run, n, flags in (
            *(("a", n, ()) for n in range(5)),
            *(("b", 0, ()), ("b", 1, ("bubble",)), ("b", 2, ()), ("b", 3, ())),
        )
    ]

    assert said == [False, True, False, False, False, False, False, False, True]
    assert watch.take(result(0, far, run="c", scope="run")) == ""
