"""What a stream decodes to does not depend on the generation of cbor2."""

import json
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

REPOSITORY = Path(__file__).parents[2]


def run(script: str, argument: Path, *, first: str | None = None) -> str:
    """Run a script of this folder in a process of its own, with packages put first."""
    paths = [*([first] if first else []), str(REPOSITORY)]
    done = subprocess.run(
        [sys.executable, str(Path(__file__).with_name(script)), str(argument)],
        env={**os.environ, "PYTHONPATH": os.pathsep.join(paths)},
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_recordings_and_vectors_decode_alike_with_cbor2_5_and_6(
    older_cbor2: str, data_path: Callable[[str], Path]
) -> None:
    folder = data_path("protocols")

    older: dict[str, Any] = json.loads(run("decode_v2.py", folder, first=older_cbor2))
    newer: dict[str, Any] = json.loads(run("decode_v2.py", folder))

    assert older.pop("cbor2").startswith("5.")
    assert newer.pop("cbor2").startswith("6.")
    assert older == newer
    assert [name for name, *_ in newer["dectris_v2_eiger1_si1m_all_10frames.cborseq"]] == [
        "start",
        *["frame"] * 10,
        "RunEnd",
    ]
    assert newer["vectors difference"][1][1] == "channel missing"


def test_what_dranspose_replays_is_what_we_read_of_the_same_recording(
    older_cbor2: str, data_path: Callable[[str], Path]
) -> None:
    from livepdf.sources.cbors import CborsReader
    from tests.sources.streams import feed_of, frames, pixels, play

    path = data_path("streams/dump_xrd.cbors")
    printed = run("read_internals.py", path, first=older_cbor2)
    theirs = [json.loads(line) for line in printed.splitlines()]

    messages = [list(message.raw.parts) for message in CborsReader(path).messages()]
    ours = frames(play(feed_of("stins"), messages))

    images = [image for kind, _, image in theirs if kind == "image"]
    assert len(ours) == len(images) == 9
    assert [pixels(frame).tolist() for frame in ours] == images
