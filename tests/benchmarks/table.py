"""What a benchmark reports, as a line for people and as a record for programs."""

from collections.abc import Mapping
from dataclasses import dataclass

from tests.benchmarks.timing import Time


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """One piece of work, done by livepdf and perhaps by a peer."""

    work: str
    times: Mapping[str, Time]
    """By program; ``livepdf`` is always there."""
    target: float | None = None
    """Times as fast as the peer that we want to be."""
    limit: float | None = None
    """ms that we want to stay under."""

    @property
    def ratio(self) -> float | None:
        """How many times as fast as the peer; None without one."""
        peers = [time.median for name, time in self.times.items() if name != "livepdf"]
        return min(peers) / self.times["livepdf"].median if peers else None

    def line(self) -> str:
        """Return the row for people: medians in ms of CPU time."""
        spent = "   ".join(f"{name} {time.median:7.2f} ms" for name, time in self.times.items())
        ratio = "" if self.ratio is None else f"   {self.ratio:5.1f} ×"
        wanted = "" if self.target is None else f" (wanted {self.target:g} ×)"
        limit = "" if self.limit is None else f" (wanted ≤ {self.limit:g} ms)"
        return f"{self.work:40}{spent}{ratio}{wanted}{limit}"

    def record(self) -> dict[str, object]:
        """Return the row for programs."""
        return {
            "work": self.work,
            "ms": {name: {"median": t.median, "best": t.best} for name, t in self.times.items()},
            "ratio": self.ratio,
            "target": self.target,
            "limit_ms": self.limit,
        }
