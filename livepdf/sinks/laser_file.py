"""A pump-probe report as a NeXus file: maps over delay with σ, replaced whole each time."""

from pathlib import Path
from typing import Any

import h5py
import numpy as np
from numpy.typing import NDArray

from livepdf.errors import FileError
from livepdf.model.laser import LaserReport, Limits

_Floats = NDArray[np.float64]
_Axis = tuple[str, _Floats, str]
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


def write_pairs(
    path: Path,
    *,
    q: NDArray[np.float64],
    delays: NDArray[np.float64],
    value: NDArray[np.float64],
    sigma: NDArray[np.float64],
    sigma_is: str,
    strength: NDArray[np.float64],
    curves: NDArray[np.float64],
    over: NDArray[np.float64],
) -> None:
    """Write a map of ΔI made from averages, and its components.

    Parameters
    ----------
    q : (n_q,) Å⁻¹
    delays : (n,) s
    value, sigma : (n, n_q)
    sigma_is : where σ comes from, in words
    strength, curves, over : (k,), (k, n_q), (k, n)
        The components of the map.

    Raises
    ------
    FileError
        When the disk refuses.
    """
    try:
        with h5py.File(path, "w") as file:
            file.attrs["default"] = "entry"
            entry = file.create_group("entry")
            entry.attrs.update(NX_class="NXentry", default="diq")
            entry["sigma_is"] = sigma_is
            _map(entry, "diq", "dI", ("Q", q, "1/angstrom"), delays, value, sigma)
            _components(entry, q, strength, curves, over)
    except OSError as error:
        raise FileError(f"{path}: cannot be written: {error}") from error


def _fill(file: Any, report: LaserReport) -> None:
    file.attrs["default"] = "entry"
    entry = file.create_group("entry")
    entry.attrs.update(NX_class="NXentry", default="diq")
    entry["title"] = f"{report.run}: with less without the laser"
    entry["sigma_is"], entry["normalised_by"] = report.sigma_is, report.normalised
    write_window(entry, report.limits)
    _map(
        *(entry, "diq", "dI", ("Q", report.q, "1/angstrom")),
        *(report.delays, report.diq, report.diq_sigma),
    )
    _map(
        *(entry, "dgr", "dG", ("r", report.r, "angstrom")),
        *(report.delays, report.dgr, report.dgr_sigma),
    )
    _sides(entry, report)
    _tests(entry, report)
    _counts(entry, report)
    growth = _data(entry, "convergence", "sigma", ["shots"])
    growth["shots"], growth["sigma"] = report.growth_shots, report.growth_sigma
    _components(entry, report.q, report.strength, report.components, report.component_delays)
    entry["warnings"] = np.array([text.encode() for text in report.warnings] or [b""])


def _sides(entry: Any, report: LaserReport) -> None:
    """Write the curves with and without the laser that the differences are of."""
    q, r = ("Q", report.q, "1/angstrom"), ("r", report.r, "angstrom")
    iq, gr = report.off_iq, report.off_gr
    _map(entry, "iq_off", "I", q, report.delays, iq, report.off_iq_sigma)
    _map(entry, "iq_on", "I", q, report.delays, iq + report.diq, report.on_iq_sigma)
    _map(entry, "gr_off", "G", r, report.delays, gr, report.off_gr_sigma)
    _map(entry, "gr_on", "G", r, report.delays, gr + report.dgr, report.on_gr_sigma)


def write_window(entry: Any, limits: Limits) -> None:
    """Write what of Q is in G(r), and how wide one sharp distance is in it, into an entry."""
    window = entry.create_group("window_of_gr")
    window.attrs["NX_class"] = "NXparameters"
    window["taper"] = limits.taper
    for name, value, unit in (
        ("qmin", limits.qmin, "1/angstrom"),
        ("qmax", limits.qmax, "1/angstrom"),
        ("width_of_a_distance", limits.width, "angstrom"),
        ("width_without_taper", limits.width_untapered, "angstrom"),
    ):
        window[name] = value
        window[name].attrs["units"] = unit


def _map(
    entry: Any,
    name: str,
    signal: str,
    axis: _Axis,
    delays: _Floats,
    value: NDArray[Any],
    sigma: NDArray[Any],
) -> None:
    label, x, unit = axis
    data = _data(entry, name, signal, ["delay", label])
    data["delay"], data[label] = delays, x
    data["delay"].attrs["units"] = "s"
    data[label].attrs["units"] = unit
    data.create_dataset(signal, data=value, compression="gzip", compression_opts=1)
    data.create_dataset(f"{signal}_errors", data=sigma, compression="gzip", compression_opts=1)


def _components(
    entry: Any, q: _Floats, strength: _Floats, curves: NDArray[Any], over: _Floats
) -> None:
    parts = _data(entry, "components", "curve", ["number", "Q"])
    parts.attrs["description"] = COMPONENTS_ARE
    parts["number"], parts["Q"] = np.arange(len(strength)), q
    parts["curve"], parts["strength"], parts["delays"] = curves, strength, over


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
