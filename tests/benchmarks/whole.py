"""From HDF5 chunks to G(r) of every frame, on two cores, beside pyFAI without G(r)."""

import os
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from queue import SimpleQueue
from tempfile import TemporaryDirectory
from time import perf_counter
from typing import Any

import h5py
import hdf5plugin
import numpy as np
from numpy.typing import NDArray

from livepdf.model.frame import PackedImage
from livepdf.model.sums import Sums, intensity
from livepdf.reduction.integrator import build_integrator
from livepdf.reduction.plan import build_plan
from livepdf.reduction.stack import reduce_many
from tests.benchmarks.frames import CAMERAS, FRAMES, Camera, frames, mask_of, packed
from tests.benchmarks.integration import geometry_of
from tests.benchmarks.peers import BINS, pyfai_engine
from tests.benchmarks.table import Row
from tests.benchmarks.timing import Time

LANES = 16
BATCHES = 4
"""Of 16 frames in the file."""
ROUNDS = 5
WORKERS = 2


def whole() -> Iterator[Row]:
    """Time whole series: wall time per frame, two threads each."""
    for camera in CAMERAS:
        with _series(frames(camera)) as chunks:
            contenders = {
                "pyFAI csc, no G(r)": _theirs(camera, chunks),
                "livepdf": _ours(camera, chunks),
            }
            spent = _raced(contenders)
        yield Row(
            work=f"{camera.name}: HDF5 → G(r), 2 threads, wall",
            times={n: Time(median=float(np.median(t)), best=min(t)) for n, t in spent.items()},
            target=10.0,
        )


Contender = tuple[Callable[[Any], object], list[Any], int]
"""Work, what it is called with one after the other, and how many frames that makes."""


def _raced(contenders: "dict[str, Contender]") -> dict[str, list[float]]:
    spent: dict[str, list[float]] = {name: [] for name in contenders}
    for work, parts, _ in contenders.values():
        # Once alone: what the first call prepares is not meant to be prepared by two threads.
        work(parts[0])
    with ThreadPoolExecutor(WORKERS) as pool:
        for _ in range(ROUNDS):
            for name, (work, parts, count) in contenders.items():
                started = perf_counter()
                list(pool.map(work, parts))
                spent[name].append(1e3 * (perf_counter() - started) / count)
    return spent


def _theirs(camera: Camera, chunks: Any) -> Contender:
    # As pyFAI's tutorial on many threads does it: each takes a frame of the file and integrates it.
    integrate = pyfai_engine(camera)
    return (lambda k: integrate(chunks[k])), list(range(8)), 8


def _ours(camera: Camera, chunks: Any) -> Contender:
    ours = build_integrator(geometry_of(camera), npt=BINS, polarization=0.99, mask=mask_of(camera))
    plan = build_plan(
        q=ours.q,
        composition="Ni",
        qmin=0.8,
        qmax=24.0,
        qmaxinst=24.5,
        rpoly=0.9,
        rmin=0.0,
        rmax=30.0,
        rstep=0.01,
    )

    rooms = _rooms(chunks)
    number = chunks.file.id.get_vfd_handle()

    def integrate(batch: int) -> None:
        room = rooms.get()
        try:
            _reduce(batch, room)
        finally:
            rooms.put(room)

    def _reduce(batch: int, room: NDArray[np.uint8]) -> None:
        images = [
            PackedImage(
                blob=_read(number, chunks.id.get_chunk_info_by_coord((k, 0, 0)), place),
                algorithm="bslz4",
                shape=camera.shape,
                dtype=chunks.dtype,
            )
            for k, place in enumerate(room, batch * LANES)
        ]
        patterns = []
        for sums in ours.integrate_batch(images):
            if not isinstance(sums, Sums):
                raise sums
            patterns.append(intensity(sums))
        values, sigmas = (np.array(rows) for rows in zip(*patterns, strict=True))
        curves = reduce_many(plan, values, sigmas)
        if any(curves.reasons):
            raise RuntimeError(f"a pattern has no G(r): {curves.reasons}")

    return integrate, list(range(BATCHES)), BATCHES * LANES


def _read(file: int, chunk: Any, room: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """Read a chunk from where HDF5 says that it lies.

    HDF5's own reading keeps the other thread from the interpreter; in the daemon it is done by a
    process that does nothing else.
    """
    place = room[: chunk.size]
    if os.preadv(file, [place], chunk.byte_offset) != chunk.size:
        raise RuntimeError("a chunk ends early")
    return place


def _rooms(chunks: Any) -> "SimpleQueue[NDArray[np.uint8]]":
    """Return room for the packed images of one batch a worker, used again for the next.

    Memory that comes anew from the system for each image costs more than reading into it.
    """
    largest = max(chunks.id.get_chunk_info(k).size for k in range(BATCHES * LANES))
    rooms: SimpleQueue[NDArray[np.uint8]] = SimpleQueue()
    for _ in range(WORKERS):
        rooms.put(np.zeros((LANES, largest), np.uint8))
    return rooms


@contextmanager
def _series(stack: NDArray[Any]) -> Iterator[Any]:
    """Yield an HDF5 dataset of packed images, in a file that the system keeps in memory."""
    with TemporaryDirectory() as folder, h5py.File(Path(folder) / "series.h5", "w") as file:
        chunks = file.create_dataset(
            "data",
            shape=(BATCHES * LANES, *stack.shape[1:]),
            dtype=stack.dtype,
            chunks=(1, *stack.shape[1:]),
            **hdf5plugin.Bitshuffle(cname="lz4"),
        )
        for k, blob in enumerate(packed(stack)):
            for place in range(k, BATCHES * LANES, FRAMES):
                chunks.id.write_direct_chunk((place, 0, 0), blob)
        file.flush()
        yield chunks
