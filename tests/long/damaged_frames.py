"""Damaged frames by the hundred thousand: refused, or wrong pixels, never a crash.

Runs in processes of its own, one for each seed, so that a crash is seen:
``python -m pytest tests/long/damaged_frames.py -s``.
"""

import os
import subprocess
import sys
from pathlib import Path

import pytest

import livepdf

CODE = """
import sys

import hdf5plugin
import numpy as np

from livepdf.numerics.centre_projection import centre_projection
from livepdf.numerics.packed import open_packed
from livepdf.numerics.unpack import UnpackError
from tests.numerics.test_split_projection import SHAPE, matrix, prepared
from tests.numerics.test_unpack import packed

random = np.random.default_rng(int(sys.argv[1]))
if sys.argv[2] == "split":
    shape, projection = SHAPE, prepared(matrix())
else:
    shape = (96, 128)
    number = random.integers(-1, 60, shape)
    projection = centre_projection(number, n=60, weight=np.ones(shape), dark=None)
refused = used = 0
for turn in range(2000):
    dtype = np.dtype(random.choice(["u1", "u2", "u4", "i2", "i4", "f4"]))
    image = random.poisson(9.0, shape).astype(dtype)
    plain = random.random() < 0.4
    filters = hdf5plugin.LZ4(nbytes=4096) if plain else hdf5plugin.Bitshuffle(nelems=512)
    blob = packed(image, filters)
    opened = []
    for _ in range(16):
        bad = bytearray(blob)
        for place in random.integers(0, len(bad), random.integers(1, 9)):
            bad[place] = random.integers(256)
        if random.random() < 0.1:
            bad[: random.integers(1, 12)] = random.bytes(11)
        if random.random() < 0.3:
            del bad[random.integers(len(bad)) :]
        try:
            ready = open_packed(
                bytes(bad), algorithm="lz4" if plain else "bslz4", shape=shape, dtype=dtype
            )
        except UnpackError:
            refused += 1
            continue
        if ready is not None:
            opened.append(ready)
    low, high = (dtype.type(0), dtype.type(100))
    for sums in projection.project_batch(opened, low=low, high=high):
        refused += isinstance(sums, UnpackError)
        used += not isinstance(sums, UnpackError)
    for each in opened[:4]:
        try:
            projection.project(each, low=low, high=high)
        except UnpackError:
            pass
print(refused, used)
"""


@pytest.mark.parametrize("pixels", ["whole", "split"])
@pytest.mark.parametrize("seed", range(4))
def test_damage_never_ends_the_process(seed: int, pixels: str) -> None:
    root = Path(livepdf.__file__).parents[1]

    done = subprocess.run(
        [sys.executable, "-X", "faulthandler", "-c", CODE, str(seed), pixels],
        env=os.environ | {"PYTHONPATH": str(root)},
        capture_output=True,
        text=True,
        check=False,
    )

    assert done.returncode == 0, done.stderr
    refused, used = (int(word) for word in done.stdout.split())
    assert refused > 1000
    assert used > 1000
