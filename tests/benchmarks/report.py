"""All that a run of the benchmarks found, beside what was wanted: for people and for programs."""

import json
import os
import platform
import sys
import time
from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Protocol


class Found(Protocol):
    """A row of any benchmark."""

    @property
    def work(self) -> str:
        """What was done."""

    @property
    def met(self) -> bool | None:
        """Whether it is as good as was wanted; None where nothing was."""

    def line(self) -> str:
        """Return the row for people."""

    def record(self) -> dict[str, object]:
        """Return the row for programs."""


class Report:
    """Gathers rows; what there is so far can be written at any time."""

    def __init__(self, words: list[str]) -> None:
        """``words`` are those of the command line."""
        self._began = time.monotonic()
        self._head = {
            "command": " ".join(["python3 tools/dev.py bench", *words]),
            "date": datetime.now(UTC).isoformat(timespec="seconds"),
            "machine": machine(),
        }
        self._rows: list[tuple[str, Found]] = []
        self._not_measured: dict[str, str] = {}

    @property
    def seconds(self) -> float:
        """Since the run began."""
        return time.monotonic() - self._began

    def add(self, name: str, row: Found) -> None:
        """Take a row of a benchmark."""
        self._rows.append((name, row))

    def leave_out(self, name: str, why: str) -> None:
        """Note what could not be measured."""
        self._not_measured[name] = why

    def write(self, path: Path) -> None:
        """Write everything as JSON."""
        rows = [{"benchmark": n, **row.record(), "met": row.met} for n, row in self._rows]
        whole = {
            **self._head,
            "seconds": round(self.seconds, 1),
            "rows": rows,
            "not_measured": self._not_measured,
        }
        path.write_text(json.dumps(whole, indent=1, ensure_ascii=False), encoding="utf-8")

    def summary(self) -> str:
        """Return how many rows are as wanted, and those that are not, whole."""
        judged = [row for _, row in self._rows if row.met is not None]
        missed = [row for row in judged if not row.met]
        met = len(judged) - len(missed)
        head = f"{met} of {len(judged)} rows as wanted, {self.seconds:.0f} s in all"
        return "\n".join([head, *(f"missed: {row.line()}" for row in missed)])


def machine() -> Mapping[str, object]:
    """Return what speed depends on."""
    return {
        "processor": _processor(),
        "cores": os.cpu_count(),
        "system": platform.platform(),
        "python": sys.version.split()[0],
    }


def _processor() -> str:
    try:
        lines = Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines()
    except OSError:
        return platform.processor()
    names = (line.partition(":")[2].strip() for line in lines if line.startswith("model name"))
    return next(names, platform.processor())
