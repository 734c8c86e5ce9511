"""The slowest ways must give what the quickest give: a processor of 2003, LZ4 in our own loops."""

import io
import os
import subprocess
import sys
from pathlib import Path

import hdf5plugin
import numpy as np
import pytest

import livepdf
from tests.numerics.test_unpack import packed

SHAPE = (70, 96)
BINS = 50
RNG = np.random.default_rng(23)

SCRIPT = """
import io
import sys

import numpy as np

from livepdf.numerics.binning import SplitBins
from livepdf.numerics.centre_projection import centre_projection
from livepdf.numerics.packed import open_packed
from livepdf.numerics.report import kernel_report
from livepdf.numerics.split_projection import split_projection

given = np.load(io.BytesIO(sys.stdin.buffer.read()))
number = given["number"]
projection = centre_projection(number, n=50, weight=np.ones(number.shape), dark=None)
image = open_packed(
    given["blob"].tobytes(), algorithm="bslz4", shape=number.shape, dtype=np.dtype("u2")
)
limits = {"low": np.uint16(0), "high": np.uint16(65534)}
one = projection.project(image, **limits)
lanes = projection.project_batch([image] * 5, **limits)
assert np.array_equal(one.signal, lanes[4].signal)
assert np.array_equal(one.pixels, lanes[4].pixels)
halves = SplitBins(
    centres=np.arange(51.0),
    starts=2 * np.arange(number.size + 1),
    bins=(number.clip(0).ravel()[:, None] + [0, 1]).ravel(),
    shares=np.tile(np.float32([0.75, 0.25]), number.size),
)
order = np.arange(number.size).reshape(number.shape)
split = split_projection(halves, order=order, weight=np.ones(number.shape), dark=None)
split = split.without(number.ravel() < 0)
shared = split.project(image, **limits)
assert np.array_equal(shared.variance, split.project_batch([image] * 5, **limits)[4].variance)
assert np.array_equal(shared.signal, 0.75 * np.r_[one.signal, 0] + 0.25 * np.r_[0, one.signal])
print(kernel_report()["LZ4"].split()[0], *one.signal.astype(int))
"""


@pytest.mark.parametrize(
    ("environment", "lz4"),
    [
        ({"NUMBA_CPU_NAME": "x86-64", "NUMBA_CPU_FEATURES": "", "LIVEPDF_OWN_LZ4": "1"}, "own"),
        ({"LIVEPDF_OWN_LZ4": "0"}, "LZ4_decompress_safe"),
    ],
)
def test_an_old_processor_and_our_own_lz4_give_the_same_sums(
    environment: dict[str, str], lz4: str
) -> None:
    number = RNG.integers(-1, BINS, SHAPE)
    image = RNG.poisson(300.0, SHAPE).astype("u2")
    image[5, ::3] = 65535
    used = (number >= 0) & (image < 65535)
    blob = np.frombuffer(packed(image, hdf5plugin.Bitshuffle()), np.uint8)
    given = io.BytesIO()
    np.savez(given, number=number, blob=blob)

    done = subprocess.run(
        [sys.executable, "-c", SCRIPT],
        input=given.getvalue(),
        capture_output=True,
        env=os.environ | {"PYTHONPATH": str(Path(livepdf.__file__).parents[1])} | environment,
        check=False,
    )

    assert done.returncode == 0, done.stderr.decode()
    name, *sums = done.stdout.split()
    assert name.decode() == lz4
    np.testing.assert_array_equal(
        np.array(sums, int), np.bincount(number[used], image[used], minlength=BINS)
    )
