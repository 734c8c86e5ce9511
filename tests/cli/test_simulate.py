import json
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import cbor2
import pytest
import zmq
from click.testing import CliRunner

from livepdf.cli.simulate import simulate
from livepdf.errors import SourceError
from livepdf.files.images import read_mask

COMMAND = [sys.executable, "-c", "from livepdf.cli.simulate import simulate; simulate()"]


@contextmanager
def _process(*arguments: str) -> Iterator[tuple[subprocess.Popen[str], str]]:
    with subprocess.Popen(
        [*COMMAND, *arguments], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    ) as process:
        try:
            assert process.stdout is not None
            words = process.stdout.readline().split()
            assert words[0] == "bound"
            yield process, words[1]
        finally:
            if process.poll() is None:
                process.kill()


@contextmanager
def _reader(endpoint: str) -> Iterator[zmq.Socket[bytes]]:
    with zmq.Context() as context, context.socket(zmq.PULL) as socket:
        socket.setsockopt(zmq.LINGER, 0)
        socket.setsockopt(zmq.RCVTIMEO, 120_000)
        socket.connect(endpoint)
        yield socket


@pytest.mark.system
def test_a_series_comes_over_a_real_socket_with_its_truth_beside_it(tmp_path: Path) -> None:
    truth, instrument = tmp_path / "truth.jsonl", tmp_path / "instrument"
    options = ["--frames", "4", "--rate", "50", "--photons", "1e5", "--truth", str(truth)]
    with (
        _process(*options, "--write", str(instrument)) as (process, endpoint),
        _reader(endpoint) as reader,
    ):
        messages = [cbor2.loads(reader.recv()) for _ in range(6)]
        assert process.wait(timeout=60) == 0

    assert [message["type"] for message in messages] == ["start", *["image"] * 4, "end"]
    assert [message["image_id"] for message in messages[1:-1]] == [0, 1, 2, 3]
    lines = [json.loads(line) for line in truth.read_text(encoding="utf-8").splitlines()]
    assert [line["frame"] for line in lines] == [0, 1, 2, 3]
    hot = messages[-2]["user_data"]["temperature"]
    assert hot == pytest.approx(lines[-1]["temperature"])
    assert (instrument / "demo.poni").exists()
    assert read_mask(instrument / "demo_mask.h5").shape == (1043, 981)


@pytest.mark.system
def test_an_interrupt_ends_the_series_with_its_end_message() -> None:
    with (
        _process("--frames", "500", "--rate", "20", "--photons", "1e5") as (process, endpoint),
        _reader(endpoint) as reader,
    ):
        for _ in range(4):
            reader.recv()
        process.send_signal(signal.SIGINT)
        last = reader.recv()
        while cbor2.loads(last)["type"] == "image":
            last = reader.recv()
        assert process.wait(timeout=60) == 0

    assert cbor2.loads(last)["type"] == "end"


def test_help_teaches_how_to_connect() -> None:
    result = CliRunner().invoke(simulate, ["--help"])

    assert result.exit_code == 0
    assert "bound ADDRESS" in result.output
    assert "--truth" in result.output


def test_without_a_reader_it_gives_up() -> None:
    options = ["--frames", "1", "--wait", "0.2", "--photons", "1e5"]
    result = CliRunner().invoke(simulate, options)

    assert isinstance(result.exception, SourceError)
