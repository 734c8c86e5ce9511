import io
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import h5py
import hdf5plugin
import lz4.block
import numpy as np
import pytest

from livepdf.numerics.unpack import UnpackError, unpack

RNG = np.random.default_rng(11)


def packed(image: np.ndarray, compression: Any) -> bytes:
    """Compress with the HDF5 filters that detectors use too."""
    with h5py.File(io.BytesIO(), "w") as file:
        data = file.create_dataset(
            "data", (1, *image.shape), image.dtype, chunks=(1, *image.shape), **compression
        )
        data[0] = image
        return bytes(data.id.read_direct_chunk((0, 0, 0))[1])


def reason(blob: bytes, **image: Any) -> str:
    with pytest.raises(UnpackError) as caught:
        unpack(blob, **image)
    return caught.value.reason


@pytest.mark.parametrize("dtype", ["u1", "<u2", ">u2", "<i4", ">u4", "<f4", "<u8", ">f8"])
@pytest.mark.parametrize("shape", [(7, 3), (64, 64), (101, 97)])
def test_hdf5plugins_chunks_come_back_bit_for_bit(shape: tuple[int, int], dtype: str) -> None:
    image = RNG.poisson(40, shape).astype(dtype)
    ways = {
        "bslz4": [hdf5plugin.Bitshuffle(), hdf5plugin.Bitshuffle(nelems=256)],
        "lz4": [hdf5plugin.LZ4(), hdf5plugin.LZ4(nbytes=4096)],
    }
    for algorithm, compressions in ways.items():
        for compression in compressions:
            blob = packed(image, compression)
            again = unpack(blob, algorithm=algorithm, shape=shape, dtype=image.dtype)
            assert again.dtype == image.dtype.newbyteorder("=")
            np.testing.assert_array_equal(again, image)


@pytest.mark.parametrize("dtype", ["<u2", ">u4"])
def test_a_bare_block_comes_back(dtype: str) -> None:
    image = RNG.poisson(5, (20, 30)).astype(dtype)
    blob = lz4.block.compress(image.tobytes(), store_size=False)

    again = unpack(memoryview(blob), algorithm="lz4-block", shape=(20, 30), dtype=image.dtype)

    np.testing.assert_array_equal(again, image)


@pytest.mark.parametrize("dtype", ["<u2", ">u4"])
def test_raw_pixels_are_taken_as_they_are(dtype: str) -> None:
    image = RNG.poisson(5, (20, 30)).astype(dtype)
    wish = {"algorithm": "raw", "shape": (20, 30), "dtype": image.dtype}

    np.testing.assert_array_equal(unpack(image.tobytes(), **wish), image)
    assert reason(image.tobytes()[:-1], **wish) == "truncated"
    assert reason(image.tobytes() + b"x", **wish) == "wrong size"


def test_the_vendors_own_vectors_decode(data_path: Callable[[str], Path]) -> None:
    vectors = json.loads(data_path("protocols/vectors.json").read_text())
    message = bytes.fromhex(vectors["v2"]["v2_image_bslz4_and_lz4"])
    header = (72).to_bytes(8, "big") + (64).to_bytes(4, "big")
    first = message.index(header)
    second = message.index(header, first + 1)
    length = message[first - 1]
    expected = np.array(vectors["expect_u4_3x6"], "<u4").reshape(3, 6)

    wish = {"shape": (3, 6), "dtype": np.dtype("<u4")}
    shuffled = unpack(message[first : first + length], algorithm="bslz4", **wish)
    plain = unpack(message[second : second + message[second - 1]], algorithm="lz4", **wish)

    np.testing.assert_array_equal(shuffled, expected)
    np.testing.assert_array_equal(plain, expected)


