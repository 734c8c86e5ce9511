"""NXazint files as azint-writer lays them out, written by h5py alone."""

from pathlib import Path
from typing import Any

import h5py
import numpy as np
from numpy.typing import NDArray


def write_azint(
    path: Path,
    *,
    intensity: NDArray[Any],
    axis: NDArray[np.float64],
    unit: str = "1/angstrom",
    errors: NDArray[Any] | None = None,
    norm: NDArray[Any] | None = None,
    monitor: NDArray[Any] | None = None,
    wavelength: float | None = 0.2,
    **flags: bool,
) -> Path:
    """Write patterns (n, bins), or cakes (n, azimuth, bins) as NXazint2d."""
    applied = {"solid_angle": True, "polarization": True, "normalization": True, **flags}
    with h5py.File(path, "w") as file:
        entry = file.create_group("entry")
        entry.attrs["NX_class"] = "NXentry"
        entry["definition"] = "NXazint2d" if intensity.ndim == 3 else "NXazint1d"
        for name, value in applied.items():
            entry[f"{name}_applied"] = value
        if wavelength is not None:
            entry["instrument/monochromator/wavelength"] = wavelength
            entry["instrument/monochromator/wavelength"].attrs["units"] = "angstrom"
        entry["data/radial_axis"] = axis
        entry["data/radial_axis"].attrs["units"] = unit
        for name, values in (("I", intensity), ("I_errors", errors), ("norm", norm)):
            if values is not None:
                entry[f"data/{name}"] = values
        if monitor is not None:
            entry["monitor/data"] = monitor
    return path
