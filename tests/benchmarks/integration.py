"""Frames in memory, or still compressed, to I(Q) and σ: ours beside others and beside the floor."""

import io
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from functools import cache
from time import perf_counter
from typing import Any

import h5py
import hdf5plugin
import numpy as np
from numpy.typing import NDArray

from livepdf.model.frame import PackedImage
from livepdf.numerics.geometry import geometry_from_pyfai
from livepdf.reduction.integrator import Integrator, build_integrator
from tests.benchmarks.frames import (
    CAMERAS,
    FRAMES,
    KINDS,
    PILATUS,
    Camera,
    frames,
    mask_of,
    packed,
    pyfai,
)
from tests.benchmarks.peers import (
    AZINT,
    BINS,
    ENGINES,
    SPARSE,
    azint_engine,
    pyfai_engine,
    sparse_decoder,
)
from tests.benchmarks.stages import decode, read
from tests.benchmarks.table import Row
from tests.benchmarks.timing import Time, race

ROUNDS = 9
LANES = 16
ONE = {"Varex": 16.0, "PILATUS": 11.0, "EIGER": 16.0}
"""Times as fast as pyFAI, one frame in memory, no splitting."""

Work = dict[str, Callable[[int], object]]


def integration() -> Iterator[Row]:
    """Time frames in memory and packed ones, alone and 16 at once, beside pyFAI and the floors."""
    for camera in KINDS:
        stack = frames(camera)
        work = _one_frame(camera, stack) | _lanes(camera, stack)
        times = race(work, rounds=ROUNDS)
        pyfai_alone, pyfai_h5 = times["pyFAI csc"], times["h5py + pyFAI csc"]
        reading, lz4 = ("the bare read", times["read"]), ("LZ4 alone", times["lz4"])
        yield Row(
            work=f"{camera.name}: one frame",
            times={"pyFAI csc": pyfai_alone, "livepdf": times["one"]},
            target=ONE[camera.name.split()[0]],
            floor=reading,
        )
        yield Row(
            work=f"{camera.name}: 16 lanes",
            times={"pyFAI csc": pyfai_alone, "livepdf": times["lanes"].over(LANES)},
            target=35.0,
            floor=reading,
            most=round(1 / 0.6, 2),
        )
        yield from _beside_azint(camera, times)
        sparse = {SPARSE: times[SPARSE]} if SPARSE in times else {}
        yield Row(
            work=f"{camera.name}: bslz4, one frame",
            times={"h5py + pyFAI csc": pyfai_h5} | sparse | {"livepdf": times["one packed"]},
            floor=lz4,
            most=3.6,
        )
        yield Row(
            work=f"{camera.name}: bslz4, 16 lanes",
            times={"h5py + pyFAI csc": pyfai_h5, "livepdf": times["lanes packed"].over(LANES)},
            floor=lz4,
            most=2.0,
        )


def _beside_azint(camera: Camera, times: dict[str, Time]) -> Iterator[Row]:
    if AZINT in times:
        for name, ours, target in (
            ("one frame", times["one"], 6.0),
            ("16 lanes", times["lanes"].over(LANES), 18.0),
        ):
            yield Row(
                work=f"{camera.name}: {name}, beside azint",
                times={AZINT: times[AZINT], "livepdf": ours},
                target=target,
            )


def splitting() -> Iterator[Row]:
    """Time full pixel splitting."""
    for camera in CAMERAS:
        stack, ours = frames(camera), _ours(camera, split="full")
        theirs = pyfai_engine(camera, split="full")
        raw = _raw(stack)
        times = race(
            {
                "pyFAI": lambda i, stack=stack, theirs=theirs: theirs(stack[i % FRAMES]),
                "one": lambda i, stack=stack, ours=ours: ours.integrate(stack[i % FRAMES]),
                "lanes": lambda _, raw=raw, ours=ours: ours.integrate_batch(raw),
            },
            rounds=5,
            warm_up=1,
        )
        for name, time, target in (
            ("one frame", times["one"], 5.0),
            ("16 lanes", times["lanes"].over(LANES), 20.0),
        ):
            yield Row(
                work=f"{camera.name}: full split, {name}",
                times={"pyFAI full csc": times["pyFAI"], "livepdf": time},
                target=target,
            )


def engines() -> Iterator[Row]:
    """Time each of pyFAI's engines, to see which is its fastest."""
    for camera in CAMERAS:
        stack = frames(camera)
        for split in ("no", "bbox", "full"):
            chosen = _engines_for(camera, split)
            theirs = {f"pyFAI {e}": pyfai_engine(camera, split=split, engine=e) for e in chosen}
            ours = _ours(camera, split=split)
            work: Work = {
                name: lambda i, stack=stack, one=one: one(stack[i % FRAMES])
                for name, one in (theirs | {"livepdf": ours.integrate}).items()
            }
            # A rough order is wanted, not a figure: no waiting for quiet moments.
            times = race(work, rounds=3, warm_up=1, patience=0.0)
            yield Row(work=f"{camera.name}: {split} split, one frame", times=times)


