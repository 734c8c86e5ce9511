"""Reports of serial and breakdown runs as NeXus files, replaced whole each time."""

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import h5py
import numpy as np
from numpy.typing import NDArray

from livepdf.errors import FileError
from livepdf.model.breakdown import BreakdownReport
from livepdf.model.fraction import Fraction
from livepdf.model.laser import ShotCounts
from livepdf.model.serial import HitRate, SerialReport
from livepdf.sinks.laser_file import write_window


def write_serial(path: Path, report: SerialReport) -> None:
    """Write a report; the file that was there stays whole until the new one is.

    Raises
    ------
    FileError
        When the disk refuses.
    """
    _replaced(path, lambda file: _serial(file, report))


def write_breakdown(path: Path, report: BreakdownReport) -> None:
    """Write a report, as `write_serial` does; raises FileError likewise."""
    _replaced(path, lambda file: _breakdown(file, report))


def _replaced(path: Path, fill: Callable[[Any], None]) -> None:
    part = path.with_name(path.name + ".part")
    try:
        with h5py.File(part, "w") as file:
            fill(file)
        part.replace(path)
    except OSError as error:
        part.unlink(missing_ok=True)
        raise FileError(f"{path}: cannot be written: {error}") from error


def _serial(file: Any, report: SerialReport) -> None:
    entry = _entry(file, f"{report.run}: hits", default="powder")
    entry["hit_is"], entry["normalised_by"] = report.hit_is, report.normalised
    entry["sigma_is"] = report.sigma_is
    powder = _data(
        entry,
        "powder",
        signal="I",
        axes={"Q": (report.q, "1/angstrom")},
        values={"I": report.powder, "I_errors": report.powder_sigma},
    )
    powder["hits"], powder["blanks"], powder["peaks"] = (
        *(report.hits_iq, report.blanks_iq),
        report.peaks,
    )
    _data(
        entry,
        "hit_rate",
        signal="rate",
        axes={"shots": (report.course_shots, "")},
        values={"rate": report.course_rate, "low": report.course_low, "high": report.course_high},
    )
    _rates(entry["hit_rate"], {"whole": report.whole, "recent": report.recent})
    _rates(entry["hit_rate"], {f"class {name}": rate for name, rate in report.by_class})
    if report.sizes_seen.size:
        _data(
            entry,
            "sizes",
            signal="seen",
            axes={"diameter": (report.size_edges, "angstrom")},
            values={
                "seen": report.sizes_seen,
                "efficiency": report.efficiency,
                "corrected": report.sizes_corrected,
                "corrected_errors": report.sizes_sigma,
            },
        )
    particles = _data(
        entry,
        "particles",
        signal="diameter",
        axes={"shot": (report.particle_shots, "")},
        values={"diameter": report.particle_sizes, "diameter_errors": report.particle_sigmas},
    )
    particles["diameter"].attrs["units"] = "angstrom"
    _data(
        entry,
        "lit_pixels",
        signal="shots",
        axes={"pixels": (report.lit_edges, "")},
        values={"shots": report.lit_shots},
    )
    _counts(entry, report.counts, report.fractions, report.warnings)
    _pairs(entry["shots"], "fits", report.sized)


def _breakdown(file: Any, report: BreakdownReport) -> None:
    entry = _entry(file, f"{report.run}: samples destroyed by the laser", default="diq")
    entry["sigma_is"], entry["normalised_by"] = report.sigma_is, report.normalised
    write_window(entry, report.limits)
    along = (report.x, report.unit)
    for name, signal, label, x, unit, value, sigma in (
        ("diq", "dI", "Q", report.q, "1/angstrom", report.diq, report.diq_sigma),
        ("dgr", "dG", "r", report.r, "angstrom", report.dgr, report.dgr_sigma),
    ):
        _data(
            entry,
            name,
            signal=signal,
            axes={report.along: along, label: (x, unit)},
            values={signal: value, f"{signal}_errors": sigma},
        )
    bank = _data(
        entry,
        "bank",
        signal="I",
        axes={"Q": (report.q, "1/angstrom")},
        values={"I": report.bank, "scatter": report.bank_scatter},
    )
    bank["shots"] = report.bank_shots
    for number, measure in enumerate(report.measures):
        group = _data(
            entry,
            measure.name,
            signal="value",
            axes={report.along: along},
            values={"value": report.values[number], "value_errors": report.sigmas[number]},
        )
        group["samples"] = report.shots
        change = group.create_group("change")
        change.attrs["NX_class"] = "NXcollection"
        for name in ("start", "low", "high", "coverage", "before", "after", "odds", "reason"):
            change[name] = getattr(measure, name)
    _counts(entry, report.counts, report.fractions, report.warnings)


def _entry(file: Any, title: str, *, default: str) -> Any:
    file.attrs["default"] = "entry"
    entry = file.create_group("entry")
    entry.attrs.update(NX_class="NXentry", default=default)
    entry["title"] = title
    return entry


def _data(
    entry: Any,
    name: str,
    *,
    signal: str,
    axes: Mapping[str, tuple[NDArray[Any], str]],
    values: Mapping[str, NDArray[Any]],
) -> Any:
    group = entry.create_group(name)
    group.attrs.update(NX_class="NXdata", signal=signal)
    group.attrs["axes"] = list(axes)
    for axis, (x, unit) in axes.items():
        group[axis] = x
        if unit:
            group[axis].attrs["units"] = unit
    for key, value in values.items():
        group.create_dataset(key, data=value)
    return group


def _rates(group: Any, rates: Mapping[str, HitRate]) -> None:
    for name, rate in rates.items():
        inner = group.create_group(name)
        inner.attrs["NX_class"] = "NXcollection"
        for key in ("hits", "shots", "rate", "low", "high"):
            inner[key] = getattr(rate, key)


def _counts(
    entry: Any, counts: ShotCounts, fractions: tuple[Fraction, ...], warnings: tuple[str, ...]
) -> None:
    group = entry.create_group("shots")
    group.attrs["NX_class"] = "NXcollection"
    group["received"], group["outside_bins"] = counts.received, counts.outside
    _pairs(group, "classes", counts.classes)
    _pairs(group, "rejected", counts.rejected)
    group["parts"] = np.array([one.words.encode() for one in fractions] or [b""])
    entry["warnings"] = np.array([text.encode() for text in warnings] or [b""])


def _pairs(group: Any, name: str, pairs: tuple[tuple[str, int], ...]) -> None:
    inner = group.create_group(name)
    inner.attrs["NX_class"] = "NXcollection"
    for key, count in pairs:
        inner[key.replace("/", "-")] = count
