"""What `livepdf analyse` does with the results of a run."""

import json
import math
from pathlib import Path

import click
from rich.console import Console
from rich.progress import track
from rich.table import Table

from livepdf.daemon.rerun import pipeline_of, save_again
from livepdf.model.curve import Result, Trend
from livepdf.sinks.nexus_run import StoredRun


def print_run(file: Path, *, recipe: Path | None, out: Path | None, as_json: bool) -> None:
    """Analyse all windows, write them, print the last value of each trend."""
    target = file.with_name(f"{file.stem}-analysed.nxs") if out is None else out
    console = Console(stderr=True)
    newest: dict[str, Trend] = {}
    withheld: dict[str, int] = {}
    count = 0
    with StoredRun(file) as run:
        windows = save_again(run, pipeline_of(run, recipe=recipe), target)
        for result in track(
            windows,
            total=len(run),
            description="analysing",
            console=console,
            disable=not console.is_terminal,
        ):
            count += 1
            _note(result, newest, withheld)
    if as_json:
        click.echo(json.dumps({"file": str(target), "windows": count, "trends": _plain(newest)}))
        return
    Console().print(_table(newest, withheld, count))
    click.echo(f"wrote {target}")


def _note(result: Result, newest: dict[str, Trend], withheld: dict[str, int]) -> None:
    for trend in result.trends:
        shown = math.isfinite(trend.value)
        withheld[trend.name] = withheld.get(trend.name, 0) + (not shown)
        if shown or not math.isfinite(newest[trend.name].value if trend.name in newest else 0.0):
            newest[trend.name] = trend
        newest.setdefault(trend.name, trend)


def _table(newest: dict[str, Trend], withheld: dict[str, int], count: int) -> Table:
    table = Table("trend", "newest value", "", "withheld")
    for name, trend in newest.items():
        known = math.isfinite(trend.value)
        value = f"{trend.value:.5g} ± {trend.sigma:.2g} {trend.unit}" if known else ""
        table.add_row(name, value, trend.reason, f"{withheld[name]} of {count}")
    return table


def _plain(newest: dict[str, Trend]) -> dict[str, dict[str, object]]:
    return {
        name: {
            "value": trend.value if math.isfinite(trend.value) else None,
            "sigma": trend.sigma if math.isfinite(trend.sigma) else None,
            "unit": trend.unit,
            "reason": trend.reason,
        }
        for name, trend in newest.items()
    }
