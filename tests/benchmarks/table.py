"""What a benchmark reports, as a line for people and as a record for programs."""

from collections.abc import Mapping
from dataclasses import dataclass

from tests.benchmarks.timing import Time


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """One piece of work, done by livepdf and perhaps by peers."""

    work: str
    times: Mapping[str, Time]
    """By program; ``livepdf`` is always there."""
    target: float | None = None
    """Times as fast as the fastest peer that we want to be."""
    limit: float | None = None
    """ms that we want to stay under."""
    floor: tuple[str, Time] | None = None
    """A part of the work that nobody can do without."""
    most: float | None = None
    """Times the floor that we want to stay under."""

    @property
    def ratio(self) -> float | None:
        """How many times as fast as the fastest peer; None without one."""
        peers = [time.median for name, time in self.times.items() if name != "livepdf"]
        return min(peers) / self.times["livepdf"].median if peers else None

    @property
    def over_floor(self) -> float | None:
        """How many times the floor; None without one."""
        return None if self.floor is None else self.times["livepdf"].median / self.floor[1].median

    @property
    def met(self) -> bool | None:
        """Whether all that is wanted was found; None where nothing is."""
        found: list[bool] = []
        if self.target is not None and self.ratio is not None:
            found.append(self.ratio >= self.target)
        if self.limit is not None:
            found.append(self.times["livepdf"].median <= self.limit)
        if self.most is not None and self.over_floor is not None:
            found.append(self.over_floor <= self.most)
        return all(found) if found else None

    def line(self) -> str:
        """Return the row for people: medians in ms of CPU time, the best in brackets."""
        spent = "   ".join(
            f"{name} {time.median:.2f} ({time.best:.2f}) ms" for name, time in self.times.items()
        )
        ratio = "" if self.ratio is None else f"   {self.ratio:5.1f} ×"
        wanted = "" if self.target is None else f" (wanted {self.target:g} ×)"
        limit = "" if self.limit is None else f" (wanted ≤ {self.limit:g} ms)"
        verdict = {None: "", True: "   as wanted", False: "   NOT MET"}[self.met]
        return f"{self.work:44}{spent}{ratio}{wanted}{limit}{self._floor()}{verdict}"

    def _floor(self) -> str:
        if self.floor is None:
            return ""
        name, time = self.floor
        wanted = "" if self.most is None else f" (wanted ≤ {self.most:g} ×)"
        return f"   {self.over_floor:.2f} × {name} {time.median:.2f} ms{wanted}"

    def record(self) -> dict[str, object]:
        """Return the row for programs."""
        times = dict(self.times) | ({} if self.floor is None else {self.floor[0]: self.floor[1]})
        return {
            "work": self.work,
            "ms": {
                name: {"median": t.median, "best": t.best, "quiet": t.quiet}
                for name, t in times.items()
            },
            "ratio": self.ratio,
            "target": self.target,
            "limit_ms": self.limit,
            "over_floor": self.over_floor,
            "most_over_floor": self.most,
        }
