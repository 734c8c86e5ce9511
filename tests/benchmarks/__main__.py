"""Run the benchmarks: ``python -m tests.benchmarks [--json FILE] [NAMES...]``."""

import argparse
import faulthandler
import json
import signal
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

from tests.benchmarks.daemon_rate import Sustained, daemon_rate
from tests.benchmarks.daemon_workers import Held, daemon_workers
from tests.benchmarks.estimator import estimator
from tests.benchmarks.integration import engines, integration, rings, scaling, splitting
from tests.benchmarks.peers import not_measured
from tests.benchmarks.reduction import reduction
from tests.benchmarks.table import Row
from tests.benchmarks.whole import whole

BENCHMARKS: dict[str, Callable[[], Iterator[Row] | Iterator[Row | Held] | Iterator[Sustained]]] = {
    "integration": integration,
    "splitting": splitting,
    "engines": engines,
    "rings": rings,
    "scaling": scaling,
    "whole": whole,
    "reduction": reduction,
    "estimator": estimator,
    "workers": daemon_workers,
    "daemon": daemon_rate,
}


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
    names = chosen.names or list(BENCHMARKS)
    began, records, failed = time.monotonic(), list[dict[str, object]](), list[str]()
    for number, name in enumerate(names, 1):
        spent = time.monotonic() - began
        sys.stderr.write(f"measuring {number} of {len(names)}, {name}; {spent:.0f} s so far\n")
        try:
            for row in BENCHMARKS[name]():
                sys.stdout.write(f"{row.line()}\n")
                sys.stdout.flush()
                records.append(row.record())
        except RuntimeError as error:
            failed.append(name)
            sys.stdout.write(f"{name}: not measured: {error}\n")
        if chosen.json:
            text = json.dumps(records, indent=1, ensure_ascii=False)
            chosen.json.write_text(text, encoding="utf-8")
    for line in not_measured():
        sys.stdout.write(f"{line}\n")
    sys.stderr.write(f"{time.monotonic() - began:.0f} s in all\n")
    if failed:
        sys.exit(f"not measured: {', '.join(failed)}")


if __name__ == "__main__":
    main()
