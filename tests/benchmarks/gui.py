"""The window on a long run: share of a core, memory, time from a key to the answer.

``python -m tests.benchmarks.gui`` starts a daemon's stand-in with 2 h of history at 10 windows/s
(72 000 windows of 3000 points of G), which goes on with 10 windows/s of 25 frames each, and the
real window offscreen in a process of its own. Then it lets the half hour after that pass as fast
as the window can take it, to see whether memory grows. It prints a table and fails where
something wanted is not reached.
"""

import argparse
import json
import os
import resource
import subprocess
import sys
import time
from dataclasses import dataclass
from pathlib import Path

from tests.benchmarks.gui_stand_in import StandIn

_HURRY = 150.0
"""Windows per second of the half hour at speed."""
_SETTLED = 4000
"""Windows at speed before memory is looked at: caches and queues are full by then."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Found:
    """One thing that was measured."""

    what: str
    value: float
    unit: str
    wanted: float
    """At most."""

    @property
    def good(self) -> bool:
        """Whether it is as wanted."""
        return self.value <= self.wanted

    def line(self) -> str:
        """Return the row of the table."""
        verdict = "pass" if self.good else "FAIL"
        said = f"{self.value:.3g} {self.unit}"
        return f"{verdict}  {self.what:58}{said:>12}  (wanted ≤ {self.wanted:g} {self.unit})"


class Process:
    """The window, which answers each order with what it found."""

    def __init__(self, endpoint: str) -> None:
        here = Path(__file__).parents[2]
        environment = {
            **os.environ,
            "QT_QPA_PLATFORM": "offscreen",
            "OMP_NUM_THREADS": "1",
            "OPENBLAS_NUM_THREADS": "1",
            "PYTHONPATH": os.pathsep.join([str(here), str(here / "gui")]),
        }
        command = [sys.executable, "-m", "tests.benchmarks.gui_process", endpoint]
        self._process = subprocess.Popen(
            [*command, str(time.time())], stdin=subprocess.PIPE, stdout=subprocess.PIPE,
            text=True, env=environment,
        )  # fmt: skip

    def answer(self) -> dict[str, float]:
        """Wait for what it says."""
        assert self._process.stdout is not None
        found: dict[str, float] = json.loads(self._process.stdout.readline())
        return found

    def ask(self, order: str) -> dict[str, float]:
        """Give an order and wait for what was found."""
        assert self._process.stdin is not None
        self._process.stdin.write(order + "\n")
        self._process.stdin.flush()
        return self.answer()

    def end(self) -> None:
        """Have it close."""
        assert self._process.stdin is not None
        self._process.stdin.close()
        self._process.wait(60)


def measure(*, windows: int, seconds: float, hurried: int) -> list[Found]:
    """Return what was measured; see the module."""
    daemon = StandIn(windows)
    endpoint = daemon.start()
    window = Process(endpoint)
    joined = window.answer()
    _say(f"joined {joined}")
    daemon.rate = 10.0
    window.ask("rest 5")
    found = [Found(what="start to first paint", value=joined["painted"], unit="s", wanted=2.0)]
    if seconds:
        found += _at_rest(window, seconds)
    if hurried:
        found += _at_speed(window, daemon, hurried)
    window.end()
    daemon.end()
    peak = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss * 1024 / 1e6
    found.append(Found(what="peak of memory", value=peak, unit="MB", wanted=600.0))
    return found


def _at_rest(window: Process, seconds: float) -> list[Found]:
    rest, keys = window.ask(f"rest {seconds}"), window.ask("keys")
    _say(f"10 windows/s {rest}")
    slowest = max(keys, key=lambda name: keys[name])
    _say(f"keys {keys}")
    share, wait = 100 * rest["share"], 1e3 * keys[slowest]
    answer = f"key to new picture, the slowest ({slowest})"
    return [
        Found(what="share of a core at 10 windows/s", value=share, unit="%", wanted=25.0),
        Found(what=answer, value=wait, unit="ms", wanted=100.0),
    ]


def _at_speed(window: Process, daemon: StandIn, hurried: int) -> list[Found]:
    """Let windows pass at speed; memory is looked at when the stream is slow again."""
    seen = []
    target = daemon.made + hurried
    for stop in (min(daemon.made + _SETTLED, target), target):
        daemon.rate = _HURRY
        while daemon.made < stop:
            _say(f"at speed {window.ask('rest 5')}")
        daemon.rate = 10.0
        window.ask("rest 5")
        seen.append(window.ask("rest 5"))
        _say(f"slow again {seen[-1]}")
    missed = daemon.made - seen[-1]["windows"]
    grown = seen[1]["memory"] - seen[0]["memory"]
    growth = f"growth over {hurried / 600:.0f} min of windows"
    return [
        Found(what=growth, value=grown, unit="MB", wanted=10.0),
        Found(what="windows behind the daemon after it", value=missed, unit="", wanted=5.0),
    ]


def _say(words: str) -> None:
    sys.stderr.write(words + "\n")


def main() -> int:
    """Measure, print, compare with what is wanted."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--windows", type=int, default=72_000, help="of history")
    parser.add_argument("--seconds", type=float, default=20.0, help="at 10 windows/s; 0 skips it")
    parser.add_argument("--hurried", type=int, default=18_000, help="windows at speed; 0 skips it")
    given = parser.parse_args()
    found = measure(windows=given.windows, seconds=given.seconds, hurried=given.hurried)
    for one in found:
        sys.stdout.write(one.line() + "\n")
    return 0 if all(one.good for one in found) else 1


if __name__ == "__main__":
    sys.exit(main())