def test_a_detectors_chunk_reads_like_hdf5plugin(data_path: Callable[[str], Path]) -> None:
    name = "protocols/dectris_h5_eiger2_simread7_2datafiles_4images_bslz4_data_000001.h5"
    with h5py.File(data_path(name)) as file:
        data = file["entry/data/data"]
        blob = data.id.read_direct_chunk((0, 0, 0))[1]
        again = unpack(blob, algorithm="bslz4", shape=data.shape[1:], dtype=data.dtype)
        np.testing.assert_array_equal(again, data[0])


def test_out_is_filled_and_returned() -> None:
    image = RNG.poisson(5, (40, 50)).astype("u2")
    out = np.empty_like(image)

    blob = packed(image, hdf5plugin.Bitshuffle())
    again = unpack(blob, algorithm="bslz4", shape=(40, 50), dtype=image.dtype, out=out)

    assert again is out
    np.testing.assert_array_equal(out, image)
    with pytest.raises(ValueError, match="wanted contiguous"):
        unpack(blob, algorithm="bslz4", shape=(40, 50), dtype=image.dtype, out=out[:, ::2])


def test_sizes_are_checked_before_anything_is_decoded() -> None:
    image = RNG.poisson(5, (64, 64)).astype("u2")
    wish = {"algorithm": "bslz4", "shape": (64, 64), "dtype": image.dtype}
    blob = packed(image, hdf5plugin.Bitshuffle())

    assert reason(b"", **wish) == "truncated"
    assert reason(bytes(12), **wish) == "wrong size"
    assert reason(blob, **(wish | {"shape": (64, 63)})) == "wrong size"
    assert reason(b"\xff" * 8 + blob[8:], **wish) == "wrong size"
    assert reason(blob[:8] + (100).to_bytes(4, "big") + blob[12:], **wish) == "corrupt"
    assert reason(blob[:12] + b"\xff\xff\xff\xff" + blob[16:], **wish) == "truncated"
    assert reason(blob[:-1], **wish) == "truncated"
    assert reason(blob + b"x", **wish) == "corrupt"
    assert reason(blob[:8] + bytes(4), **(wish | {"algorithm": "lz4"})) == "corrupt"


def test_pixels_that_are_no_numbers_are_refused() -> None:
    with pytest.raises(ValueError, match="not supported"):
        unpack(b"", algorithm="raw", shape=(1, 1), dtype=np.dtype("c8"))
    with pytest.raises(ValueError, match="unknown algorithm"):
        unpack(b"", algorithm="zip", shape=(1, 1), dtype=np.dtype("u2"))  # type: ignore[arg-type]


@pytest.mark.parametrize("algorithm", ["bslz4", "lz4", "lz4-block"])
def test_no_damage_crashes_it_or_spills_over_the_end(algorithm: str) -> None:
    image = RNG.poisson(3, (120, 90)).astype("u4")
    blob = {
        "bslz4": packed(image, hdf5plugin.Bitshuffle(nelems=1024)),
        "lz4": packed(image, hdf5plugin.LZ4(nbytes=8192)),
        "lz4-block": lz4.block.compress(image.tobytes(), store_size=False),
    }[algorithm]
    guarded = np.full(image.size + 64, 0xABCD, "u4")
    out = guarded[32:-32].reshape(image.shape)
    reasons = []
    for _ in range(300):
        damaged = bytearray(blob)
        for place in RNG.integers(0, len(blob), RNG.integers(1, 6)):
            damaged[place] ^= 1 << RNG.integers(8)
        if RNG.random() < 0.5:
            del damaged[RNG.integers(len(blob)) :]
        try:
            unpack(
                bytes(damaged), algorithm=algorithm, shape=image.shape, dtype=image.dtype, out=out
            )
        except UnpackError as error:
            reasons.append(error.reason)
    assert len(reasons) > 140
    assert set(reasons) <= {"truncated", "wrong size", "corrupt"}
    np.testing.assert_array_equal(guarded[:32], 0xABCD)
    np.testing.assert_array_equal(guarded[-32:], 0xABCD)
