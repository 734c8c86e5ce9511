"""Results of one run as one NeXus/HDF5 file that grows and can be read meanwhile (SWMR).

Other processes open it with ``h5py.File(path, swmr=True)``: while it grows, and after the writer
was killed, when it holds everything up to the last flush. A file that was closed opens anyhow.
"""

import itertools
import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import h5py
import numpy as np
from numpy.typing import NDArray

from livepdf.model.curve import CurveKind, Result
from livepdf.model.finding import Finding
from livepdf.model.status import Counters, Event
from livepdf.model.sums import Sums
from livepdf.sinks.nexus_difference import DifferenceTable, Reference
from livepdf.sinks.nexus_findings import FindingTable
from livepdf.sinks.nexus_groups import axis, group, iso, number
from livepdf.sinks.nexus_quality import QualityTable
from livepdf.sinks.nexus_read import Stored, read_windows
from livepdf.sinks.nexus_tables import (
    CounterTable,
    EventTable,
    ModelTable,
    TrendTable,
    WindowTable,
    column,
    curve_pair,
    fixed,
    growing_rows,
    grown,
)

_HC = 12.398419843320026  # keV Å
_SIGNALS: dict[CurveKind, tuple[str, str]] = {
    "iq": ("I", "Q"),
    "sq": ("S", "Q"),
    "fq": ("F", "Q"),
    "gr": ("G", "r"),
}
_PICTURES: tuple[tuple[str, CurveKind, str], ...] = (
    ("pdf", "gr", "1/angstrom^2"),
    ("fq", "fq", "1/angstrom"),
    ("sq", "sq", ""),
)

_ABANDONED: list["NexusFile"] = []
"""HDF5 crashes the process when a file is closed, or merely forgotten, after the disk refused a
write; so such files are kept until the process ends."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Revised:
    """One recipe that a run was reduced with."""

    number: int
    time: float
    """Unix seconds since when it held."""
    changes: str
    """What was changed and for which windows, in words."""
    recipe: str
    """Its text."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class RunHeader:
    """All about a run that is known before its first window."""

    run: str
    start: float
    """Unix seconds."""
    q: NDArray[np.float64]
    """(n_q,) Å⁻¹ of I(Q) and of the sums."""
    fq_q: NDArray[np.float64]
    """(n_window,) Å⁻¹ of S(Q) and F(Q)."""
    r: NDArray[np.float64]
    """(n_r,) Å"""
    trends: Sequence[tuple[str, str]]
    """Name and unit of each."""
    instrument: str
    facility: str
    wavelength: float
    """Å"""
    sample: str
    composition: str
    solid_angle: bool
    polarization: float | None
    normalized: bool
    """Whether counts are divided by monitor or exposure."""
    revision: int
    profile: str
    """Text of the profile."""
    recipe: str
    source: str
    software: Mapping[str, str]
    """Versions by name."""
    metadata: Mapping[str, str | int | float | bool | None]
    """What the detector said at the start."""
    folder: str = ""
    """Where relative paths of profile and recipe begin."""
    below: str = ""
    """Folder of the file below the output directory."""
    correlation: Sequence[float] = ()
    """Of the noise of bins 1, 2, … apart; empty where pixels are not split."""
    first: int = 0
    """Number of the window in the first row."""
    revisions: Sequence[Revised] = ()
    """All up to this one, oldest first."""
    follows: str = ""
    """Name of the file of the revision before; empty for the first."""

    @property
    def stem(self) -> str:
        """Name of the file without its ending: one file for each revision of a run."""
        return f"{self.run}-rev{self.revision}" if self.follows else self.run


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class WindowRow:
    """One window as it goes to disk."""

    result: Result
    sums: Sums


