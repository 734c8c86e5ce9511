"""Do something when something happens: post to an address, run a program."""

import json
import math
import os
import signal
import subprocess
import time
import urllib.request
from collections.abc import Callable, Mapping

from livepdf.config.publish import CommandPublish, Occasions, Target, WebhookPublish
from livepdf.model.curve import Result
from livepdf.model.status import Event, Status

Act = Callable[[Mapping[str, object]], None]
_CERTAIN = 1.645
"""σ by which a value must be beyond the target: 95 % on one side."""


class Reached:
    """Whether a trend is beyond its target for certain; said once a run."""

    def __init__(self, target: Target) -> None:
        self._target = target
        self._run = ""
        self._row = 0
        self._said = False

    def take(self, result: Result) -> str:
        """Take a window; return in words that the target is reached, empty where it is not."""
        target, span = self._target, result.span
        if span.scope != "window":
            return ""
        if span.run != self._run:
            self._run, self._row, self._said = span.run, 0, False
        trend = next((t for t in result.trends if t.name == target.trend), None)
        sure = (
            trend is not None
            and not result.flags
            and math.isfinite(trend.sigma)
            and trend.value - _CERTAIN * trend.sigma > target.above
        )
        self._row = self._row + 1 if sure else 0
        if trend is None or self._said or self._row < target.windows:
            return ""
        self._said = True
        unit = f" {trend.unit}" if trend.unit else ""
        return f"{trend.name} {trend.value:.4g} ± {trend.sigma:.2g}{unit}, above {target.above:g}"


class Occasioned:
    """Acts on the happenings that its settings name."""

    def __init__(self, settings: Occasions, *, act: Act) -> None:
        self._wanted = frozenset(settings.on)
        self._pause = settings.pause
        self._act = act
        self._reached = None if settings.target is None else Reached(settings.target)
        self._last: dict[str, float] = {}
        self._run = ""

    def result(self, result: Result) -> None:
        """Act where the target is reached."""
        self._run = result.span.run
        words = "" if self._reached is None else self._reached.take(result)
        if words:
            self._happen("target", words, frame=result.span.last)

    def event(self, event: Event) -> None:
        """Act where such an event is wanted."""
        self._run = event.run or self._run
        self._happen(event.kind, event.text, frame=event.frame)

    def flag(self, name: str, raised: bool, words: str) -> None:
        """Act where a flag that is wanted was raised; not when it is taken back."""
        if raised:
            self._happen(name, words, frame=-1)

    def status(self, status: Status) -> None:
        """Do nothing."""

    def close(self) -> None:
        """Hold nothing."""

    def _happen(self, what: str, words: str, *, frame: int) -> None:
        now = time.monotonic()
        if what not in self._wanted or now - self._last.get(what, -math.inf) < self._pause:
            return
        self._last[what] = now
        facts = {"happening": what, "text": words, "run": self._run, "frame": frame}
        self._act({**facts, "time": time.time()})


def posted(settings: WebhookPublish) -> Act:
    """Return what posts facts as JSON; it raises OSError where that fails."""

    def post(facts: Mapping[str, object]) -> None:
        request = urllib.request.Request(  # noqa: S310  the settings allow http and https alone
            settings.url,
            data=json.dumps(facts).encode(),
            headers={"Content-Type": "application/json", "User-Agent": "livepdf"},
        )
        opener = urllib.request.build_opener(_NoRedirect)
        with opener.open(request, timeout=settings.timeout) as answer:
            answer.read(1024)

    return post


class _NoRedirect(urllib.request.HTTPRedirectHandler):
    """Facts go where the settings say, and nowhere else."""

    def redirect_request(self, *_: object) -> None:
        """Follow nothing."""
        return


def commanded(settings: CommandPublish) -> Act:
    """Return what runs a program; it raises OSError where that fails or takes too long."""

    def run(facts: Mapping[str, object]) -> None:
        process = subprocess.Popen(
            settings.command,
            stdin=subprocess.PIPE,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            start_new_session=True,
        )
        try:
            process.communicate(json.dumps(facts).encode(), timeout=settings.timeout)
        except subprocess.TimeoutExpired:
            # With all that it started.
            os.killpg(process.pid, signal.SIGKILL)
            process.wait()
            raise OSError(f"{settings.command[0]} took over {settings.timeout:g} s") from None
        if process.returncode:
            raise OSError(f"{settings.command[0]}: exit code {process.returncode}")

    return run
