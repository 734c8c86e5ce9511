"""A pump-probe report as a NeXus file: maps over delay with σ, replaced whole each time."""

from pathlib import Path
from typing import Any

import h5py
import numpy as np
from numpy.typing import NDArray

from livepdf.errors import FileError
from livepdf.model.laser import LaserReport

_Axis = tuple[str, NDArray[np.float64], str]
"""Name, values, unit."""
COMPONENTS_ARE = "mathematical components, not physical states"


def write_laser(path: Path, report: LaserReport) -> None:
    """Write a report; the file that was there stays whole until the new one is.

    Raises
    ------
    FileError
        When the disk refuses.
    """
    part = path.with_name(path.name + ".part")
    try:
        with h5py.File(part, "w") as file:
            _fill(file, report)
        part.replace(path)
    except OSError as error:
        part.unlink(missing_ok=True)
        raise FileError(f"{path}: cannot be written: {error}") from error


def _fill(file: Any, report: LaserReport) -> None:
    file.attrs["default"] = "entry"
    entry = file.create_group("entry")
    entry.attrs.update(NX_class="NXentry", default="diq")
    entry["title"] = f"{report.run}: with less without the laser"
    entry["sigma_is"], entry["normalised_by"] = report.sigma_is, report.normalised
    _map(entry, "diq", "dI", ("Q", report.q, "1/angstrom"), report)
    _map(entry, "dgr", "dG", ("r", report.r, "angstrom"), report)
    _tests(entry, report)
    _counts(entry, report)
    growth = _data(entry, "convergence", "sigma", ["shots"])
    growth["shots"], growth["sigma"] = report.growth_shots, report.growth_sigma
    parts = _data(entry, "components", "curve", ["number", "Q"])
    parts.attrs["description"] = COMPONENTS_ARE
    parts["number"] = np.arange(len(report.strength))
    parts["Q"], parts["curve"] = report.q, report.components
    parts["strength"], parts["delays"] = report.strength, report.component_delays
    entry["warnings"] = np.array([text.encode() for text in report.warnings] or [b""])


def _map(entry: Any, name: str, signal: str, axis: _Axis, report: LaserReport) -> None:
    label, x, unit = axis
    data = _data(entry, name, signal, ["delay", label])
    data["delay"], data[label] = report.delays, x
    data["delay"].attrs["units"] = "s"
    data[label].attrs["units"] = unit
    value, sigma = getattr(report, name), getattr(report, f"{name}_sigma")
    data.create_dataset(signal, data=value, compression="gzip", compression_opts=1)
    data.create_dataset(f"{signal}_errors", data=sigma, compression="gzip", compression_opts=1)


def _tests(entry: Any, report: LaserReport) -> None:
    data = _data(entry, "significance", "z", ["delay"])
    data["delay"] = report.delays
    for name in ("shots", "p", "z", "shots_to_five_sigma", "slope", "split_half"):
        data[name] = np.array([getattr(test, name) for test in report.tests])
    data["reason"] = np.array([test.reason.encode() for test in report.tests] or [b""])


def _counts(entry: Any, report: LaserReport) -> None:
    group = entry.create_group("shots")
    group.attrs["NX_class"] = "NXcollection"
    group["received"], group["outside_bins"] = report.counts.received, report.counts.outside
    for name, pairs in (("classes", report.counts.classes), ("rejected", report.counts.rejected)):
        inner = group.create_group(name)
        inner.attrs["NX_class"] = "NXcollection"
        for key, count in pairs:
            inner[key.replace("/", "-")] = count


def _data(entry: Any, name: str, signal: str, axes: list[str]) -> Any:
    group = entry.create_group(name)
    group.attrs.update(NX_class="NXdata", signal=signal)
    group.attrs["axes"] = axes
    return group
