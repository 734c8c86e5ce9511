"""Other programs that integrate, each in its best case: I alone, geometry warm."""

from collections.abc import Callable
from importlib.util import find_spec
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tests.benchmarks.frames import Camera, mask_of, pyfai

BINS = 2000
FASTEST = "csc"
"""pyFAI's fastest engine without a graphics card on all three cameras."""
ENGINES = ("histogram", "csr", "csc", "lut")
ELSEWHERE = ("azint", "bslz4_to_sparse")
"""Not to be had from the package index: compared by hand."""

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


def not_measured() -> list[str]:
    """Return a line for each peer that this run leaves out."""
    return [
        f"{name}: not measured ({'installed' if find_spec(name) else 'not installed'})"
        for name in ELSEWHERE
    ]
