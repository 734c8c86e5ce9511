"""Patterns that were integrated elsewhere: NXazint1d and NXazint2d, as azint-writer makes them.

What the file says is applied already is told on, so that it is not applied again.
"""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import h5py
import numpy as np
from numpy.typing import NDArray

from livepdf.errors import FrameError
from livepdf.model.frame import Integrated
from livepdf.numerics.resample import AxisUnit, momentum_transfer
from livepdf.sources.batch import Facts, ReadImage, Unusable
from livepdf.sources.complete import is_swmr
from livepdf.sources.hdf5_facts import HC
from livepdf.sources.hdf5_file import flag, number, text
from livepdf.sources.packing import packed

Floats = NDArray[np.float64]
DEFINITIONS = ("NXazint1d", "NXazint2d")
_ENTRY_LEVELS = 2
_AXES: dict[str, AxisUnit] = {
    "degrees": "twotheta", "degree": "twotheta", "deg": "twotheta",
    "1/angstrom": "QA", "angstrom^-1": "QA", "1/a": "QA", "a^-1": "QA", "å⁻¹": "QA",
    "1/nm": "Qnm", "nm^-1": "Qnm",
}  # fmt: skip
"""By the unit of the radial axis in small letters."""


def azint_group(file: Any) -> Any | None:
    """Return the entry or subentry with patterns, the one-dimensional first; None without any."""
    found = {text(group, "definition"): group for group in _entries(file, _ENTRY_LEVELS)}
    return next((found[name] for name in DEFINITIONS if name in found), None)


