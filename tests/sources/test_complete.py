"""Files that are whole pass; files cut anywhere by others' writers do not."""

from collections.abc import Callable
from pathlib import Path

import fabio
import numpy as np
import pytest
import tifffile

from livepdf.errors import FrameError
from livepdf.sources.complete import check_complete

PIXELS = np.arange(60 * 50, dtype=np.int32).reshape(60, 50) % 977


def by_fabio(kind: str) -> Callable[[Path], None]:
    writer = {
        "tif": fabio.tifimage.TifImage,
        "cbf": fabio.cbfimage.CbfImage,
        "edf": fabio.edfimage.EdfImage,
    }[kind]
    return lambda path: writer(data=PIXELS, header={}).write(str(path))


WRITERS: dict[str, tuple[str, Callable[[Path], None]]] = {
    "tif by fabio": ("tif", by_fabio("tif")),
    "tif by tifffile": ("tif", lambda path: tifffile.imwrite(path, PIXELS)),
    "big-endian tif": ("tif", lambda path: tifffile.imwrite(path, PIXELS, byteorder=">")),
    "bigtiff": ("tif", lambda path: tifffile.imwrite(path, PIXELS, bigtiff=True)),
    "strips": ("tif", lambda path: tifffile.imwrite(path, PIXELS, rowsperstrip=7)),
    "tiles": ("tif", lambda path: tifffile.imwrite(path, PIXELS, tile=(16, 16))),
    "pages": (
        "tif",
        lambda path: tifffile.imwrite(path, np.stack([PIXELS] * 3), photometric="minisblack"),
    ),
    "cbf": ("cbf", by_fabio("cbf")),
    "edf": ("edf", by_fabio("edf")),
    "npy": ("npy", lambda path: np.save(path, PIXELS)),
}


@pytest.fixture(params=WRITERS)
def whole(request: pytest.FixtureRequest, tmp_path: Path) -> Path:
    suffix, write = WRITERS[request.param]
    path = tmp_path / f"image.{suffix}"
    write(path)
    return path


def test_a_whole_file_passes(whole: Path) -> None:
    check_complete(whole)


@pytest.mark.parametrize("part", [0.005, 0.1, 0.5, 0.9])
def test_a_cut_file_is_incomplete(whole: Path, part: float) -> None:
    content = whole.read_bytes()
    whole.write_bytes(content[: int(len(content) * part)])

    with pytest.raises(FrameError) as refusal:
        check_complete(whole)

    assert refusal.value.reason == "incomplete"


def test_a_file_of_zeros_is_not_complete(whole: Path) -> None:
    """Some file systems show the length before the content."""
    whole.write_bytes(bytes(whole.stat().st_size))

    with pytest.raises(FrameError):
        check_complete(whole)


def test_a_cbf_with_another_checksum_is_corrupt(tmp_path: Path) -> None:
    path = tmp_path / "image.cbf"
    by_fabio("cbf")(path)
    content = bytearray(path.read_bytes())
    content[content.find(b"\x0c\x1a\x04\xd5") + 100] ^= 1
    path.write_bytes(content)

    with pytest.raises(FrameError) as refusal:
        check_complete(path)

    assert refusal.value.reason == "corrupt"


def test_real_images_pass(data_path: Callable[[str], Path]) -> None:
    check_complete(data_path("images/xpd_ni/xpd_ni.tif"))
    check_complete(data_path("images/dioptas_ceo2_pilatus1m/CeO2_Pilatus1M.tif"))
