"""How far times move with what others do to memory, and what is left without any.

``python -m tests.benchmarks.neighbours``: in turns alone, beside a program on the other core that
streams or reads at random, and with the cache swept before each call; then the loops over pixels
that stay in cache.
"""

import ctypes
import os
import resource
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager, nullcontext
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numba import njit
from numpy.typing import NDArray

from livepdf.model.frame import PackedImage
from livepdf.numerics.centre_projection import CentreProjection
from livepdf.numerics.histogram import COPIES, TRASH, add_counts
from livepdf.numerics.integrate import aligned, limits_of, usable_range
from livepdf.numerics.packed import bare
from livepdf.numerics.side_by_side import desk_of
from livepdf.reduction.integrator import Integrator, build_integrator
from tests.benchmarks.frames import CAMERAS, FRAMES, Camera, frames, mask_of, pyfai
from tests.benchmarks.integration import geometry_of
from tests.benchmarks.peers import BINS
from tests.benchmarks.stages import read

ROUNDS = 5
LANES = 16
PIXELS = 8192
"""Of a piece that stays in cache with its bins."""
CALLS = {"csc": 2, "csc built again": 2, "csc, small pages": 2, "one": 4, "lanes": 1, "read": 3}
CALLS |= {"one in cache": 4}
SWEPT = 64 << 20
_STREAM = "import numpy as n; a = n.ones(8 << 20); print(flush=True)\nwhile 1: a.sum()"
_RANDOM = (
    "import numpy as n; a = n.ones(32 << 20); i = n.random.default_rng(1).integers(0, a.size,"
    " 1 << 20); print(flush=True)\nwhile 1: a[i].sum()"
)
# PR_SET_THP_DISABLE of Linux' prctl.
_HUGE_PAGES = 41

Work = Callable[[int], object]


@dataclass(slots=True)
class Spent:
    """CPU time of calls, ms; page faults, and the share of time that the system took."""

    ms: list[float] = field(default_factory=list)
    faults: int = 0
    system: float = 0.0

    def add(self, work: Work, number: int, parts: int) -> None:
        """Time one call."""
        before, started = resource.getrusage(resource.RUSAGE_SELF), time.process_time()
        work(number)
        self.ms.append(1e3 * (time.process_time() - started) / parts)
        after = resource.getrusage(resource.RUSAGE_SELF)
        self.faults += after.ru_minflt - before.ru_minflt
        self.system += 1e3 * (after.ru_stime - before.ru_stime) / parts

    @property
    def median(self) -> float:
        """ms"""
        return float(np.median(self.ms))

    def line(self) -> str:
        """Return it for people."""
        calls = len(self.ms)
        return (
            f"{self.median:7.2f} ms ({min(self.ms):.2f} to {max(self.ms):.2f}), "
            f"{self.faults / calls:.0f} faults, {self.system / calls:.1f} ms in the system"
        )


class Beside:
    """A program on the other core that can be stopped and sent on."""

    def __init__(self, code: str) -> None:
        self._process = subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE)
        if self._process.stdout is None or not self._process.stdout.readline():
            raise RuntimeError("the program beside did not start")
        self._stop()

    def _stop(self) -> None:
        self._process.send_signal(signal.SIGSTOP)
        os.waitpid(self._process.pid, os.WUNTRACED)

    @contextmanager
    def running(self) -> Iterator[None]:
        """Let it run meanwhile."""
        self._process.send_signal(signal.SIGCONT)
        try:
            yield
        finally:
            self._stop()

    def close(self) -> None:
        """End it."""
        self._process.kill()
        self._process.wait()
        if self._process.stdout is not None:
            self._process.stdout.close()


@contextmanager
def small_pages() -> Iterator[None]:
    """Let what is newly asked of the system come in pages of 4 KiB."""
    control = getattr(ctypes.CDLL(None), "prctl", None)
    if control is None:
        raise RuntimeError("pages cannot be chosen on this system")
    control(_HUGE_PAGES, 1, 0, 0, 0)
    try:
        yield
    finally:
        control(_HUGE_PAGES, 0, 0, 0, 0)


def main() -> None:
    """Print a table for each camera."""
    sys.stdout.write(f"clock: {_clock():.2f} GHz\n")
    with closing(Beside(_STREAM)) as stream, closing(Beside(_RANDOM)) as random:
        for camera in CAMERAS:
            for line in _measured(camera, stream, random):
                sys.stdout.write(f"{camera.name}: {line}\n")
                sys.stdout.flush()


