"""The command that records, against a detector on a real socket."""

import json
import signal
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from livepdf.cli.main import main
from livepdf.sources.recording_file import RecordingReader
from tests.daemon.beamline import write_settings
from tests.system.daemon import Detector

COMMAND = [sys.executable, "-m", "livepdf.cli.main", "record"]


def code_of(*arguments: object) -> object:
    with pytest.raises(SystemExit) as end:
        main([str(argument) for argument in arguments])
    return end.value.code


@pytest.mark.system
def test_a_stream_is_recorded_whole_with_the_settings_and_every_file_that_they_name(
    tmp_path: Path,
) -> None:
    with Detector() as detector:
        profile, recipe = write_settings(tmp_path, port=detector.port)
        target = tmp_path / "a.mcap"
        command = [*COMMAND, str(profile), "--recipe", str(recipe), "-o", str(target)]
        with subprocess.Popen([*command, "--runs", "1", "--json"], stdout=subprocess.PIPE) as p:
            detector.start(1, (4, 5))
            for index in range(30):
                detector.image(1, index, np.full((4, 5), index, np.uint16))
            detector.junk(b"no message")
            detector.end(1)
            out, _ = p.communicate(timeout=60)
    first, last = out.decode().splitlines()
    assert first == f"recording {target}"
    told = json.loads(last)
    assert (told["frames"], told["refused"], told["lost"], told["dropped"]) == (30, 1, 0, 0)
    assert told["messages"] == 33
    with RecordingReader(target) as reader:
        assert sum(1 for _ in reader.messages()) == 33
        assert reader.found.whole
        attached = {item.name: item.data for item in reader.attached()}
    assert attached["profile.toml"] == profile.read_bytes()
    assert attached["recipe.toml"] == recipe.read_bytes()
    assert attached["profile/geometry.poni"] == (tmp_path / "geometry.poni").read_bytes()


@pytest.mark.system
def test_ctrl_c_leaves_a_closed_file(tmp_path: Path) -> None:
    with Detector() as detector:
        target = tmp_path / "a.mcap"
        command = [*COMMAND, f"tcp://127.0.0.1:{detector.port}", "-o", str(target)]
        with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as p:
            assert p.stdout is not None
            assert p.stdout.readline() == f"recording {target}\n".encode()
            p.send_signal(signal.SIGINT)
            assert p.wait(30) == 0
    with RecordingReader(target) as reader:
        assert list(reader.messages()) == []
        assert reader.found.whole


def test_what_cannot_be_recorded_is_said(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert code_of("record", "tcp://a:1", "--kind", "no-such", "-o", tmp_path / "a.mcap") == 3
    assert "no-such" in capsys.readouterr().err
    (tmp_path / "b.mcap").write_bytes(b"")
    assert code_of("record", "tcp://127.0.0.1:9", "-o", tmp_path / "b.mcap") == 1
    assert "File exists" in capsys.readouterr().err


def test_a_directory_is_not_recorded(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    profile, recipe = write_settings(tmp_path)
    text = profile.read_text()
    text = text.replace('kind = "dectris-stream-v2"\nendpoint = "tcp://127.0.0.1:9"', FILES)
    profile.write_text(text.replace("[output]", "[output]\nrecord = true"))
    assert code_of("run", profile, "--recipe", recipe, "--out", tmp_path / "out") == 3
    assert "output.record" in capsys.readouterr().err
    assert code_of("record", profile, "-o", tmp_path / "a.mcap") == 4
    assert not (tmp_path / "a.mcap").exists()


FILES = 'kind = "directory"\npath = "in"'
