"""What a whole run says, in a NeXus file: laws, their parameters and how these hang together."""

from collections.abc import Sequence
from typing import Any

import numpy as np

from livepdf.model.finding import Finding, Found
from livepdf.sinks.nexus_tables import column, fixed, grown

_NAME, _UNIT, _REASON = 40, 16, 200
_NUMBERS = ("value", "sigma", "low", "high")


class FindingTable:
    """One row for each parameter of each law; a law without any has one row with its reason."""

    def __init__(self, group: Any) -> None:
        group.attrs["description"] = "parameters of kinetic laws; low and high bound 95 %"
        self._texts = {
            name: column(group, name, f"S{length}")
            for name, length in (
                ("law", _NAME),
                ("parameter", _NAME),
                ("unit", _UNIT),
                ("reason", _REASON),
            )
        }
        self._numbers = {name: column(group, name, np.float64) for name in (*_NUMBERS, "chi2")}
        self._points = column(group, "points", np.int64)
        pairs = group.create_group("correlations")
        pairs.attrs["NX_class"] = "NXcollection"
        self._pairs = {
            name: column(pairs, name, f"S{_NAME}") for name in ("law", "parameter", "other")
        }
        self._correlation = column(pairs, "correlation", np.float64)

    def put(self, findings: Sequence[Finding]) -> None:
        """Replace all rows."""
        nan = float("nan")
        none = Found(name="", unit="", value=nan, sigma=nan, low=nan, high=nan)
        rows = [(finding, found) for finding in findings for found in finding.found or (none,)]
        self._fill(self._texts["law"], [fixed(f.law, _NAME) for f, _ in rows])
        self._fill(self._texts["parameter"], [fixed(q.name, _NAME) for _, q in rows])
        self._fill(self._texts["unit"], [fixed(q.unit, _UNIT) for _, q in rows])
        self._fill(self._texts["reason"], [fixed(f.reason, _REASON) for f, _ in rows])
        for name in _NUMBERS:
            self._fill(self._numbers[name], [getattr(q, name) for _, q in rows])
        self._fill(self._numbers["chi2"], [f.chi2 for f, _ in rows])
        self._fill(self._points, [f.points for f, _ in rows])
        pairs = [(f.law, a, b, r) for f in findings for a, b, r in f.correlations]
        for place, name in enumerate(("law", "parameter", "other")):
            self._fill(self._pairs[name], [fixed(str(pair[place]), _NAME) for pair in pairs])
        self._fill(self._correlation, [pair[3] for pair in pairs])

    def _fill(self, dataset: Any, values: Sequence[Any]) -> None:
        grown(dataset, 0, values)
        # Fewer rows than before: what is left over is cut off.
        dataset.resize(len(values), axis=0)


def read_findings(group: Any) -> tuple[Finding, ...]:
    """Return what a file holds, from its group ``kinetics``."""
    texts = {n: [t.decode() for t in group[n][:]] for n in ("law", "parameter", "unit", "reason")}
    numbers = {name: group[name][:] for name in (*_NUMBERS, "chi2", "points")}
    pairs = group["correlations"]
    told = [
        (law.decode(), a.decode(), b.decode(), float(r))
        for law, a, b, r in zip(
            *(pairs[n][:] for n in ("law", "parameter", "other", "correlation")), strict=True
        )
    ]
    findings = []
    for law in dict.fromkeys(texts["law"]):
        rows = [row for row, name in enumerate(texts["law"]) if name == law]
        found = tuple(
            Found(
                name=texts["parameter"][row],
                unit=texts["unit"][row],
                **{name: float(numbers[name][row]) for name in _NUMBERS},
            )
            for row in rows
            if texts["parameter"][row]
        )
        findings.append(
            Finding(
                law=law,
                found=found,
                correlations=tuple((a, b, r) for name, a, b, r in told if name == law),
                chi2=float(numbers["chi2"][rows[0]]),
                points=int(numbers["points"][rows[0]]),
                reason=texts["reason"][rows[0]],
            )
        )
    return tuple(findings)