def _engines_for(camera: Camera, split: str) -> tuple[str, ...]:
    if split == "no":
        return ENGINES
    # The histogram that splits takes a second and more for one frame; lut, a third as quick
    # as csc on the Varex, makes the largest tables: only for the smallest camera.
    return ("csr", "csc", "lut") if camera is PILATUS else ("csr", "csc")


def rings() -> Iterator[Row]:
    """Time what may be asked for on top: measured variance, sectors, robust averages."""
    for camera in CAMERAS:
        stack, plain = frames(camera), _ours(camera)
        wishes: dict[str, dict[str, Any]] = {
            "measured variance": {"variance": "measured"},
            "36 sectors": {"sectors": 36},
            "36 sectors, clipped": {"sectors": 36, "clip": 4.0},
        }
        chosen = {"plain": plain} | {name: _ours(camera, **w) for name, w in wishes.items()}
        times = race(
            {
                name: lambda i, stack=stack, one=one: one.integrate(stack[i % FRAMES])
                for name, one in chosen.items()
            },
            rounds=5,
            warm_up=1,
        )
        for name in wishes:
            yield Row(
                work=f"{camera.name}: {name}",
                times={"livepdf": times[name]},
                floor=("plain", times["plain"]),
                most=3.0 if "clip" in wishes[name] else None,
            )


def scaling() -> Iterator[Row]:
    """Time two threads on packed frames: wall time for two batches, side by side and in turn."""
    ours, images = _ours(PILATUS), _packed_images(PILATUS, frames(PILATUS))
    with ThreadPoolExecutor(2) as pool:
        spent: dict[str, list[float]] = {"one": [], "two": []}
        for _ in range(ROUNDS):
            for name, way in (("one", map), ("two", pool.map)):
                started = perf_counter()
                list(way(ours.integrate_batch, [images, images]))
                spent[name].append(1e3 * (perf_counter() - started) / (2 * LANES))
    times = {n: Time(median=float(np.median(t)), best=min(t)) for n, t in spent.items()}
    yield Row(
        work=f"{PILATUS.name}: bslz4, two threads, wall",
        times={"one thread": times["one"], "livepdf": times["two"]},
        target=1.5,
    )


def _one_frame(camera: Camera, stack: NDArray[Any]) -> Work:
    ours, theirs, images = _ours(camera), pyfai_engine(camera), _packed_images(camera, stack)
    chunks, blobs = _chunks(stack), [np.frombuffer(image.blob, np.uint8) for image in images]
    size = stack[0].size // 8 * 8 * stack.itemsize
    azint, sparse = azint_engine(camera), sparse_decoder(camera)
    others: Work = {}
    if azint is not None:
        others[AZINT] = lambda i: azint(stack[i % FRAMES])
    if sparse is not None:
        others[SPARSE] = lambda i: sparse(blobs[i % FRAMES])
    return others | {
        "read": lambda i: read(stack[i % FRAMES]),
        "lz4": lambda i: decode(blobs[i % FRAMES], size),
        "pyFAI csc": lambda i: theirs(stack[i % FRAMES]),
        "h5py + pyFAI csc": lambda i: theirs(chunks[i % FRAMES]),
        "one": lambda i: ours.integrate(stack[i % FRAMES]),
        "one packed": lambda i: ours.integrate_packed(images[i % FRAMES]),
    }


def _lanes(camera: Camera, stack: NDArray[Any]) -> Work:
    ours, images, raw = _ours(camera), _packed_images(camera, stack), _raw(stack)
    return {
        "lanes": lambda _: ours.integrate_batch(raw),
        "lanes packed": lambda _: ours.integrate_batch(images),
    }


def _packed_images(camera: Camera, stack: NDArray[Any]) -> list[PackedImage]:
    # Each in memory of its own, so that none is in cache because of another.
    blobs = packed(stack)
    return [
        PackedImage(
            blob=bytes(bytearray(blob)), algorithm="bslz4", shape=camera.shape, dtype=stack.dtype
        )
        for _ in range(LANES // FRAMES)
        for blob in blobs
    ]


def _raw(stack: NDArray[Any]) -> list[PackedImage]:
    return [
        PackedImage(blob=image.tobytes(), algorithm="raw", shape=image.shape, dtype=image.dtype)
        for _ in range(LANES // FRAMES)
        for image in stack
    ]


def _chunks(stack: NDArray[Any]) -> Any:
    file = h5py.File(io.BytesIO(), "w")
    return file.create_dataset(
        "data", data=stack, chunks=(1, *stack.shape[1:]), **hdf5plugin.Bitshuffle(cname="lz4")
    )


@cache
def geometry_of(camera: Camera) -> Any:
    """Return the geometry of a camera as livepdf wants it."""
    return geometry_from_pyfai(pyfai(camera), shape=camera.shape)


@cache
def _ours(camera: Camera, **wishes: Any) -> Integrator:
    return build_integrator(
        geometry_of(camera), npt=BINS, polarization=0.99, mask=mask_of(camera), **wishes
    )
