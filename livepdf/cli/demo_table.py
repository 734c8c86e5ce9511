"""Truth beside measurement, at the end of the demo."""

import math
from collections.abc import Sequence
from dataclasses import asdict, dataclass

from rich.console import Console
from rich.table import Table

from livepdf.model.curve import Result, Trend
from livepdf.simulate.growth import Truth


@dataclass(frozen=True, slots=True, kw_only=True)
class Comparison:
    """One quantity of the last window as it was and as it was seen."""

    quantity: str
    unit: str
    truth: float
    value: float
    sigma: float
    reason: str
    tolerance: float
    """How far from the truth the demo may be, in the unit."""

    @property
    def good(self) -> bool:
        """Whether the measurement is there and close enough."""
        return abs(self.value - self.truth) <= self.tolerance


def compare(result: Result, truths: Sequence[Truth]) -> tuple[Comparison, ...]:
    """Put the trends of a window beside the mean truth of its frames."""
    inside = truths[result.span.first : result.span.last + 1]
    size = _mean([t.domain_size for t in inside])
    bond = _mean([t.nearest_neighbour for t in inside])
    trends = {trend.name: trend for trend in result.trends}
    conversion = _mean([t.conversion for t in inside])
    lattice = _mean([t.lattice[0] for t in inside])
    # Nothing can be seen of the first crystals: from a per mille on, until a tenth has reacted.
    first, seen = (_when(truths, amount) for amount in (1e-3, 0.1))
    return (
        _comparison(trends["conversion"], truth=conversion, tolerance=0.05),
        _comparison(trends["domain size"], truth=size, tolerance=0.05 * size),
        _comparison(trends["lattice a"], truth=lattice, tolerance=0.006),
        _comparison(trends["Hf-O distance"], truth=bond, tolerance=0.01),
        _comparison(
            trends["onset"], truth=(first + seen) / 2, tolerance=max(0.5, (seen - first) / 2)
        ),
    )


def as_json(comparisons: Sequence[Comparison]) -> list[dict[str, object]]:
    """Return plain values; NaN becomes None."""
    return [
        {
            key: None if isinstance(value, float) and math.isnan(value) else value
            for key, value in {**asdict(item), "good": item.good}.items()
        }
        for item in comparisons
    ]


def print_table(comparisons: Sequence[Comparison]) -> None:
    """Print the table on standard output."""
    table = Table("quantity", "truth", "measured", "difference", "allowed", "")
    for item in comparisons:
        measured = item.reason or f"{item.value:.3f} ± {item.sigma:.3f} {item.unit}"
        table.add_row(
            item.quantity,
            f"{item.truth:.3f} {item.unit}",
            measured,
            f"{item.value - item.truth:+.3f}",
            f"± {item.tolerance:.3f}",
            "[green]good[/]" if item.good else "[red]off[/]",
        )
    Console().print(table)


def _comparison(trend: Trend, *, truth: float, tolerance: float) -> Comparison:
    return Comparison(
        quantity=trend.name,
        unit=trend.unit,
        truth=truth,
        value=trend.value,
        sigma=trend.sigma,
        reason=trend.reason,
        tolerance=tolerance,
    )


def _when(truths: Sequence[Truth], amount: float) -> float:
    return next((t.time for t in truths if t.conversion >= amount), math.nan)


def _mean(values: Sequence[float]) -> float:
    return math.fsum(values) / len(values) if values else math.nan
