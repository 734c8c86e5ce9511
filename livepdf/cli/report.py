"""`livepdf report`: a finished run on one page, as HTML or PDF."""

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import click
import numpy as np
from numpy.typing import NDArray

from livepdf.errors import FileError

if TYPE_CHECKING:
    from livepdf.clients.report import RunFacts
    from livepdf.sinks.nexus_run import StoredRun

_FILE = click.Path(exists=True, dir_okay=False, path_type=Path)


@click.command()
@click.argument("file", type=_FILE)
@click.option(
    "--out",
    "-o",
    type=click.Path(dir_okay=False, path_type=Path),
    help="Ends in .html or .pdf; beside FILE, as HTML, when left out.",
)
def report(file: Path, out: Path | None) -> None:
    """Write a report of the results FILE (.nxs) of a run.

    The last G(r) with its σ, G(r) over time, the values that were followed with σ or the reason why
    there are none, kinetics, what happened, and what it was made with. Needs livepdf[report].

    \b
    livepdf report livepdf-output/hfo2_0001.nxs
    livepdf report hfo2_0001.nxs -o hfo2.pdf
    """  # noqa: D301  (\b is click's own mark)
    try:
        import matplotlib  # noqa: F401  # said here, not in the middle of drawing

        from livepdf.clients.report import as_html, as_pdf
        from livepdf.sinks.nexus_run import StoredRun
    except ImportError as error:
        raise click.ClickException(f"{error}; pip install 'livepdf[report]'") from error
    place = file.with_suffix(".html") if out is None else out
    if place.suffix not in (".html", ".pdf"):
        raise click.BadParameter(f"found {place.name}, wanted a name in .html or .pdf")
    with StoredRun(file) as run:
        facts = facts_of(run)
    written = as_pdf(facts) if place.suffix == ".pdf" else as_html(facts).encode()
    try:
        place.write_bytes(written)
    except OSError as error:
        raise FileError(f"{place}: {error}") from error
    click.echo(place)


def facts_of(run: "StoredRun") -> "RunFacts":
    """Return what the report of a run shows."""
    from livepdf.clients.report import Followed, RunFacts

    rows = run.numbers() >= 0
    begin, end = run.times()
    r, gr, sigma = run.pdf()
    trends = [
        Followed(
            name=trend.name,
            unit=trend.unit,
            value=trend.value[rows],
            sigma=trend.sigma[rows],
            reason=_last(trend.reasons, rows),
        )
        for trend in run.trends()
    ]
    if not rows.any():
        raise FileError(f"{run.path}: no window in it yet: nothing to report")
    return RunFacts(
        run=run.run,
        sample=run.sample,
        start=run.start,
        time=((begin + end) / 2)[rows] - run.start,
        counters=run.counters(),
        r=r,
        gr=gr[rows],
        last_gr=gr[rows][-1],
        last_gr_sigma=sigma[rows][-1],
        trends=trends,
        findings=run.findings(),
        events=run.events(),
        made_with=[
            ("made with", ", ".join(f"{name} {version}" for name, version in run.software())),
            ("revision", str(run.revision)),
            ("file", run.path.name),
        ],
    )


def _last(reasons: Sequence[str], rows: NDArray[np.bool_]) -> str:
    used = np.flatnonzero(rows)
    return reasons[used[-1]] if len(used) else ""