def _measured(camera: Camera, stream: Beside, random: Beside) -> Iterator[str]:
    stack = frames(camera)
    theirs, tables = _csc(camera)
    yield tables
    again, _ = _csc(camera)
    with small_pages():
        small, _ = _csc(camera)
    ours = build_integrator(geometry_of(camera), npt=BINS, polarization=0.99, mask=mask_of(camera))
    raw = [
        PackedImage(blob=image.tobytes(), algorithm="raw", shape=image.shape, dtype=image.dtype)
        for _ in range(LANES // FRAMES)
        for image in stack
    ]

    def in_small_pages(i: int) -> None:
        with small_pages():
            small(stack[i % FRAMES])

    work: dict[str, Work] = {
        "csc": lambda i: theirs(stack[i % FRAMES]),
        "one": lambda i: ours.integrate(stack[i % FRAMES]),
        "lanes": lambda _: ours.integrate_batch(raw),
        "read": lambda i: read(stack[i % FRAMES]),
    } | _in_cache(ours, stack)
    more: dict[str, Work] = {
        "csc built again": lambda i: again(stack[i % FRAMES]),
        "csc, small pages": in_small_pages,
    }
    sweep = np.ones(SWEPT // 8)
    conditions: dict[str, tuple[Any, dict[str, Work], Work | None]] = {
        "alone": (nullcontext, work | more, None),
        "beside a stream": (stream.running, work, None),
        "beside random reads": (random.running, work, None),
        "cache swept": (nullcontext, work, lambda _: sweep.sum()),
    }
    spent = _raced(conditions)
    for condition, found in spent.items():
        yield _ratios(condition, found)
        for name, one in found.items():
            yield f"{condition:20} {name:16}{one.line()}"


def _raced(
    conditions: "dict[str, tuple[Any, dict[str, Work], Work | None]]",
) -> dict[str, dict[str, Spent]]:
    spent = {c: {name: Spent() for name in work} for c, (_, work, _) in conditions.items()}
    for number in range(-1, ROUNDS):
        for condition, (entered, work, first) in conditions.items():
            with entered():
                for name, one in work.items():
                    # One call untimed, so that what was done before does not count.
                    one(number)
                    for call in range(CALLS[name] if number >= 0 else 0):
                        if first is not None:
                            first(call)
                        spent[condition][name].add(one, call, LANES if name == "lanes" else 1)
    return spent


def _ratios(condition: str, found: dict[str, Spent]) -> str:
    csc = found["csc"].median
    one, lanes, bare_read = (found[name].median for name in ("one", "lanes", "read"))
    return (
        f"{condition:20} {csc / one:.1f} × one frame, {csc / lanes:.1f} × lanes; "
        f"lanes {lanes / bare_read:.2f} × the bare read"
    )


def _csc(camera: Camera) -> tuple[Callable[[NDArray[Any]], object], str]:
    """Return pyFAI's integration, and how large its tables are."""
    integrator, mask = pyfai(camera), mask_of(camera).astype(np.int8)

    def integrate(image: NDArray[Any]) -> object:
        return integrator.integrate1d(
            image,
            BINS,
            unit="q_A^-1",
            mask=mask,
            polarization_factor=0.99,
            method=("no", "csc", "cython"),
        )

    integrate(frames(camera)[0])
    (engine,) = (kept.engine for kept in integrator.engines.values())
    matrix = sum(getattr(engine, name).nbytes for name in ("data", "indices", "indptr")) / 1e6
    # Solid angle and polarization in float32, a mask, and four float32 of each corrected pixel.
    pixels = mask.size / 1e6
    return integrate, (
        f"csc reads {matrix:.0f} MB of tables and {9 * pixels:.0f} MB of corrections, "
        f"writes and reads {16 * pixels:.0f} MB of corrected pixels"
    )


def _in_cache(ours: Integrator, stack: NDArray[Any]) -> dict[str, Work]:
    """Return the very loop over a few pixels again and again, as many as an image has."""
    images, projection, size = stack.reshape(len(stack), -1), ours.projection, stack[0].size
    if not isinstance(projection, CentreProjection):
        raise RuntimeError("pixels are split")
    start, times = size // 4 // 8 * 8, size // PIXELS
    places = projection.places._replace(
        bins=projection.places.bins[start : start + PIXELS],
        live=projection.places.live[start // 8 : (start + PIXELS) // 8 + 1],
        weight=projection.places.weight[start : start + PIXELS],
    )
    piece = bare(np.ascontiguousarray(images[0, start : start + PIXELS]))
    low, high = usable_range(piece.dtype, sentinels="mask", saturation=None)
    one = (
        piece.source(bits=True),
        places,
        limits_of(piece.dtype, low=low, high=high),
        desk_of(piece),
        np.empty(piece.piece, np.uint16),
        aligned((COPIES, places.n + TRASH), np.uint32),
        np.zeros(places.n, np.int64),
        np.zeros((3, places.n)),
    )
    return {"one in cache": lambda _: _one_again(times, *one)}


def _clock() -> float:
    """Return GHz: three shifts and three sums without carry, each waiting, take six cycles."""
    steps = 10_000_000
    _chain(1, 3)
    spent = []
    for _ in range(5):
        started = time.process_time_ns()
        _chain(steps, 3)
        spent.append(time.process_time_ns() - started)
    return 6 * steps / min(spent)


@njit(nogil=True)
def _chain(steps: int, value: int) -> int:
    for _ in range(steps):
        value ^= value << 13
        value ^= value >> 7
        value ^= value << 17
    return value


@njit(nogil=True)
def _one_again(
    times: int,
    source: Any,
    places: Any,
    limits: Any,
    desk: Any,
    tile: Any,
    sums: Any,
    wide: Any,
    removed: Any,
) -> None:
    for _ in range(times):
        add_counts(source, places, limits, desk, tile, sums, wide, removed)


if __name__ == "__main__":
    main()
