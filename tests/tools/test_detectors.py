"""Every simulated detector is understood by its source, and its faults end in the right counter."""

import json
import os
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import tifffile
from karabo_bridge import Client
from pydantic import TypeAdapter

from livepdf.config.sources import Source as Settings
from livepdf.model.frame import Frame, FrameRefused, RunEnd, RunStart, SourceItem
from livepdf.numerics.unpack import unpack
from livepdf.simulate.powder import CAMERAS, powder_images
from livepdf.sources.open_source import make_source

FAULTS = ["--loss", "0.1", "--disorder", "0.1", "--duplicates", "0.1", "--seed", "3"]
KARABO = {"image": {"source": "SIM/DET/CAMERA:output", "key": "data.image.pixels"}}
LIMIT = 60.0
SEEN = np.random.default_rng(8).poisson(20.0, (4, 60, 80)).astype(np.int32)
"""Images that the simulated detectors send in turn."""


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder of images as another detector wrote them: quicker than to draw them."""
    folder = tmp_path_factory.mktemp("images")
    for number in range(len(SEEN)):
        tifffile.imwrite(folder / f"image_{number}.tif", SEEN[number])
    return folder


@contextmanager
def detector(*arguments: str, **environment: str) -> Iterator["subprocess.Popen[str]"]:
    """Start a simulated detector; kill it on the way out."""
    command = [sys.executable, "-m", "tools.detectors", *arguments]
    with subprocess.Popen(
        command, stdout=subprocess.PIPE, text=True, env={**os.environ, **environment}
    ) as process:
        try:
            yield process
        finally:
            process.kill()


def word(process: "subprocess.Popen[str]") -> str:
    """Return where it says that it is."""
    assert process.stdout is not None
    return process.stdout.readline().split()[-1]


def tally(process: "subprocess.Popen[str]") -> dict[str, int]:
    """Return what it says that it did."""
    assert process.stdout is not None
    return json.loads(process.stdout.readline())  # type: ignore[no-any-return]


def follow(runs: int = 1, **settings: Any) -> tuple[list[SourceItem], int]:
    """Receive from a source until a run is over; return what came, and the number lost."""
    source = make_source(TypeAdapter[Any](Settings).validate_python(settings))
    source.open()
    items: list[SourceItem] = []
    deadline = time.monotonic() + LIMIT
    while sum(isinstance(item, RunEnd) for item in items) < runs:
        assert time.monotonic() < deadline, items[-3:]
        items += source.poll(0.1)
    lost = source.lost()
    source.close()
    return items, lost


def indexes(items: list[SourceItem]) -> list[int]:
    return [item.index for item in items if isinstance(item, Frame)]


def refusals(items: list[SourceItem]) -> Counter[str]:
    return Counter(item.reason for item in items if isinstance(item, FrameRefused))


def pixels(frame: Frame) -> np.ndarray:
    image = frame.image
    return unpack(image.blob, algorithm=image.algorithm, shape=image.shape, dtype=image.dtype)


@pytest.mark.system
@pytest.mark.parametrize(
    ("kind", "arguments", "settings"),
    [
        ("dectris-stream-v2", ["dectris-v2", "--ends", "2"], {}),
        ("dectris-stream-v1", ["dectris-v1", "--header", "all", "--split-header"], {}),
        ("stins", ["stins", "--first-frame", "1", "--first-message", "210"], {}),
        ("karabo-bridge", ["karabo", "--way", "pub"], {**KARABO, "pattern": "sub"}),
        ("jungfraujoch", ["jungfraujoch", "--way", "push"], {"pattern": "pull"}),
    ],
)
def test_frames_are_in_order_and_every_fault_is_in_its_counter(
    kind: str, arguments: list[str], settings: dict[str, Any], folder: Path
) -> None:
    more = ["--endpoint", "tcp://127.0.0.1:0", "--frames", "80", "--rate", "400", *FAULTS]
    with detector(*arguments, *more, "--images", str(folder)) as process:
        endpoint = word(process)
        items, lost = follow(
            kind=kind, endpoint=endpoint, gap_timeout=0.5, idle_timeout=2.0, **settings
        )
        done = tally(process)

    found = indexes(items)
    assert found == sorted(found)
    assert len(found) == done["images"] - done["lost"]
    assert refusals(items)["duplicate"] == done["doubled"] > 0
    assert done["overtaken"] > 0
    # Images that were lost at the very end, or the beginning, leave no gap in the numbers.
    gaps = found[-1] - found[0] + 1 - len(found)
    assert lost >= gaps > 0
    assert sum(isinstance(item, RunStart) for item in items) == 1


@pytest.mark.system
def test_pixels_are_those_of_the_camera() -> None:
    more = ["--endpoint", "tcp://127.0.0.1:0", "--frames", "3", "--rate", "100", "--seed", "9"]
    with detector("dectris-v1", *more) as process:
        items, _ = follow(kind="dectris-stream-v1", endpoint=word(process))
    seen = [pixels(item) for item in items if isinstance(item, Frame)]
    drawn = powder_images(CAMERAS["pilatus-100k"], count=3, seed=9)
    assert len(seen) == 3
    for one, other in zip(seen, drawn, strict=True):
        np.testing.assert_array_equal(one, other)


@pytest.mark.system
def test_corrupted_messages_are_refused_and_the_rest_flows_on_after_a_restart(
    folder: Path,
) -> None:
    more = ["--endpoint", "tcp://127.0.0.1:0", "--frames", "120", "--rate", "60"]
    faults = ["--corruption", "0.15", "--restart-every", "60", "--seed", "4"]
    with detector("dectris-v2", *more, *faults, "--images", str(folder)) as process:
        endpoint = word(process)
        items, _ = follow(
            kind="dectris-stream-v2", endpoint=endpoint, gap_timeout=0.3, idle_timeout=3.0
        )
        done = tally(process)
    assert done["corrupted"] > 5
    assert done["restarts"] == 1
    assert len(indexes(items)) >= 120 - done["corrupted"] - 20
    assert max(indexes(items)) > 100
    assert sum(refusals(items).values()) > 0


@pytest.mark.system
@pytest.mark.parametrize(("version", "way"), [("1.0", "rep"), ("2.2", "push")])
def test_the_client_of_the_european_xfel_reads_our_bridge(
    version: str, way: str, folder: Path
) -> None:
    more = ["--endpoint", "tcp://127.0.0.1:0", "--frames", "3", "--images", str(folder)]
    with detector("karabo", "--version", version, "--way", way, *more) as process:
        sockets = {"rep": "REQ", "push": "PULL"}
        with Client(word(process), sock=sockets[way], timeout=20) as client:
            trains = [client.next() for _ in range(3)]
    images = [data["SIM/DET/CAMERA:output"]["data.image.pixels"] for data, _ in trains]
    numbers = [meta["SIM/DET/CAMERA:output"]["timestamp.tid"] for _, meta in trains]
    assert numbers == [1_000_000_000, 1_000_000_001, 1_000_000_002]
    for one, other in zip(images, SEEN[:3], strict=True):
        np.testing.assert_array_equal(one, other)


@pytest.mark.system
def test_hidra_sends_files_in_chunks_until_it_is_told_to_stop(folder: Path) -> None:
    more = ["--endpoint", "tcp://127.0.0.1:0", "--frames", "12", "--rate", "50"]
    with detector("hidra", "--chunk", "5000", *more, "--images", str(folder)) as process:
        items, lost = follow(
            kind="hidra", signal=word(process), listen="127.0.0.1:0", idle_timeout=2.0
        )
        done = tally(process)
    assert len(indexes(items)) == done["sent"] == 12
    assert lost == 0


@pytest.mark.system
def test_image_files_come_one_by_one_with_their_metadata(tmp_path: Path, folder: Path) -> None:
    arguments = ["--metadata", "--slowly", "--nested", "4", "--frames", "8", "--rate", "5"]
    arguments += ["--loss", "0.2", "--seed", "2", "--images", str(folder)]
    with detector("files", str(tmp_path / "in"), *arguments) as p:
        word(p)
        items, _ = follow(
            kind="directory",
            path=str(tmp_path / "in"),
            start="all",
            poll=0.1,
            metadata="qxrd",
            idle_timeout=4.0,
            runs=1,
        )
        done = tally(p)
    frames = [item for item in items if isinstance(item, Frame)]
    assert len(frames) <= done["written"] == 8 - done["lost"]
    assert frames
    assert all(frame.exposure == 0.2 for frame in frames)
    assert refusals(items) == Counter()


@pytest.mark.system
@pytest.mark.parametrize("more", [["--master", "last"], ["--swmr"]])
def test_hdf5_files_give_every_image_once(tmp_path: Path, more: list[str], folder: Path) -> None:
    arguments = ["--frames", "12", "--per-file", "4", "--rate", "20", *more]
    arguments += ["--images", str(folder)]
    with detector("eiger-files", str(tmp_path / "in"), *arguments) as process:
        word(process)
        items, _ = follow(
            kind="directory", path=str(tmp_path / "in"), start="all", poll=0.1, idle_timeout=4.0
        )
        assert tally(process) == {"written": 12}
    frames = [item for item in items if isinstance(item, Frame)]
    assert [frame.index for frame in frames] == list(range(12))
    for frame in frames:
        np.testing.assert_array_equal(pixels(frame), SEEN[frame.index % len(SEEN)])


@pytest.mark.system
def test_a_preview_of_jungfraujoch_leaves_images_out_and_none_is_lost(folder: Path) -> None:
    more = ["--endpoint", "tcp://127.0.0.1:0", "--frames", "6", "--images", str(folder)]
    with detector("jungfraujoch", "--every", "10", *more) as process:
        items, lost = follow(kind="jungfraujoch", endpoint=word(process))
    assert indexes(items) == [0, 10, 20, 30, 40, 50]
    assert (lost, refusals(items)) == (0, Counter())


@pytest.mark.system
def test_bluesky_documents_give_every_image(tmp_path: Path, folder: Path) -> None:
    more = ["--endpoint", "tcp://127.0.0.1:0", "--frames", "6", "--images", str(folder)]
    with detector("bluesky", "--file", str(tmp_path / "scan.h5"), *more) as process:
        items, _ = follow(
            kind="bluesky-documents", endpoint=word(process), image="detector", idle_timeout=5.0
        )
    assert indexes(items) == list(range(6))


@pytest.mark.system
def test_pva_images_arrive_with_their_gaps_counted(folder: Path) -> None:
    local = {"EPICS_PVAS_INTF_ADDR_LIST": "127.0.0.1", "EPICS_PVA_AUTO_ADDR_LIST": "NO"}
    channel = f"SIM:{os.getpid()}:Image"
    more = ["--channel", channel, "--frames", "40", "--rate", "40", "--loss", "0.2", "--seed", "1"]
    more += ["--images", str(folder)]
    with detector("epics-pva", "--codec", "bslz4", "--settle", "3", *more, **local) as process:
        word(process)
        items, lost = follow(
            kind="epics-pva",
            channel=channel,
            addresses=["127.0.0.1"],
            broadcast=False,
            idle_timeout=2.0,
        )
        done = tally(process)
    found = indexes(items)
    # A busy reader overruns, as PVA does without a word: but every gap is counted.
    assert len(found) <= 40 - done["lost"]
    assert lost == found[-1] - found[0] + 1 - len(found) > 0


@pytest.mark.system
def test_a_recording_is_what_another_detector_sees(tmp_path: Path) -> None:
    from livepdf.model.raw import RawMessage
    from livepdf.model.recorded import Origin, Recorded
    from livepdf.simulate.stins import run_messages
    from livepdf.sinks.recording_file import RecordingFile
    from tools.detectors.pictures import pictures

    given: dict[str, Any] = {
        "camera": "pilatus-100k", "synthesis": None, "images": (), "recording": None,
        "frames": 4, "rate": 10.0, "write": None,
    }  # fmt: skip
    seen = pictures(given, seed=6)
    file = RecordingFile(tmp_path / "a.mcap", origin=Origin(kind="stins"), now=1e9)
    for number, parts in enumerate(run_messages(seen.series, seen.images)):
        raw = RawMessage(channel="stream", received=1e9 + number, parts=tuple(parts))
        file.write([Recorded(raw=raw, sequence=number)])
    file.close({})

    more = ["--endpoint", "tcp://127.0.0.1:0", "--frames", "4", "--rate", "50"]
    with detector("dectris-v2", "--recording", str(tmp_path / "a.mcap"), *more) as process:
        items, _ = follow(kind="dectris-stream-v2", endpoint=word(process))
    drawn = powder_images(CAMERAS["pilatus-100k"], count=4, seed=6)
    frames = [item for item in items if isinstance(item, Frame)]
    assert len(frames) == 4
    for frame in frames:
        np.testing.assert_array_equal(pixels(frame), drawn[frame.index])
