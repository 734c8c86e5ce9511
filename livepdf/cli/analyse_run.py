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
from livepdf.model.finding import Finding
from livepdf.sinks.nexus_run import StoredRun


def print_run(file: Path, *, recipe: Path | None, out: Path | None, as_json: bool) -> None:
    """Analyse all windows, write them, print the last value of each trend."""
    target = file.with_name(f"{file.stem}-analysed.nxs") if out is None else out
    console = Console(stderr=True)
    newest: dict[str, Trend] = {}
    withheld: dict[str, int] = {}
    news: list[str] = []
    count = 0
    with StoredRun(file) as run:
        windows = save_again(run, pipeline_of(run, recipe=recipe), target)
        for again in track(
            windows,
            total=len(run),
            description="analysing",
            console=console,
            disable=not console.is_terminal,
        ):
            count += 1
            news += [told.text for told in again.news]
            _note(again.result, newest, withheld)
    with StoredRun(target) as written:
        findings = written.findings()
    if as_json:
        report = {
            "file": str(target),
            "windows": count,
            "trends": _plain(newest),
            "news": news,
            "findings": [_finding(finding) for finding in findings],
        }
        click.echo(json.dumps(report))
        return
    Console().print(_table(newest, withheld, count))
    for text in (*news, *map(_words, findings)):
        click.echo(text)
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


def _words(finding: Finding) -> str:
    """Put a law into a line: values with their 95 % intervals, and what hangs together."""
    if finding.reason:
        return f"{finding.law}: withheld: {finding.reason}"
    values = [
        f"{q.name} = {q.value:.4g} {q.unit}".rstrip() + f" (95 %: {q.low:.4g} to {q.high:.4g})"
        for q in finding.found
    ]
    pairs = [f"corr({a}, {b}) = {r:.2f}" for a, b, r in finding.correlations]
    return f"{finding.law}: {'; '.join([*values, *pairs])}"


def _finding(finding: Finding) -> dict[str, object]:
    return {
        "law": finding.law,
        "reason": finding.reason,
        "points": finding.points,
        "chi2": _number(finding.chi2),
        "found": {
            q.name: {
                "value": _number(q.value),
                "sigma": _number(q.sigma),
                "unit": q.unit,
                "low": _number(q.low),
                "high": _number(q.high),
            }
            for q in finding.found
        },
        "correlations": [[a, b, _number(r)] for a, b, r in finding.correlations],
    }


def _number(value: float) -> float | None:
    return value if math.isfinite(value) else None


def _plain(newest: dict[str, Trend]) -> dict[str, dict[str, object]]:
    return {
        name: {
            "value": _number(trend.value),
            "sigma": _number(trend.sigma),
            "unit": trend.unit,
            "reason": trend.reason,
        }
        for name, trend in newest.items()
    }
