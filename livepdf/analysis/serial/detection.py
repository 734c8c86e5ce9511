"""Which particles become a hit, where a hit is so many lit pixels: small ones scatter ∝ D⁶."""

import numpy as np
from numpy.typing import NDArray
from scipy.stats import poisson

from livepdf.analysis.serial.sphere_size import sphere_form

FEWEST = 10
"""Particles with a size that tell how bright the others are."""


def lit_expected(
    *,
    diameter: float,
    photons: NDArray[np.float64],
    background: float,
    q: NDArray[np.float64],
    weight: NDArray[np.float64],
    pixels: NDArray[np.float64],
) -> NDArray[np.float64]:
    """Return how many pixels a sphere lights on average, (m,).

    A pixel with a mean of p photons is lit with probability 1 − exp(−p).

    Parameters
    ----------
    diameter : float, Å
    photons : (m,) float64
        Of the sphere on the detector.
    background : float
        Photons of everything else on the detector.
    q : (n_q,) float64, Å⁻¹
    weight : (n_q,) float64
        What a bin counts for an intensity of 1.
    pixels : (n_q,) float64
    """
    form = sphere_form(q, diameter) * weight
    share = form / form.sum()
    flat = background * weight / weight.sum()
    used = pixels > 0
    mean = (np.outer(photons, share[used]) + flat[used]) / pixels[used]
    found: NDArray[np.float64] = -np.expm1(-mean) @ pixels[used]
    return found


def detection(
    diameters: NDArray[np.float64],
    *,
    sizes: NDArray[np.float64],
    photons: NDArray[np.float64],
    background: float,
    hit_from: int,
    q: NDArray[np.float64],
    weight: NDArray[np.float64],
    pixels: NDArray[np.float64],
) -> NDArray[np.float64]:
    """Return the share of the particles of each size that light enough pixels, (n,).

    How much light particles meet is taken from the larger half of those that were sized: photons
    over D⁶. Where even these are near the threshold the weak ones among them are missing, and the
    efficiency is too high.

    Parameters
    ----------
    diameters : (n,) float64, Å
        Where it is wanted.
    sizes, photons : (k,) float64
        Of the particles that were sized, Å and photons. NaN is returned for fewer than ten.
    hit_from : int
        Lit pixels of a hit.
    """
    if len(sizes) < FEWEST:
        return np.full(diameters.shape, np.nan)
    large = sizes >= np.median(sizes)
    brightness = photons[large] / sizes[large] ** 6
    return np.array(
        [
            poisson.sf(
                hit_from - 1,
                lit_expected(
                    diameter=one,
                    photons=brightness * one**6,
                    background=background,
                    q=q,
                    weight=weight,
                    pixels=pixels,
                ),
            ).mean()
            for one in diameters
        ]
    )
