"""Bitshuffle-zstd images packed by the HDF5 filter, read back; damage never reaches the library."""

import random
from pathlib import Path
from typing import Any

import cbor2
import h5py
import hdf5plugin
import numpy as np
import pytest

from livepdf.errors import FrameError
from livepdf.sources.bszstd import unpack_bszstd
from tests.sources.conftest import image_message
from tests.sources.streams import feed_of, frames, pixels, play

TAGS = {"u1": 64, "u2": 69, "u4": 70}


def packed(array: Any, folder: Path) -> bytes:
    """The chunk that HDF5 stores: the same bytes that a detector sends."""
    with h5py.File(folder / "chunk.h5", "w") as file:
        data = file.create_dataset(
            "data", data=array, chunks=array.shape, **hdf5plugin.Bitshuffle(cname="zstd")
        )
        return bytes(data.id.read_direct_chunk((0, 0))[1])


def image(shape: tuple[int, int], dtype: str) -> Any:
    return np.random.default_rng(1).poisson(20, shape).astype(dtype)


@pytest.mark.parametrize("dtype", sorted(TAGS))
@pytest.mark.parametrize("shape", [(3, 1), (8, 8), (101, 103), (512, 1030)])
def test_every_pixel_comes_back(shape: tuple[int, int], dtype: str, tmp_path: Path) -> None:
    wanted = image(shape, dtype)
    blob = packed(wanted, tmp_path)

    found = unpack_bszstd(blob, shape=shape, dtype=wanted.dtype)

    np.testing.assert_array_equal(found, wanted)


def test_a_message_with_such_an_image_is_a_frame(tmp_path: Path) -> None:
    wanted = image((40, 50), "u2")
    content = cbor2.CBORTag(56500, ["bszstd", 2, packed(wanted, tmp_path)])
    data = {"default": cbor2.CBORTag(40, [[40, 50], cbor2.CBORTag(69, content)])}

    [frame] = frames(play(feed_of("jungfraujoch"), [[image_message(0, data=data)]], after=5.0))

    np.testing.assert_array_equal(pixels(frame), wanted)


def test_damaged_images_are_refused_or_wrong_but_never_crash(tmp_path: Path) -> None:
    wanted = image((101, 103), "u4")
    blob = packed(wanted, tmp_path)
    chance = random.Random(3)
    reasons = set()
    for _ in range(2000):
        damaged = bytearray(blob)
        if chance.random() < 0.5:
            del damaged[chance.randrange(len(damaged)) :]
        for _ in range(chance.randint(1, 4)):
            if damaged:
                damaged[chance.randrange(len(damaged))] = chance.randrange(256)
        try:
            unpack_bszstd(bytes(damaged), shape=wanted.shape, dtype=wanted.dtype)
        except FrameError as error:
            reasons.add(error.reason)

    assert reasons == {"wrong size", "truncated", "corrupt"}


@pytest.mark.parametrize("block", [4, 12, 1 << 31])
def test_impossible_blocks_are_refused(block: int, tmp_path: Path) -> None:
    wanted = image((8, 8), "u4")
    blob = packed(wanted, tmp_path)

    with pytest.raises(FrameError, match="corrupt"):
        unpack_bszstd(
            blob[:8] + block.to_bytes(4, "big") + blob[12:], shape=(8, 8), dtype=wanted.dtype
        )
