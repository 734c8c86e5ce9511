"""For notebooks: a finished run, the same analysed anew, and a run that is on its way."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from livepdf.model.curve import Result, Trend
from livepdf.model.finding import Finding
from livepdf.model.status import FOUND, Event
from livepdf.sinks.nexus_run import StoredRun
from livepdf.wire.client import Client
from livepdf.wire.dataset import to_dataset
from livepdf.wire.mirror import RunWindows

if TYPE_CHECKING:
    import xarray


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Run:
    """A run with all its windows."""

    windows: "xarray.Dataset"
    """I(Q), G(r), slow values, and each trend with its σ and its reason, over the windows; the
    same as `livepdf.wire.client.Client.to_xarray` gives of a run that is on its way."""
    laws: dict[str, Finding]
    """What the whole run says, by name: onset, start, JMAK, …; parameters with 95 % intervals."""
    events: tuple[Event, ...]


def stored(file: str | Path) -> Run:
    """Read a run as its file has it; one that is still written to, up to its last flush.

    Raises
    ------
    FileError
        When it cannot be read or is none of ours.
    ImportError
        Without xarray: it comes with ``livepdf[notebook]``.
    """
    with StoredRun(Path(file)) as run:
        return Run(
            windows=to_dataset(_rows(run), about=_about(run)),
            laws=_by_name(run.findings()),
            events=tuple(run.events()),
        )


def analysed(file: str | Path, *, recipe: str | Path | None = None) -> Run:
    """Reduce and analyse a run anew from its stored sums, as `livepdf analyse`, and write nothing.

    Parameters
    ----------
    file
        Results of a run (.nxs).
    recipe : optional
        Another recipe than that of the run.

    Raises
    ------
    FileError, ImportError
        As `stored`.
    ConfigError
        With every complaint about the recipe and the files that it names.
    """
    # It compiles for seconds, which nobody waits for who only reads or follows.
    from livepdf.daemon.rerun import again_event, analyse_run, pipeline_of

    with StoredRun(Path(file)) as run:
        pipeline = pipeline_of(run, recipe=None if recipe is None else Path(recipe))
        windows = RunWindows(run.run, q=pipeline.plan.q, r=pipeline.plan.r)
        events = [event for event in run.events() if event.kind not in FOUND]
        findings: Callable[[], tuple[Finding, ...]] = tuple
        for window in analyse_run(run, pipeline):
            _put(windows, window.result)
            events += [again_event(window.result, news) for news in window.news]
            findings = window.findings
        return Run(
            windows=to_dataset(windows, about=_about(run)),
            laws=_by_name(findings()),
            events=tuple(sorted(events, key=lambda event: event.time)),
        )


def live(endpoint: str) -> Client:
    """Return a client of a running daemon: ``latest()``, ``history()``, ``to_xarray()``."""
    return Client(endpoint)


def _rows(run: StoredRun) -> RunWindows:
    (q, iq), (r, gr, _) = run.iq(), run.pdf()
    windows = RunWindows(run.run, q=q, r=r)
    trends, slow = run.trends(), run.environment()
    for row, span in enumerate(run.spans()):
        if span is None:
            continue
        told = tuple(
            Trend(
                name=trend.name,
                unit=trend.unit,
                value=float(trend.value[row]),
                sigma=float(trend.sigma[row]),
                reason=trend.reasons[row],
            )
            for trend in trends
        )
        values = tuple((name, float(column[row])) for name, column in slow.items())
        windows.put(span, iq=iq[row], gr=gr[row], trends=told, environment=values)
    return windows


def _put(windows: RunWindows, result: Result) -> None:
    windows.put(
        result.span,
        iq=result.curve("iq").y,
        gr=result.curve("gr").y,
        trends=result.trends,
        environment=result.environment,
    )


def _about(run: StoredRun) -> dict[str, str]:
    return {"file": str(run.path), "sample": run.sample}


def _by_name(findings: Iterable[Finding]) -> dict[str, Finding]:
    return {finding.law: finding for finding in findings}
