"""Photon noise: one Poisson number per pixel, repeatable frame by frame."""

import math

import numba
import numpy as np
from numpy.typing import NDArray

_SMALL = 12.0
"""Mean below which counting up is faster than rejection."""
_GOLDEN = np.uint64(0x9E3779B97F4A7C15)
_STREAM = np.uint64(0xD1342543DE82EF95)
"""Strides of the random counter from pixel to pixel, and within a pixel: both odd, so a pixel
that needs many numbers does not use those of its neighbours."""
_INVERSE = np.zeros(4096)
_INVERSE[1:] = 1.0 / np.arange(1, 4096)


def poisson_image(
    *,
    place: NDArray[np.float32],
    weight: NDArray[np.float32],
    pattern: NDArray[np.float64],
    seed: int,
    frame: int,
    gap: int,
) -> NDArray[np.uint32]:
    """Draw one image whose mean is weight × pattern at each pixel.

    Parameters
    ----------
    place : (ny, nx) float32
        Where the pixel looks, as a fractional index into the pattern; negative in a gap.
    weight : (ny, nx) float32
        What the pattern is multiplied by.
    pattern : (n,) float64
        Linear in between; must reach one point beyond the largest place.
    seed, frame : int
        The same two give the same image.
    gap : int
        Value written to pixels in a gap.
    """
    if place.shape != weight.shape:
        raise ValueError(f"place and weight differ in shape: {place.shape} and {weight.shape}")
    if not pattern.min() >= 0.0:
        raise ValueError("a pattern must be finite and not negative")
    image = np.empty(place.shape, dtype=np.uint32)
    # Hashed: neighbouring seeds would else give the same numbers, a pixel further.
    state = np.random.SeedSequence((seed, frame)).generate_state(1, np.uint64)[0]
    _draw(
        np.ascontiguousarray(place).ravel(),
        np.ascontiguousarray(weight).ravel(),
        pattern,
        state,
        np.uint32(gap),
        _INVERSE,
        image.ravel(),
    )
    return image


@numba.njit(nogil=True, inline="always")
def _mixed(state):  # type: ignore[no-untyped-def]
    # splitmix64 (Steele, Lea & Flood 2014)
    z = state
    z = (z ^ (z >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    z = (z ^ (z >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return z ^ (z >> np.uint64(31))


@numba.njit(nogil=True, inline="always")
def _uniform(state):  # type: ignore[no-untyped-def]
    return (np.float64(_mixed(state) >> np.uint64(11)) + 0.5) * (1.0 / 9007199254740992.0)


@numba.njit(nogil=True, cache=True, error_model="numpy")
def _counted_up(mean, state, inverse):  # type: ignore[no-untyped-def]
    u = _uniform(state)
    p = math.exp(-mean)
    n = 0
    while u > p and n < 4095:
        u -= p
        n += 1
        p *= mean * inverse[n]
    return n


@numba.njit(nogil=True, cache=True, error_model="numpy")
def _rejected(mean, state):  # type: ignore[no-untyped-def]
    # Transformed rejection (Hörmann 1993, algorithm PTRS), exact for any mean above ten.
    root = math.sqrt(mean)
    b = 0.931 + 2.53 * root
    a = -0.059 + 0.02483 * b
    scale = 1.1239 + 1.1328 / (b - 3.4)
    sure = 0.9277 - 3.6224 / (b - 2.0)
    while True:
        u = _uniform(state) - 0.5
        state += _STREAM
        v = _uniform(state)
        state += _STREAM
        us = 0.5 - abs(u)
        m = math.floor((2.0 * a / us + b) * u + mean + 0.43)
        if us >= 0.07 and v <= sure:
            return m
        if m < 0.0 or (us < 0.013 and v > us):
            continue
        left = math.log(v * scale / (a / (us * us) + b))
        if left <= -mean + m * math.log(mean) - math.lgamma(m + 1.0):
            return m


@numba.njit(nogil=True, cache=True, error_model="numpy")
def _draw(place, weight, pattern, state, gap, inverse, out):  # type: ignore[no-untyped-def]
    for i in range(place.size):
        if place[i] < 0.0:
            out[i] = gap
            continue
        k = int(place[i])
        mean = weight[i] * (pattern[k] + (place[i] - k) * (pattern[k + 1] - pattern[k]))
        state += _GOLDEN
        if mean < _SMALL:
            out[i] = _counted_up(mean, state, inverse)
        else:
            out[i] = np.uint32(_rejected(mean, state))
