"""Sums per bin the slow way: one sparse matrix product per quantity, masks applied by deletion."""

from typing import Any

import numpy as np
from numpy.typing import NDArray


def split_sums(
    image: NDArray[Any],
    *,
    pixel: NDArray[np.int64],
    bins: NDArray[np.int64],
    share: NDArray[Any],
    n: int,
    usable: NDArray[np.bool_],
    weight: NDArray[Any],
    dark: NDArray[Any],
) -> dict[str, NDArray[np.float64]]:
    """Return signal, variance, weight and pixels per bin from (pixel, bin, share) entries."""
    kept = usable.ravel()[pixel]
    i, b, c = pixel[kept], bins[kept], share[kept].astype(np.float64)
    counts = image.ravel()[i].astype(np.float64)
    net = counts - dark.ravel()[i]
    return {
        "signal": np.bincount(b, c * net, minlength=n),
        "variance": np.bincount(b, c * c * counts, minlength=n),
        "weight": np.bincount(b, c * weight.ravel()[i], minlength=n),
        "pixels": np.bincount(b, c, minlength=n),
    }
