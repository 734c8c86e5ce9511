"""Something goes wrong, the books add up, and the next frame flows: the law of every fault."""

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace

from livepdf.model.status import Counters, Status
from livepdf.wire.client import Client
from livepdf.wire.messages import Snapshot, SnapshotRequest

PATIENCE = 120.0
"""s until a daemon must have counted what it was sent."""
_PAUSE = 0.05
"""s between two questions."""


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
    """One row: what is done to the daemon, and what that adds to its books."""

    name: str
    inject: Callable[[], None]
    gain: Gain


class Books:
    """The counters of a daemon, as its viewers hear them; they add up whenever anybody asks."""

    def __init__(self, client: Client) -> None:
        self._client = client
        client.connect(PATIENCE)

    def status(self) -> Status:
        """Ask how the daemon is doing."""
        reply, _ = self._client.ask(SnapshotRequest(), PATIENCE)
        assert isinstance(reply, Snapshot)
        assert reply.status.counters.add_up(), reply.status.counters
        return reply.status

    def until(self, fact: Callable[[Status], bool], what: str = "") -> Status:
        """Ask until the status is so."""
        deadline = time.monotonic() + PATIENCE
        while not fact(status := self.status()):
            assert time.monotonic() < deadline, (what, status)
            self._client.poll(_PAUSE)
        return status

    def events(self) -> list[str]:
        """Return what was said so far."""
        self._client.poll(_PAUSE)
        return [event.text for event in self._client.mirror.events]

    def check(self, fault: Fault, following: Callable[[], None]) -> Counters:
        """Let a fault happen and a good frame follow; the books must say both, and no more."""
        before = self.until(lambda status: status.counters.waiting == 0, "nothing waits").counters
        fault.inject()
        wanted = fault.gain.on(before)
        self._reach(wanted, fault.name)
        following()
        return self._reach(Gain(used=1).on(wanted), f"{fault.name}: the next frame")

    def _reach(self, wanted: Counters, what: str) -> Counters:
        def so(status: Status) -> bool:
            found = status.counters
            return replace(found, refused=dict(found.refused)) == wanted

        return self.until(so, f"{what}: wanted {wanted}").counters
