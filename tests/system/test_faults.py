"""What can go wrong on the way in, done to a real daemon by real senders; the rest: tests/long."""

from pathlib import Path

import pytest

from livepdf.wire.client import Client
from tests.daemon import beamline
from tests.system.daemon import Daemon, Detector
from tests.system.faults import Books
from tests.system.file_faults import Writer, directory_profile, file_faults
from tests.system.stream_faults import QUALITY, SOURCE, Sender, stream_faults

pytestmark = pytest.mark.system


def test_a_stream_that_goes_wrong_in_every_way_is_counted_and_goes_on(tmp_path: Path) -> None:
    with Detector() as detector:
        profile, recipe = beamline.write_settings(
            tmp_path, port=detector.port, window="frames = 1", more=QUALITY
        )
        profile.write_text(profile.read_text().replace("[detector]", f"{SOURCE}\n[detector]"))
        sender = Sender(detector)
        with Daemon(profile, recipe, "--out", str(tmp_path)) as daemon:
            client = Client(daemon.address())
            books = Books(client)
            for fault in stream_faults(sender):
                books.check(fault, sender.whole)
            client.close()
            daemon.process.terminate()
            assert daemon.wait(240.0) == 0, daemon.errors


def test_files_that_go_wrong_in_every_way_are_counted_and_the_next_one_is_read(
    tmp_path: Path,
) -> None:
    profile, recipe = beamline.write_settings(tmp_path, window="frames = 1")
    directory_profile(profile, tmp_path)
    writer = Writer(tmp_path / "images")
    with Daemon(profile, recipe, "--out", str(tmp_path / "out")) as daemon:
        client = Client(daemon.address())
        books = Books(client)
        for fault in file_faults(writer):
            books.check(fault, writer.whole)
        client.close()
        daemon.process.terminate()
        assert daemon.wait(240.0) == 0, daemon.errors
