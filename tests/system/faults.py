"""Something goes wrong, the books add up, and the next frame flows: the law of every fault."""

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace

from livepdf.model.status import Counters, Status
from livepdf.wire.client import Client

PATIENCE = 90.0
"""s until a daemon must have counted what it was sent."""


@dataclass(frozen=True, kw_only=True)
class Gain:
    """What a fault adds to the books."""

    used: int = 0
    left_out: int = 0
    lost: int = 0
    refused: Mapping[str, int] = field(default_factory=dict)

    def on(self, before: Counters) -> Counters:
        """Return the books after it, when nothing waits any more."""
        refused = dict(before.refused)
        for reason, number in self.refused.items():
            refused[reason] = refused.get(reason, 0) + number
        return Counters(
            received=before.received + self.used + self.left_out + sum(self.refused.values()),
            used=before.used + self.used,
            left_out=before.left_out + self.left_out,
            refused=refused,
            lost=before.lost + self.lost,
        )


@dataclass(frozen=True, kw_only=True)
class Fault:
    """One row: what is done to the daemon, and what it must say of it."""

    name: str
    inject: Callable[[], None]
    gain: Gain
    said: str = ""
    """Part of a problem that the status must name meanwhile."""


class Books:
    """The counters of a daemon, as its viewers hear them."""

    def __init__(self, client: Client) -> None:
        self._client = client
        client.connect(PATIENCE)
        self._heard: list[str] = []

    @property
    def status(self) -> Status:
        """The newest status."""
        return self.until(lambda _: True)

    def until(self, fact: Callable[[Status], bool], timeout: float = PATIENCE) -> Status:
        """Follow until the status is so; every status on the way adds up."""
        deadline = time.monotonic() + timeout
        while True:
            self._client.poll(0.05)
            status = self._client.mirror.status
            if status is not None:
                assert status.counters.add_up(), status.counters
                self._heard += status.problems
                if fact(status):
                    return status
            assert time.monotonic() < deadline, status

    def events(self) -> list[str]:
        """Return what was said so far."""
        return [event.text for event in self._client.mirror.events]

    def check(self, fault: Fault, following: Callable[[], None], *, frames: int = 1) -> Counters:
        """Let a fault happen and good frames follow; the books must say both, and nothing else."""
        before = self.until(lambda status: status.counters.waiting == 0).counters
        self._heard = []
        fault.inject()
        wanted = fault.gain.on(before)
        self._wait_for(wanted, fault.name)
        if fault.said:
            self.until(lambda _: any(fault.said in words for words in self._heard))
        following()
        self._wait_for(Gain(used=frames).on(wanted), f"{fault.name}: the next frame")
        return wanted

    def _wait_for(self, wanted: Counters, what: str) -> None:
        """Wait until the books are these: plain numbers, so that a failure shows both."""
        deadline = time.monotonic() + PATIENCE
        found = None
        while time.monotonic() < deadline:
            self._client.poll(0.05)
            if (status := self._client.mirror.status) is None:
                continue
            assert status.counters.add_up(), (what, status.counters)
            self._heard += status.problems
            found = replace(status.counters, refused=dict(status.counters.refused))
            if found == wanted:
                return
        raise AssertionError(f"{what}: found {found}, wanted {wanted}")
