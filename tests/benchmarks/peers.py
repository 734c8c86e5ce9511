"""Other programs that integrate, each in its best case: I alone, geometry warm."""

from collections.abc import Callable
from importlib import import_module
from importlib.util import find_spec
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tests.benchmarks.frames import Camera, mask_of, pyfai

BINS = 2000
FASTEST = "csc"
"""pyFAI's fastest engine without a graphics card on all three cameras."""
ENGINES = ("histogram", "csr", "csc", "lut")
AZINT = "azint"
SPARSE = "bslz4_to_sparse"

Integrate = Callable[[NDArray[Any]], object]


def pyfai_engine(camera: Camera, *, split: str = "no", engine: str = FASTEST) -> Integrate:
    """Return pyFAI's integration with one of its engines."""
    integrator, mask = pyfai(camera), mask_of(camera).astype(np.int8)

    def integrate(image: NDArray[Any]) -> object:
        return integrator.integrate1d(
            image,
            BINS,
            unit="q_A^-1",
            mask=mask,
            polarization_factor=0.99,
            method=(split, engine, "cython"),
        )

    return integrate


def azint_engine(camera: Camera) -> Integrate | None:
    """Return azint's integration of whole pixels; None where it is not installed."""
    if find_spec(AZINT) is None:
        return None
    with TemporaryDirectory() as folder:
        poni = Path(folder) / "camera.poni"
        pyfai(camera).save(str(poni))
        integrator = import_module(AZINT).AzimuthalIntegrator(
            str(poni),
            1,
            BINS,
            unit="q",
            mask=mask_of(camera).astype(np.int8),
            solid_angle=True,
            polarization_factor=0.99,
        )
    # Left there, it is multiplied into each image once more.
    integrator.mask = None
    return lambda image: integrator.integrate(image)


def sparse_decoder(camera: Camera) -> Callable[[NDArray[np.uint8]], object] | None:
    """Return what decodes and adds up a packed image at once; None where it is not installed.

    Nothing is divided by the solid angle and the polarization.
    """
    if find_spec(SPARSE) is None:
        return None
    mask = mask_of(camera)
    matrix = pyfai(camera).setup_sparse_integrator(
        camera.shape, BINS, mask=mask.astype(np.int8), unit="q_A^-1", split="no", algo="CSC"
    )
    # Its pixels have no sign, and it lists those above a limit: here none.
    dtype = np.dtype(f"u{np.dtype(camera.dtype).itemsize}")
    active = (~mask).astype(np.uint8)
    decode = import_module(SPARSE).chunk2sparseCSC(active, matrix, dtype=dtype)
    limit = min(int(np.iinfo(dtype).max), 2**31 - 1)
    return lambda blob: decode(blob, limit)


def absent() -> dict[str, str]:
    """Return each peer that this run leaves out, and why."""
    return {name: "not installed" for name in (AZINT, SPARSE) if find_spec(name) is None}
