"""ΔG of a NeXus file: what each window differs from, and by how much."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from livepdf.model.curve import Curve, Result
from livepdf.sinks.nexus_tables import column, curve_pair, extended, fixed, grown

_WORDS = 200
_UNIT = "1/angstrom^2"


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Reference:
    """What windows are compared with."""

    words: str
    """Where it comes from, for people."""
    time: float
    """Unix seconds since when it holds."""
    gr: Curve
    """On the r of the file."""


class DifferenceTable:
    """G(r) less that of a reference, one row a window; rows without are empty."""

    def __init__(self, entry: Any, *, r: NDArray[np.float64], time: Any) -> None:
        data = entry.create_group("difference")
        data.attrs.update(NX_class="NXdata", signal="dG", interpretation="image")
        data.attrs["axes"] = ["time", "r"]
        data["time"] = time
        data["r"] = entry["pdf/r"]
        self._values, self._errors = curve_pair(data, "dG", r.size, _UNIT)
        self._used = column(data, "reference", np.int64)
        self._used.attrs["description"] = "row of references that was subtracted, -1 for none"
        kept = entry.create_group("references")
        kept.attrs["NX_class"] = "NXcollection"
        self._gr, self._gr_errors = curve_pair(kept, "G", r.size, _UNIT)
        self._time = column(kept, "time", np.float64)
        self._time.attrs.update(units="s", description="Unix time since when it held")
        self._words = column(kept, "description", f"S{_WORDS}")
        self._count = 0

    def put(self, first: int, results: Sequence[Result]) -> None:
        """Write the differences of windows from row ``first`` on."""
        for dataset in (self._values, self._errors, self._used):
            extended(dataset, first + len(results))
        for row, result in enumerate(results, start=first):
            found = next((curve for curve in result.curves if curve.kind == "dgr"), None)
            if found is not None and self._count:
                self._values[row], self._errors[row] = found.y, found.sigma
                self._used[row] = self._count - 1

    def refer(self, reference: Reference) -> None:
        """Keep a reference; differences that follow are taken from it."""
        grown(self._gr, self._count, [reference.gr.y])
        grown(self._gr_errors, self._count, [reference.gr.sigma])
        grown(self._time, self._count, [reference.time])
        grown(self._words, self._count, [fixed(reference.words, _WORDS)])
        self._count += 1
