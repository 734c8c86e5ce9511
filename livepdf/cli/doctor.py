"""`livepdf doctor`: what this machine has, and what livepdf would miss."""

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Callable
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Literal, NamedTuple

import click

Verdict = Literal["ok", "missing", "note"]

_NAMES = {"LZ4": "LZ4 decompression"}

_CORE = (
    "numpy",
    "scipy",
    "numba",
    "h5py",
    "hdf5plugin",
    "fabio",
    "pyFAI",
    "pyzmq",
    "cbor2",
    "msgspec",
    "pydantic",
)


class Finding(NamedTuple):
    """One line of the report."""

    what: str
    verdict: Verdict
    detail: str


@click.command()
@click.option("--json", "as_json", is_flag=True, help="Print the findings as JSON.")
@click.option("--warm", is_flag=True, help="First compile what is not on disk yet: minutes, once.")
def doctor(as_json: bool, warm: bool) -> None:
    """Look at this machine: versions, compiler, decompression, Qt, disk.

    Exits 1 when something that livepdf needs is missing; notes never fail.

    \b
    livepdf doctor --warm      after an install, so that the first run starts at once
    """  # noqa: D301  (\b is click's own mark)
    if warm:
        from livepdf.cli.warm import compile_all

        compile_all(lambda text: click.echo(text, err=True))
    findings = [finding for look in _LOOKS for finding in look()]
    if as_json:
        click.echo(json.dumps([finding._asdict() for finding in findings]))
    else:
        _print(findings)
    if any(finding.verdict == "missing" for finding in findings):
        raise SystemExit(1)


def _print(findings: list[Finding]) -> None:
    from rich.console import Console
    from rich.markup import escape
    from rich.table import Table

    colour = {"ok": "green", "missing": "red", "note": "yellow"}
    table = Table("what", "", "detail", box=None)
    for what, verdict, detail in findings:
        table.add_row(what, f"[{colour[verdict]}]{verdict}[/]", escape(detail))
    Console().print(table)


def _python() -> list[Finding]:
    good = sys.version_info >= (3, 11)
    return [Finding("Python", "ok" if good else "missing", sys.version.split()[0])]


def _packages() -> list[Finding]:
    return [_package(name) for name in _CORE]


def _package(name: str) -> Finding:
    try:
        return Finding(name, "ok", version(name))
    except PackageNotFoundError:
        return Finding(name, "missing", f"pip install {name}")


def _compiler() -> list[Finding]:
    import numba

    cpu = os.environ.get("NUMBA_CPU_NAME") or "this processor"
    return [
        Finding("compiled kernels", "ok", f"numba {numba.__version__} for {cpu}"),
        _kernel_cache(),
    ]


def _kernel_cache() -> Finding:
    from livepdf.cli.warm import cold_loops
    from livepdf.numerics.kernel import kept_where

    where = kept_where()
    if not where:
        package = Path(__file__).parent.parent
        text = f"{package} is read-only: every start compiles again; set NUMBA_CACHE_DIR"
        return Finding("kernel cache", "note", text)
    missing = cold_loops()
    if missing:
        text = f"{len(missing)} loops are not compiled yet, which the first run will do before it "
        text += "is ready; livepdf doctor --warm does it now"
        return Finding("kernel cache", "note", text)
    return Finding("kernel cache", "ok", f"warm, in {where}")


def _decompression() -> list[Finding]:
    """Tell which way each step of the integration takes on this machine."""
    from livepdf.numerics.report import MEMORY, kernel_report

    slow = ("own loops", "compiled at each start")
    return [
        Finding(_NAMES.get(step, step), "note" if way.startswith(slow) else "ok", way)
        for step, way in kernel_report().items()
    ] + [Finding("memory per worker", "ok", MEMORY)]


def _window() -> list[Finding]:
    """Qt is tried in a process of its own: livepdf itself never loads it."""
    code = "import PyQt5.QtWidgets, pyqtgraph; print(pyqtgraph.__version__)"
    environment = {**os.environ, "QT_QPA_PLATFORM": "offscreen"}
    run = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, env=environment, check=False
    )
    if run.returncode:
        reason = run.stderr.strip().splitlines()[-1] if run.stderr.strip() else "it crashed"
        return [Finding("window (Qt)", "note", f"{reason}; pip install 'livepdf[gui]' for the GUI")]
    display = os.environ.get("DISPLAY") or os.environ.get("WAYLAND_DISPLAY")
    where = f"display {display}" if display else "no display: windows are drawn offscreen"
    return [Finding("window (Qt)", "ok", f"pyqtgraph {run.stdout.strip()}, {where}")]


def _disk() -> list[Finding]:
    free = shutil.disk_usage(Path.cwd()).free / 1e9
    verdict: Verdict = "ok" if free > 5 else "note"
    return [Finding("disk here", verdict, f"{free:.0f} GB free in {Path.cwd()}")]


def _processors() -> list[Finding]:
    count = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count()
    return [Finding("processors", "ok", f"{count} for this process")]


def _streams() -> list[Finding]:
    return [
        Finding(
            "pushed streams",
            "note",
            "a detector that pushes has ONE reader: livepdf and a file writer on the same port "
            "would each get half of the frames. Connect livepdf to what re-publishes it, or "
            "let livepdf own it and serve the writer: republish in [source]",
        )
    ]


_LOOKS: tuple[Callable[[], list[Finding]], ...] = (
    _python,
    _packages,
    _compiler,
    _decompression,
    _window,
    _processors,
    _disk,
    _streams,
)