class NexusFile:
    """The file of one run; used by one thread.

    Every method may raise OSError when the disk does not take it.
    """

    def __init__(
        self,
        path: Path,
        header: RunHeader,
        *,
        first: int | None = None,
        earlier: Sequence[str] = (),
    ) -> None:
        """Make the file.

        Parameters
        ----------
        first : int, optional
            Number of the window in the first row; the header's where it is left out.
        earlier
            Names of the files beside it that hold what came before of the run: links lead there.
        """
        self.path = path
        self.header = header
        self.first = header.first if first is None else first
        # "x": results of an earlier run are never overwritten.
        self._file = h5py.File(path, "x", libver="latest")
        try:
            self._build()
            self._link(earlier)
            self._file.swmr_mode = True
            self._file.flush()
        except BaseException:
            self.abandon()
            raise

    def add(self, rows: Sequence[WindowRow]) -> None:
        """Write windows, each into the row of its number; rows between stay empty."""
        for first, block in self._blocks(rows):
            results = [row.result for row in block]
            self._windows.put(first, results)
            self._quality.put(first, results)
            for kind, (values, errors) in self._curves.items():
                grown(values, first, [result.curve(kind).y for result in results])
                grown(errors, first, [result.curve(kind).sigma for result in results])
            for name, dataset in self._sums.items():
                grown(dataset, first, [getattr(row.sums, name) for row in block])
            for table in (*self._analysed, self._difference):
                table.put(first, results)

    def trends(self, rows: Sequence[WindowRow]) -> None:
        """Write trends and models, and nothing else, of windows that are there."""
        for (first, block), table in itertools.product(self._blocks(rows), self._analysed):
            table.put(first, [row.result for row in block])

    def reference(self, reference: Reference) -> None:
        """Keep what differences are taken from, from now on."""
        self._difference.refer(reference)

    def windows(self, numbers: Sequence[int]) -> dict[int, Stored]:
        """Return those of the windows that are here, with their sums."""
        return read_windows(self._file, [n - self.first for n in numbers if n >= self.first])

    @property
    def descriptor(self) -> int:
        """Number by which the system knows the open file; HDF5 owns it."""
        return int(self._file.id.get_vfd_handle())

    def continued(self, name: str) -> None:
        """Say in which file the run goes on."""
        self._continued[...] = fixed(name, 200)

    def whole(self, row: WindowRow) -> None:
        """Replace the curves of the run as one."""
        for kind, (values, errors) in self._whole.items():
            values[...] = row.result.curve(kind).y
            errors[...] = row.result.curve(kind).sigma
        self._whole_frames[...] = row.sums.frames

    def event(self, event: Event) -> None:
        """Append an event."""
        self._events.add(event)

    def counters(self, counters: Counters) -> None:
        """Replace the counters."""
        self._counters.put(counters)

    def findings(self, findings: Sequence[Finding]) -> None:
        """Replace what the whole run says."""
        self._findings.put(findings)

    def _blocks(self, rows: Sequence[WindowRow]) -> Iterator[tuple[int, list[WindowRow]]]:
        """Yield neighbours together, with the place of the first; what has no place is left."""
        block: list[WindowRow] = []
        for row in sorted(rows, key=_number_of):
            if _number_of(row) < self.first:
                continue
            if block and _number_of(row) != _number_of(block[-1]) + 1:
                yield _number_of(block[0]) - self.first, block
                block = []
            block.append(row)
        if block:
            yield _number_of(block[0]) - self.first, block

    def flush(self) -> None:
        """Make everything so far visible to readers, and safe from a killed writer."""
        self._file.flush()

    def abandon(self) -> None:
        """Let go of a file that failed; nothing is written to it any more."""
        _ABANDONED.append(self)

    def close(self, *, end: float | None = None) -> None:
        """Mark the file complete and close it."""
        if not self._file:
            return
        try:
            if end is not None:
                self._end[...] = fixed(iso(end), 40)
                self._complete[...] = 1
        finally:
            self._file.close()

    def _link(self, earlier: Sequence[str]) -> None:
        if earlier:
            parts = group(self._file["entry"], "earlier_parts", "NXcollection")
            for name in earlier:
                parts[Path(name).stem] = h5py.ExternalLink(name, "/entry")

    def _build(self) -> None:
        header = self.header
        self._file.attrs.update(NX_class="NXroot", default="entry", creator="livepdf")
        self._file.attrs["file_time"] = iso(header.start)
        entry = group(self._file, "entry", "NXentry", default="pdf")
        entry["title"] = header.run
        entry["start_time"] = iso(header.start)
        self._end = entry.create_dataset("end_time", data=fixed("", 40), dtype="S40")
        self._complete = entry.create_dataset("complete", data=0)
        self._complete.attrs["description"] = "1 once this file was closed in order"
        entry["follows"] = header.follows
        self._continued = entry.create_dataset("continued_in", data=fixed("", 200), dtype="S200")
        self._continued.attrs["description"] = "file with the next revision of this run"
        sample = group(entry, "sample", "NXsample")
        sample["name"] = header.sample
        sample["chemical_formula"] = header.composition
        self._windows = WindowTable(group(entry, "windows", "NXcollection"), start=header.start)
        self._quality = QualityTable(group(entry, "quality", "NXcollection"))
        self._build_curves(entry)
        self._build_whole(entry)
        self._build_sums(entry)
        self._difference = DifferenceTable(entry, r=header.r, time=self._windows.time)
        trends = group(entry, "trends", "NXcollection")
        tables = [
            TrendTable(trends, name=name, unit=unit, time=self._windows.time)
            for name, unit in header.trends
        ]
        self._analysed: list[Any] = [*tables, ModelTable(entry["pdf"], size=header.r.size)]
        self._events = EventTable(group(entry, "events", "NXcollection"))
        self._counters = CounterTable(group(entry, "counters", "NXcollection"))
        self._findings = FindingTable(group(entry, "kinetics", "NXcollection"))
        self._build_process(entry)

    def _build_curves(self, entry: Any) -> None:
        header = self.header
        self._curves: dict[CurveKind, tuple[Any, Any]] = {}
        for name, kind, unit in _PICTURES:
            signal, x_name = _SIGNALS[kind]
            x = header.r if kind == "gr" else header.fq_q
            data = group(entry, name, "NXdata", signal=signal, interpretation="image")
            data.attrs["axes"] = ["time", x_name]
            data["time"] = self._windows.time
            axis(data, x_name, x)
            self._curves[kind] = curve_pair(data, signal, x.size, unit)
        data = self._build_azint(entry)
        self._curves["iq"] = curve_pair(data, "I", header.q.size, "arbitrary units")
        data["I"].attrs["long_name"] = "intensity"

    def _build_azint(self, entry: Any) -> Any:
        header = self.header
        azint = group(entry, "azint1d", "NXsubentry", default="data")
        azint["definition"] = "NXazint1d"
        azint["solid_angle_applied"] = header.solid_angle
        azint["polarization_applied"] = header.polarization is not None
        # Counts are always divided by the weight of their pixels; by I0 or time where wanted.
        azint["normalization_applied"] = True
        azint["monitor_applied"] = header.normalized
        instrument = group(azint, "instrument", "NXinstrument")
        instrument["name"] = header.instrument
        monochromator = group(instrument, "monochromator", "NXmonochromator")
        number(monochromator, "wavelength", header.wavelength, "angstrom")
        number(monochromator, "energy", _HC / header.wavelength, "keV")
        source = group(instrument, "source", "NXsource")
        source["name"] = header.facility or header.instrument
        source["type"] = "Synchrotron X-ray Source"
        source["probe"] = "x-ray"
        process = group(azint, "reduction", "NXprocess")
        _describe(process, header)
        process["reference"] = "pyFAI geometry, sums divided last"
        given = group(process, "input", "NXparameters")
        given["profile"], given["recipe"] = header.profile, header.recipe
        if header.polarization is not None:
            given["polarization_factor"] = header.polarization
        entry["instrument"] = instrument
        data = group(azint, "data", "NXdata", signal="I", interpretation="spectrum")
        data.attrs["axes"] = [".", "radial_axis"]
        axis(data, "radial_axis", header.q)
        data["radial_axis"].attrs["long_name"] = "Q"
        return data

    def _build_whole(self, entry: Any) -> None:
        header = self.header
        whole = group(entry, "run", "NXcollection")
        self._whole_frames = whole.create_dataset("frames", data=0)
        self._whole: dict[CurveKind, tuple[Any, Any]] = {}
        axes = {"iq": header.q, "sq": header.fq_q, "fq": header.fq_q, "gr": header.r}
        for kind, (signal, x_name) in _SIGNALS.items():
            x = axes[kind]
            data = group(whole, kind, "NXdata", signal=signal, axes=x_name)
            axis(data, x_name, x)
            empty = np.full(x.size, np.nan, dtype=np.float32)
            self._whole[kind] = (
                data.create_dataset(signal, data=empty),
                data.create_dataset(f"{signal}_errors", data=empty),
            )

    def _build_sums(self, entry: Any) -> None:
        sums = group(entry, "sums", "NXcollection")
        sums.attrs["description"] = "I = signal / weight, variance of I = variance / weight^2"
        sums["Q"] = entry["azint1d/data/radial_axis"]
        sums["correlation"] = np.asarray(self.header.correlation, dtype=np.float64)
        size = self.header.q.size
        self._sums = {
            name: growing_rows(sums, name, size, np.float64)
            for name in ("signal", "variance", "weight", "pixels")
        }
        self._sums |= {name: column(sums, name, np.float64) for name in ("monitor", "exposure")}

    def _build_process(self, entry: Any) -> None:
        header = self.header
        process = group(entry, "livepdf", "NXprocess")
        _describe(process, header)
        process["profile"], process["recipe"] = header.profile, header.recipe
        process["folder"], process["start"] = header.folder, header.start
        process["revision"] = header.revision
        for revised in header.revisions:
            past = group(process, f"revision_{revised.number}", "NXparameters")
            past["number"], past["date"] = revised.number, iso(revised.time)
            past["changes"], past["recipe"] = revised.changes, revised.recipe
        process["source"] = header.source
        process["metadata"] = json.dumps(dict(header.metadata), default=str)
        software = group(process, "software", "NXcollection")
        for program, version in header.software.items():
            software[program] = version


def _number_of(row: WindowRow) -> int:
    return row.result.span.number


def must_not_tidy_up() -> bool:
    """Whether the process must end by `os._exit`: HDF5 would crash on an abandoned file."""
    return bool(_ABANDONED)


def _describe(process: Any, header: RunHeader) -> None:
    process["program"] = "livepdf"
    process["version"] = header.software.get("livepdf", "unknown")
    process["date"] = iso(header.start)