class Patterns:
    """The patterns of one file; two-dimensional ones are added up over the azimuth."""

    missing = ""

    def __init__(self, group: Any) -> None:
        """Look at all but the patterns.

        Raises
        ------
        FrameError
            ``not normalised``, ``no wavelength``, ``unknown axis`` or ``incomplete``.
        """
        self._group = group
        data = group.get("data")
        if not isinstance(data, h5py.Group) or "I" not in data or "radial_axis" not in data:
            raise FrameError("incomplete", f"{group.name}: no data/I with a radial_axis yet")
        self._data = data
        self._intensity = data["I"]
        self._order, self._q = self._axis()
        self._monitor_applied = bool(flag(self._about, "monitor_applied"))
        if self._say("normalization_applied") is False:
            raise FrameError(
                "not normalised",
                f"{group.name}/normalization_applied is false: I is not divided by the pixels in "
                "each bin; write it with normalized=True",
            )

    @property
    def facts(self) -> Facts:
        """What the file says about all of them."""
        applied = {name: self._say(f"{name}_applied") for name in ("solid_angle", "polarization")}
        unsaid = [name for name, value in applied.items() if value is None]
        metadata: dict[str, str | int | float | bool | None] = {
            "already integrated by": text(self._group, "reduction/program") or "unknown",
            **{f"{name} applied": value is not False for name, value in applied.items()},
        }
        if unsaid:
            metadata["taken as applied"] = ", ".join(unsaid)
        if "I_errors" not in self._data:
            metadata["errors"] = "none in the file: no curve has σ"
        return Facts(
            wavelength=self._wavelength,
            integrated=Integrated(
                q=self._q,
                solid_angle=applied["solid_angle"] is not False,
                polarization=applied["polarization"] is not False,
            ),
            metadata=metadata,
        )

    @property
    def count(self) -> int:
        """Patterns in the file."""
        return int(self._intensity.shape[0]) if self._stacked else 1

    @property
    def open_end(self) -> bool:
        """Whether more may come."""
        grows = self._stacked and self._intensity.maxshape[0] is None
        return grows and is_swmr(Path(self._intensity.file.filename))

    def image(self, place: int) -> ReadImage | Unusable | None:
        """Read one pattern as (3, n): intensity, σ, pixels; None where it is not written yet."""
        if self._stacked and self._intensity.chunks is not None:
            corner = (place, *(0,) * (self._intensity.ndim - 1))
            if self._intensity.id.get_chunk_info_by_coord(corner).byte_offset is None:
                return None
        intensity = self._row("I", place)
        if intensity is None:
            return None
        sigma, pixels = self._row("I_errors", place), self._row("norm", place)
        if sigma is None:
            sigma = np.full(intensity.shape, np.nan)
        if pixels is None:
            pixels = np.where(np.isfinite(intensity), 1.0, 0.0)
        rows = _added_up(intensity, sigma, pixels)
        return ReadImage(
            number=place,
            image=packed(rows[:, self._order]),
            monitor=1.0 if self._monitor_applied else self._per_pattern("monitor/data", place),
            environment=self._slow(place),
        )

    @property
    def _about(self) -> Any:
        """Where the flags stand: a subentry may leave them to its entry."""
        return self._group if "normalization_applied" in self._group else self._group.parent

    @property
    def _stacked(self) -> bool:
        return bool(self._intensity.ndim > self._dimensions)

    @property
    def _dimensions(self) -> int:
        return 2 if text(self._group, "definition") == "NXazint2d" else 1

    @property
    def _wavelength(self) -> float | None:
        for place in (self._group, self._group.parent):
            value = number(place, "instrument/monochromator/wavelength", unit="angstrom")
            if value is None:
                value = number(place, "reduction/input/wavelength", unit="angstrom")
            if value is None:
                energy = number(place, "instrument/monochromator/energy", unit="keV")
                value = HC / energy if energy else None
            if value is not None and value > 0:
                return value
        return None

    def _say(self, name: str) -> bool | None:
        return flag(self._about, name)

    def _axis(self) -> tuple[NDArray[np.intp], Floats]:
        axis = self._data["radial_axis"]
        unit = axis.attrs.get("units", "")
        said = (unit.decode(errors="replace") if isinstance(unit, bytes) else str(unit)).lower()
        if said not in _AXES:
            wanted = "degrees, 1/angstrom or 1/nm"
            raise FrameError("unknown axis", f"{axis.name} is in {said!r}, wanted {wanted}")
        try:
            q = momentum_transfer(
                axis=np.asarray(axis[()], np.float64), unit=_AXES[said], wavelength=self._wavelength
            )
        except ValueError as error:
            raise FrameError("no wavelength", f"{axis.name}: {error}") from error
        order = np.argsort(q, kind="stable")
        return order, q[order]

    def _row(self, name: str, place: int) -> Floats | None:
        """Return one pattern's (…, n) of a dataset, that of all where there is only one."""
        item = self._data.get(name)
        if not isinstance(item, h5py.Dataset):
            return None
        if item.ndim <= self._dimensions:
            return np.asarray(item[()], np.float64)
        return np.asarray(item[place], np.float64) if place < item.shape[0] else None

    def _per_pattern(self, path: str, place: int) -> float | None:
        for group in (self._group, self._group.parent):
            item = group.get(path)
            if isinstance(item, h5py.Dataset) and item.ndim == 1 and place < item.shape[0]:
                value = float(item[place])
                return value if np.isfinite(value) else None
        return None

    def _slow(self, place: int) -> dict[str, float]:
        temperature = self._per_pattern("sample/temperature", place)
        return {} if temperature is None else {"temperature": temperature}


def _added_up(intensity: Floats, sigma: Floats, pixels: Floats) -> Floats:
    """Return (3, n) of a pattern or of a cake (azimuth, n): Σ pixels·I / Σ pixels, with its σ."""
    shape = (-1, intensity.shape[-1])
    value, error = intensity.reshape(shape), sigma.reshape(shape)
    weight = np.where(
        np.isfinite(value), np.broadcast_to(pixels, intensity.shape).reshape(shape), 0
    )
    total = weight.sum(axis=0)
    filled = total > 0
    rows = np.full((3, intensity.shape[-1]), np.nan)
    np.divide(np.where(weight > 0, weight * value, 0).sum(axis=0), total, out=rows[0], where=filled)
    variance = np.where(weight > 0, (weight * error) ** 2, 0).sum(axis=0)
    np.divide(np.sqrt(variance), total, out=rows[1], where=filled)
    rows[2] = total
    return rows


def _entries(group: Any, levels: int) -> Iterator[Any]:
    for name in group:
        item = group.get(name)
        if isinstance(item, h5py.Group):
            if "definition" in item:
                yield item
            if levels > 1:
                yield from _entries(item, levels - 1)
