"""Run the benchmarks: ``python -m tests.benchmarks [--json FILE] [NAMES...]``."""

import argparse
import faulthandler
import signal
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

from tests.benchmarks.daemon_rate import daemon_rate
from tests.benchmarks.daemon_workers import daemon_workers
from tests.benchmarks.estimator import estimator
from tests.benchmarks.integration import engines, integration, rings, scaling, splitting
from tests.benchmarks.peers import absent
from tests.benchmarks.reduction import reduction
from tests.benchmarks.report import Found, Report
from tests.benchmarks.whole import whole

BENCHMARKS: dict[str, Callable[[], Iterator[Found]]] = {
    "integration": integration,
    "splitting": splitting,
    "whole": whole,
    "scaling": scaling,
    "workers": daemon_workers,
    "daemon": daemon_rate,
    "reduction": reduction,
    "estimator": estimator,
    "rings": rings,
    "engines": engines,
}
"""What most is wanted of comes first."""


def main() -> None:
    """Print each row as it is measured; a benchmark that fails costs only its own rows."""
    parser = argparse.ArgumentParser(prog="python3 tools/dev.py bench", description=__doc__)
    parser.add_argument("names", nargs="*", metavar="NAMES", help=", ".join(BENCHMARKS))
    parser.add_argument("--json", type=Path, metavar="FILE", help="write the rows to FILE")
    chosen = parser.parse_args()
    unknown = [name for name in chosen.names if name not in BENCHMARKS]
    if unknown:
        parser.error(f"unknown: {', '.join(unknown)}; wanted: {', '.join(BENCHMARKS)}")
    # Whoever waits too long wants to know where it hangs.
    faulthandler.register(signal.SIGUSR1, all_threads=True)
    report = Report(sys.argv[1:])
    for name, why in absent().items():
        sys.stdout.write(f"{name}: not measured ({why})\n")
        report.leave_out(name, why)
    failed = _measure(chosen.names or list(BENCHMARKS), report, chosen.json)
    sys.stdout.write(f"{report.summary()}\n")
    if failed:
        sys.exit(f"not measured: {', '.join(failed)}")


def _measure(names: list[str], report: Report, file: Path | None) -> list[str]:
    """Run some benchmarks; return those that gave up. The file holds what there is so far."""
    failed = []
    for number, name in enumerate(names, 1):
        _tell(f"measuring {number} of {len(names)}, {name}; {report.seconds:.0f} s so far")
        try:
            for row in BENCHMARKS[name]():
                sys.stdout.write(f"{row.line()}\n")
                sys.stdout.flush()
                report.add(name, row)
        except RuntimeError as error:
            failed.append(name)
            report.leave_out(name, str(error))
            sys.stdout.write(f"{name}: not measured: {error}\n")
        if file is not None:
            report.write(file)
    return failed


def _tell(words: str) -> None:
    sys.stderr.write(f"{words}\n")
    sys.stderr.flush()


if __name__ == "__main__":
    main()
