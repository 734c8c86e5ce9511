from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import cbor2
import h5py
import hdf5plugin
import numpy as np
import pytest

from livepdf.simulate.stream2 import (
    Series,
    bitshuffle_lz4,
    end_message,
    image_message,
    start_message,
)

RANDOM = np.random.default_rng(8)
ARMED = datetime(2026, 3, 4, 5, 6, 7, tzinfo=UTC)
SERIES = Series(
    series_id=7,
    unique_id="abc",
    images=3,
    shape=(211, 307),
    energy=80.0,
    distance_m=0.145,
    pixel_m=172e-6,
    beam=(100.5, 150.25),
    frame_time=0.1,
    blind=RANDOM.random((211, 307)) < 0.1,
    armed=ARMED,
)


def _unpacked(blob: bytes, *, shape: tuple[int, ...], dtype: str, folder: Path) -> np.ndarray:
    """Let the HDF5 filter of hdf5plugin decode the blob."""
    with h5py.File(folder / "one.h5", "w") as file:
        data = file.create_dataset(
            "data",
            shape=shape,
            dtype=dtype,
            chunks=shape,
            compression=hdf5plugin.Bitshuffle(cname="lz4"),
        )
        data.id.write_direct_chunk((0,) * len(shape), blob)
        return np.asarray(data[...])


def _array(tag: Any, folder: Path) -> np.ndarray:
    assert tag.tag == 40
    shape, typed = tag.value
    assert typed.tag == 70
    packed = typed.value
    assert packed.tag == 56500
    algorithm, size, blob = packed.value
    assert (algorithm, size) == ("bslz4", 4)
    return _unpacked(blob, shape=tuple(shape), dtype="<u4", folder=folder)


def _message(raw: bytes) -> Any:
    assert raw[:3] == b"\xd9\xd9\xf7"
    return cbor2.loads(raw[3:])


@pytest.mark.parametrize("dtype", ["u1", "<u2", "<u4"])
@pytest.mark.parametrize("shape", [(1, 1), (3, 5), (64, 64), (255, 1023)])
def test_a_packed_array_is_read_by_the_hdf5_filter(
    dtype: str, shape: tuple[int, int], tmp_path: Path
) -> None:
    array = RANDOM.poisson(3.0, shape).astype(dtype)

    blob = bitshuffle_lz4(array)

    np.testing.assert_array_equal(_unpacked(blob, shape=shape, dtype=dtype, folder=tmp_path), array)


def test_an_image_message_carries_the_image_bit_for_bit(tmp_path: Path) -> None:
    image = RANDOM.poisson(4.0, SERIES.shape).astype(np.uint32)
    image[SERIES.blind] = 2**32 - 1

    message = _message(
        image_message(SERIES, index=2, image=image, user_data={"temperature": 500.0})
    )

    assert next(iter(message)) == "type"
    assert message["type"] == "image"
    assert message["image_id"] == 2
    assert message["series_unique_id"] == "abc"
    assert message["series_date"] == ARMED
    assert message["start_time"][0] / message["start_time"][1] == pytest.approx(0.2)
    assert message["user_data"] == {"temperature": 500.0}
    np.testing.assert_array_equal(_array(message["data"]["threshold_1"], tmp_path), image)


def test_the_start_message_announces_the_series_and_its_mask(tmp_path: Path) -> None:
    message = _message(start_message(SERIES))

    assert message["type"] == "start"
    assert message["channels"] == ["threshold_1"]
    assert (message["image_size_y"], message["image_size_x"]) == SERIES.shape
    assert message["number_of_images"] == 3
    assert message["incident_energy"] == pytest.approx(80_000.0)
    assert message["incident_wavelength"] == pytest.approx(0.154980, abs=1e-6)
    assert (message["beam_center_y"], message["beam_center_x"]) == SERIES.beam
    mask = _array(message["pixel_mask"]["threshold_1"], tmp_path)
    np.testing.assert_array_equal(mask != 0, SERIES.blind)


def test_the_end_message_names_its_series() -> None:
    message = _message(end_message(SERIES))

    assert message == {"type": "end", "series_id": 7, "series_unique_id": "abc"}
