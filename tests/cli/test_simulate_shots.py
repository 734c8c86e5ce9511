"""The command that sends simulated shots, read by the source that reads detectors."""

import json
import subprocess
import sys
import time
from pathlib import Path

from livepdf.config.sources import DectrisStreamV2
from livepdf.daemon.assemble import prepare
from livepdf.model.frame import Frame, RunEnd, RunStart, SourceItem
from livepdf.sources.open_source import make_source


def test_shots_that_are_sent_arrive_with_their_records_and_their_settings_are_usable(
    tmp_path: Path,
) -> None:
    command = [sys.executable, "-m", "livepdf.cli.main", "simulate-shots", "serial"]
    options = ["--endpoint", "tcp://127.0.0.1:0", "--size", "tiny", "--shots", "5", "--wait", "60"]
    files = ["--write", str(tmp_path / "xfel"), "--truth", str(tmp_path / "truth.jsonl")]
    with subprocess.Popen(
        [*command, *options, *files], stdout=subprocess.PIPE, text=True
    ) as sender:
        assert sender.stdout is not None
        address = sender.stdout.readline().split()[1]
        source = make_source(DectrisStreamV2(kind="dectris-stream-v2", endpoint=address))
        source.open()
        items: list[SourceItem] = []
        until = time.monotonic() + 60
        while not any(isinstance(item, RunEnd) for item in items) and time.monotonic() < until:
            items += source.poll(1.0)
        source.close()

    frames = [item for item in items if isinstance(item, Frame)]
    (start,) = [item for item in items if isinstance(item, RunStart)]
    truths = [json.loads(line) for line in (tmp_path / "truth.jsonl").read_text().splitlines()]
    assert start.saturation == 16_000
    assert [frame.index for frame in frames] == list(range(5))
    for frame, truth in zip(frames, truths, strict=True):
        assert frame.monitor == 1000 * truth["meter"]
        assert frame.environment["energy"] == 6.0 * truth["energy"]
    made = prepare(tmp_path / "xfel" / "profile.toml", tmp_path / "xfel" / "recipe.toml")
    assert made.settings.profile.source.endpoint == address  # type: ignore[union-attr]
    assert made.pipeline is not None
    assert made.pipeline.tiles is not None
