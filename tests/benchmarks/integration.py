"""One frame in memory, or still compressed, to I(Q): ours beside pyFAI's fastest engine.

Ours yields σ as well; pyFAI is asked for I alone, which is its best case.
"""

from collections.abc import Callable, Iterator
from typing import Any

import h5py
import hdf5plugin
import numpy as np
from numpy.typing import NDArray

from livepdf.model.frame import PackedImage
from livepdf.numerics.geometry import geometry_from_pyfai
from livepdf.reduction.integrator import Integrator, build_integrator
from tests.benchmarks.frames import CAMERAS, FRAMES, Camera, frames, mask_of, packed, pyfai
from tests.benchmarks.table import Row
from tests.benchmarks.timing import race

BINS = 2000
ROUNDS = 13
TARGETS = {"Varex 2048² uint16": 16.0, "PILATUS 2M int32": 11.0, "EIGER 9M uint16": 16.0}
"""Times as fast as pyFAI, one frame in memory, no splitting."""


def integration() -> Iterator[Row]:
    """Time the integration of frames in memory."""
    for camera in CAMERAS:
        stack, ours = frames(camera), _ours(camera)
        theirs = _theirs(camera)
        times = race(
            {
                "pyFAI": lambda i, stack=stack, theirs=theirs: theirs(stack[i % FRAMES]),
                "livepdf": lambda i, stack=stack, ours=ours: ours.integrate(stack[i % FRAMES]),
            },
            rounds=ROUNDS,
        )
        yield Row(work=f"{camera.name} → I, σ", times=times, target=TARGETS[camera.name])


def unpacking() -> Iterator[Row]:
    """Time the way from bitshuffle + LZ4 to sums; the peer reads chunks through h5py."""
    for camera in CAMERAS:
        stack, ours, theirs = frames(camera), _ours(camera), _theirs(camera)
        images = [
            PackedImage(blob=blob, algorithm="bslz4", shape=camera.shape, dtype=stack.dtype)
            for blob in packed(stack)
        ]
        with h5py.File("stack.h5", "w", driver="core", backing_store=False) as file:
            chunks = file.create_dataset(
                "data",
                data=stack,
                chunks=(1, *camera.shape),
                **hdf5plugin.Bitshuffle(cname="lz4"),
            )
            times = race(
                {
                    "pyFAI": lambda i, c=chunks, theirs=theirs: theirs(c[i % FRAMES]),
                    "livepdf": lambda i, images=images, ours=ours: ours.integrate_packed(
                        images[i % FRAMES]
                    ),
                },
                rounds=ROUNDS,
            )
        yield Row(work=f"{camera.name}, bslz4 → I, σ", times=times)


def _ours(camera: Camera) -> Integrator:
    geometry = geometry_from_pyfai(pyfai(camera), shape=camera.shape)
    return build_integrator(geometry, npt=BINS, polarization=0.99, mask=mask_of(camera))


def _theirs(camera: Camera) -> Callable[[NDArray[Any]], object]:
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

    return integrate
