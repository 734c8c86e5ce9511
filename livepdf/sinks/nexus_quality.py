"""How good the frames of each window are, in the NeXus file: flags, numbers, which frames."""

import json
from collections.abc import Sequence
from typing import Any

import numpy as np

from livepdf.model.curve import Result
from livepdf.model.marks import NO_MARKS, Marks
from livepdf.model.quality import FLAGS
from livepdf.sinks.nexus_tables import column, fixed, grown

_FLAGS = 160
_STRETCHES = 400


class QualityTable:
    """One row for each window; the worst number of its frames for each flag."""

    def __init__(self, group: Any) -> None:
        group.attrs["description"] = "the worst number of the frames of each window, by flag"
        self._flags = column(group, "flags", f"S{_FLAGS}")
        self._flagged = column(group, "flagged_frames", f"S{_STRETCHES}")
        self._flagged.attrs["description"] = "JSON: flag, first and last frame of each stretch"
        self._left_out = column(group, "left_out", np.int64)
        self._numbers = {flag: column(group, _name(flag), np.float64) for flag in FLAGS}

    def put(self, first: int, results: Sequence[Result]) -> None:
        """Write windows from row ``first`` on."""
        grown(self._flags, first, [fixed(", ".join(r.flags), _FLAGS) for r in results])
        grown(self._flagged, first, [_stretches(r) for r in results])
        grown(self._left_out, first, [r.left_out for r in results])
        numbers = [dict(r.quality) for r in results]
        for flag, dataset in self._numbers.items():
            grown(dataset, first, [found.get(flag, np.nan) for found in numbers])


def read_marks(group: Any, row: int) -> Marks:
    """Return what was written of a window."""
    if row >= group["flags"].shape[0]:
        return NO_MARKS
    flags, stretches = group["flags"][row].decode(), group["flagged_frames"][row].decode()
    numbers = [(flag, float(group[_name(flag)][row])) for flag in FLAGS]
    return Marks(
        flags=tuple(flags.split(", ")) if flags else (),
        numbers=tuple((flag, value) for flag, value in numbers if np.isfinite(value)),
        flagged=tuple((str(f), int(a), int(b)) for f, a, b in json.loads(stretches or "[]")),
        left_out=max(0, int(group["left_out"][row])),
    )


def _stretches(result: Result) -> bytes:
    """Return as many of the stretches as fit; the first come first."""
    kept = list(result.flagged)
    while len(text := json.dumps(kept).encode()) > _STRETCHES:
        kept = kept[: len(kept) * _STRETCHES // len(text)]
    return text if kept else b""


def _name(flag: str) -> str:
    return flag.replace(" ", "_")
