"""References out of windows: added up, or by their temperature; also those of earlier runs."""

import re
import tomllib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from livepdf.daemon.capture import add_up
from livepdf.errors import FileError
from livepdf.files.columns import Columns
from livepdf.model.quality import FLAWS
from livepdf.model.sums import Sums, intensity
from livepdf.sinks.nexus_run import StoredRun

if TYPE_CHECKING:
    from livepdf.daemon.results import Summed

Divided = tuple[bool, bool]
"""Whether intensities are divided by the monitor, and by the exposure."""
POINTS = 8
"""Temperatures that a series of blanks is gathered at: six tell how water changes."""
_LEAST_CHANGE = 5.0
"""K; a series over less is one blank."""
_RANGE = re.compile(r"(?P<file>.*\.nxs)#(?P<first>\d+)-(?P<last>\d+)", re.IGNORECASE)


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Warm:
    """Blanks of one temperature."""

    temperature: float
    """K, mean over the frames."""
    sums: Sums


def is_run(path: Path) -> bool:
    """Whether a path names results of a run, whole or ``RUN.nxs#FIRST-LAST`` frames of it."""
    return path.suffix.lower() == ".nxs" or _RANGE.fullmatch(str(path)) is not None


def read_run(path: Path, *, divided: Divided) -> tuple[list["Summed"], np.ndarray]:
    """Return the good windows of an earlier run and its Q axis, (n_q,) Å⁻¹.

    Parameters
    ----------
    path : Path
        ``RUN.nxs``, or ``RUN.nxs#100-299`` for the windows that lie in frames 100 to 299.
    divided : (bool, bool)
        Whether intensities are wanted divided by the monitor, and by the exposure.

    Raises
    ------
    FileError
        When it cannot be read, was divided otherwise, or no good window lies there.
    """
    file, first, last = path, 0, None
    if told := _RANGE.fullmatch(str(path)):
        file, first, last = Path(told["file"]), int(told["first"]), int(told["last"])
    with StoredRun(file) as run:
        windows: list[Summed] = [
            window
            for window in run.windows()
            if window.span.first >= first
            and (last is None or window.span.last <= last)
            and not FLAWS & set(window.marks.flags)
        ]
        q, was = run.q, _divided(run)
    if was != divided:
        raise FileError(
            f"{file}: {_words(was)}, the frames now {_words(divided)}: see [normalization]"
        )
    if not windows:
        part = "" if last is None else f" within frames {first} to {last}"
        raise FileError(f"{file}: no good window{part}")
    return windows, q


def read_pattern(path: Path, *, divided: Divided) -> Columns:
    """Return the sum of such windows as a pattern; raises like `read_run`."""
    windows, q = read_run(path, divided=divided)
    return _columns(add_up(window.sums for window in windows), q)


def read_series(
    path: Path, *, name: str, points: int, divided: Divided
) -> tuple[tuple[Columns, ...], tuple[float, ...]]:
    """Return such windows by their temperature: patterns and the temperature of each.

    Raises
    ------
    FileError
        Like `read_run`, and where the windows tell no temperature or always the same.
    """
    windows, q = read_run(path, divided=divided)
    try:
        found = by_temperature(windows, name=name, points=points)
    except ValueError as error:
        raise FileError(f"{path}: {error}") from None
    return tuple(_columns(one.sums, q) for one in found), tuple(one.temperature for one in found)


def by_temperature(windows: Sequence["Summed"], *, name: str, points: int = POINTS) -> list[Warm]:
    """Gather windows of about one temperature, in rising order.

    Steps of temperature are equal; a step with less than a quarter of its share of the frames,
    as the fast part of a ramp has, joins the next.

    Parameters
    ----------
    name : str
        Which of the slow values is the temperature, K.
    points : int
        At most so many temperatures.

    Raises
    ------
    ValueError
        When a window does not tell its temperature, or all have the same.
    """
    told = [(dict(window.environment).get(name, np.nan), window) for window in windows]
    if not told or not np.isfinite([value for value, _ in told]).all():
        raise ValueError(f"windows without {name}: a series of blanks needs that of each")
    told.sort(key=lambda pair: pair[0])
    low, high = told[0][0], told[-1][0]
    if high - low < _LEAST_CHANGE:
        raise ValueError(
            f"{name} went from {low:g} to {high:g} only, wanted {_LEAST_CHANGE:g} K or more: "
            "record it as a background"
        )
    frames = sum(window.sums.frames for _, window in told)
    gathered: list[list[tuple[float, Summed]]] = [[]]
    for value, window in told:
        held = gathered[-1]
        enough = sum(w.sums.frames for _, w in held) >= frames / (4 * points)
        if held and enough and value - held[0][0] > (high - low) / points:
            gathered.append([])
        gathered[-1].append((value, window))
    return [_warm(group) for group in gathered]


def _divided(run: StoredRun) -> Divided:
    told = tomllib.loads(run.recipe).get("normalization", {})
    return bool(told.get("monitor", False)), bool(told.get("exposure", False))


def _words(divided: Divided) -> str:
    by = [name for name, wanted in zip(("monitor", "exposure"), divided, strict=True) if wanted]
    return f"divided by {' and '.join(by)}" if by else "divided by neither monitor nor exposure"


def _warm(group: Iterable[tuple[float, "Summed"]]) -> Warm:
    pairs = list(group)
    frames = np.array([window.sums.frames for _, window in pairs])
    values = np.array([value for value, _ in pairs])
    return Warm(
        temperature=float(frames @ values / frames.sum()),
        sums=add_up(window.sums for _, window in pairs),
    )


def _columns(sums: Sums, q: np.ndarray) -> Columns:
    value, sigma = intensity(sums)
    seen = np.isfinite(value)
    return Columns(x=q[seen], y=value[seen], sigma=sigma[seen], header="")
