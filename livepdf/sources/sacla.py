"""HDF5 files of SACLA as DataConvert4 writes them: one group per tag, one per detector module.

The layout follows published readers; no file by SACLA's own program was at hand. Modules are put
one below the other in the order of their numbers, e.g. eight of 1024 × 512 as 8192 × 512, and
turned into photons: counts × gain (e⁻ per count) × 3.65 eV per e⁻ / photon energy of the shot.
Tags go up in steps of the repetition rate, so that a step is no loss; tags of the list without an
image are.
"""

import re
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

import h5py
import numpy as np
from numpy.typing import NDArray

from livepdf.errors import FrameError
from livepdf.sources.batch import Facts, ReadImage, Unusable
from livepdf.sources.hdf5_facts import HC
from livepdf.sources.hdf5_file import number
from livepdf.sources.packing import packed

EV_PER_ELECTRON = 3.65
"""eV that make one electron-hole pair in silicon."""
_SHOT_ENERGY = "event_info/bl_3/oh_2/photon_energy_in_eV"
_SET_ENERGY = "run_info/sacla_config/photon_energy_in_eV"
_LAST_NUMBER = re.compile(r"(\d+)$")


def is_sacla(file: Any) -> bool:
    """Whether the file has the layout of DataConvert4."""
    return "file_info/run_number_list" in file


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class _Run:
    group: Any
    name: str
    modules: tuple[Any, ...]
    tags: NDArray[np.int64]
    energies: dict[int, float]
    """eV by tag, NaN where the spectrometer gave none."""
    energy: float | None
    """eV that the run was set to."""


class SaclaRuns:
    """All shots of all runs of one file, in the order of their tags."""

    missing = ""
    open_end = False

    def __init__(self, file: Any) -> None:
        numbers = np.ravel(file["file_info/run_number_list"][()])
        groups = [(f"run_{int(n)}", file.get(f"run_{int(n)}")) for n in numbers]
        self._runs = [_run(group, name) for name, group in groups if isinstance(group, h5py.Group)]
        if not self._runs:
            raise FrameError("no image", "none of the runs of file_info/run_number_list is in it")

    @property
    def facts(self) -> Facts:
        """What the file says about all of them."""
        energy = self._runs[0].energy
        unsaid = sum(
            not np.isfinite(run.energies.get(int(tag), np.nan))
            for run in self._runs
            for tag in run.tags
        )
        metadata: dict[str, str | int | float | bool | None] = {
            "runs": ", ".join(run.name for run in self._runs),
            "modules": len(self._runs[0].modules),
        }
        if unsaid:
            metadata["photon energy"] = f"that of the run's settings for {unsaid} shots"
        wavelength = None if energy is None else HC / (energy * 1e-3)
        return Facts(wavelength=wavelength, metadata=metadata)

    @property
    def count(self) -> int:
        """Shots in the file."""
        return sum(run.tags.size for run in self._runs)

    def image(self, place: int) -> ReadImage | Unusable | None:
        """Read one shot in photons."""
        number_in_run = place
        for run in self._runs:
            if number_in_run < run.tags.size:
                return _shot(run, int(run.tags[number_in_run]), place)
            number_in_run -= run.tags.size
        return None


def _shot(run: _Run, tag: int, place: int) -> ReadImage:
    energy = run.energies.get(tag, np.nan)
    if not np.isfinite(energy):
        if run.energy is None:
            raise FrameError(
                "no photon energy",
                f"{run.name}, tag {tag}: neither {_SHOT_ENERGY} nor {_SET_ENERGY} has one",
            )
        energy = run.energy
    pieces = []
    for module in run.modules:
        data = module.get(f"tag_{tag}/detector_data")
        if not isinstance(data, h5py.Dataset):
            raise FrameError("no image", f"{module.name} has no tag_{tag}/detector_data")
        gain = number(module, "detector_info/absolute_gain")
        if gain is None or gain <= 0:
            raise FrameError("no gain", f"{module.name}/detector_info/absolute_gain is {gain}")
        pieces.append(np.asarray(data[()], np.float32) * np.float32(gain))
    photons = np.concatenate(pieces) * np.float32(EV_PER_ELECTRON / energy)
    return ReadImage(number=place, image=packed(photons), label=f"{run.name}/tag {tag}")


def _run(group: Any, name: str) -> _Run:
    modules = sorted((key for key in group if key.startswith("detector_2d_")), key=_number)
    if not modules:
        raise FrameError("no image", f"{name} has no detector_2d_…")
    listed = group.get("event_info/tag_number_list")
    tags = _tags(group, modules) if listed is None else np.unique(np.ravel(listed[()]))
    energies = group.get(_SHOT_ENERGY)
    # Lists of a run that was cancelled may be of different lengths: what has no partner has none.
    pairs: Iterable[tuple[Any, Any]] = ()
    if listed is not None and energies is not None:
        pairs = zip(np.ravel(listed[()]), np.ravel(energies[()]), strict=False)
    return _Run(
        group=group,
        name=name,
        modules=tuple(group[key] for key in modules),
        tags=tags.astype(np.int64),
        energies={int(tag): _energy(value) for tag, value in pairs},
        energy=number(group, _SET_ENERGY),
    )


def _tags(group: Any, modules: list[str]) -> NDArray[np.int64]:
    names = {key for module in modules for key in group[module] if key.startswith("tag_")}
    return np.array(sorted(_number(name) for name in names), dtype=np.int64)


def _number(name: str) -> int:
    found = _LAST_NUMBER.search(name)
    return int(found[1]) if found else 0


def _energy(value: Any) -> float:
    """Return eV; the spectrometer says ``not-converged`` or ``saturated`` where it has none."""
    try:
        energy = float(value)
    except (TypeError, ValueError):
        return np.nan
    return energy if energy > 0 else np.nan
