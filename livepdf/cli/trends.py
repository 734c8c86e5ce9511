"""`livepdf trends`: every trend of a run as a table for spreadsheets and scripts."""

import csv
import sys
from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING

import click

if TYPE_CHECKING:
    from livepdf.sinks.nexus_run import StoredRun

_FILE = click.Path(exists=True, dir_okay=False, path_type=Path)


@click.command()
@click.argument("file", type=_FILE)
@click.option("--csv", "as_csv", is_flag=True, help="Comma-separated values; the default.")
@click.option(
    "--out",
    "-o",
    type=click.Path(dir_okay=False, path_type=Path),
    help="Where the table goes; standard output when left out.",
)
@click.option("--name", "names", multiple=True, help="Only this trend; may be given again.")
def trends(file: Path, as_csv: bool, out: Path | None, names: tuple[str, ...]) -> None:
    """Write the trends in the results FILE (.nxs) of a run as CSV.

    One row a window: its number, the time of its middle in s since the start of the run, frames,
    slow values, then for each trend value, σ and, where the value is withheld, the reason. The
    first row names the columns with their units. An empty field is a value that is not there.

    \b
    livepdf trends livepdf-output/hfo2_0001.nxs --csv > hfo2.csv
    livepdf trends hfo2_0001.nxs --name "domain size" --name conversion -o size.csv
    """  # noqa: D301  (\b is click's own mark)
    from livepdf.sinks.nexus_run import StoredRun

    del as_csv  # the only form there is; the option says so in scripts
    with ExitStack() as stack:
        run = stack.enter_context(StoredRun(file))
        stream = sys.stdout
        if out is not None:
            stream = stack.enter_context(out.open("w", encoding="utf-8", newline=""))
        writer = csv.writer(stream, lineterminator="\n")
        writer.writerows(_rows(run, names))


def _rows(run: "StoredRun", names: tuple[str, ...]) -> list[list[str]]:
    chosen = run.trends()
    known = [trend.name for trend in chosen]
    missing = [name for name in names if name not in known]
    if missing:
        raise click.UsageError(f"no trend named {', '.join(missing)}; there are {', '.join(known)}")
    chosen = [trend for trend in chosen if not names or trend.name in names]
    slow = run.environment()
    header = ["window", "time (s)", "first frame", "last frame", *slow]
    for trend in chosen:
        unit = f" ({trend.unit})" if trend.unit else ""
        sigma = f"σ of {trend.name}{unit}"
        header += [f"{trend.name}{unit}", sigma, f"why no {trend.name}"]
    rows = [header]
    start, end = run.times()
    middle = (start + end) / 2 - run.start
    first, last = run.frames()
    for row, number in enumerate(run.numbers()):
        if number < 0:
            continue
        cells = [str(number), f"{middle[row]:.6g}", str(first[row]), str(last[row])]
        cells += [_number(values[row]) for values in slow.values()]
        for trend in chosen:
            cells += [_number(trend.value[row]), _number(trend.sigma[row]), trend.reasons[row]]
        rows.append(cells)
    return rows


def _number(value: float) -> str:
    return f"{value:.9g}" if value == value else ""
