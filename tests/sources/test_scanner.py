"""A directory that hangs, and files that behave badly in it."""

import os
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from livepdf.config.sources import Directory
from livepdf.errors import SourceError
from livepdf.model.frame import FrameRefused, SourceItem
from livepdf.sources import directory
from livepdf.sources.directory import DirectorySource
from livepdf.sources.scan import Found, Ledger
from livepdf.sources.scanner import Scanner
from tests.sources.conftest import wait_for
from tests.sources.watching import Opener, gather, reasons, values, write


class Mount:
    """Stands in for a network mount that can be made to hang."""

    def __init__(self) -> None:
        self.answers = threading.Event()
        self.answers.set()
        self.scan = directory.scan

    def __call__(self, *arguments: object, **options: object) -> list[Found]:
        self.answers.wait()
        return self.scan(*arguments, **options)  # type: ignore[arg-type]


@pytest.fixture
def mount(monkeypatch: pytest.MonkeyPatch) -> Iterator[Mount]:
    mount = Mount()
    monkeypatch.setattr(directory, "scan", mount)
    yield mount
    mount.answers.set()


def test_a_hanging_mount_never_holds_the_intake_and_is_said(
    mount: Mount, watch: Opener, tmp_path: Path
) -> None:
    source = watch(read_timeout=0.5)
    mount.answers.clear()
    longest = 0.0

    def poll() -> list[SourceItem]:
        nonlocal longest
        began = time.monotonic()
        items = source.poll(0.05)
        longest = max(longest, time.monotonic() - began)
        return items

    wait_for(poll, lambda _: source.state().startswith("stalled"))
    assert longest < 0.5

    mount.answers.set()
    write(tmp_path / "a_1.tif", 1)
    assert values(gather(source, number=1)) == [1]
    assert source.state() == "connected"


def test_a_mount_that_hangs_from_the_start_is_a_source_error(mount: Mount, tmp_path: Path) -> None:
    mount.answers.clear()
    source = DirectorySource(
        Directory(kind="directory", path=tmp_path, notify=False, read_timeout=0.3)
    )

    with pytest.raises(SourceError, match="network mount"):
        source.open()


def test_events_do_not_make_it_look_all_the_time(tmp_path: Path) -> None:
    looks: list[float] = []

    def slow() -> list[Found]:
        looks.append(time.monotonic())
        threading.Event().wait(0.1)
        return []

    scanner = Scanner(root=tmp_path, scan=slow, ledger=Ledger(1), interval=0.01, pass_over=False)
    scanner.start(5.0)
    began = time.monotonic()
    while time.monotonic() - began < 1.5:
        scanner.hurry()
        threading.Event().wait(0.01)
    scanner.close()

    assert len(looks) <= 5


def test_a_time_in_the_future_does_not_matter(watch: Opener, tmp_path: Path) -> None:
    source = watch()
    path = write(tmp_path / "a_1.tif", 1)
    os.utime(path, (time.time() + 86400, time.time() + 86400))

    assert values(gather(source, number=1)) == [1]


def test_a_file_that_is_gone_when_it_is_read_is_counted_and_the_next_is_taken(
    watch: Opener, tmp_path: Path
) -> None:
    source = watch(retries=0, settle=1)
    path = write(tmp_path / "a_1.tif", 1)
    scanner = source._scanner
    assert scanner is not None
    # Seen, settled, and removed before the reader gets to it.
    wait_for(list, lambda _: bool(scanner._files))
    path.unlink()
    refused = gather(source, number=1, until="FrameRefused")
    write(tmp_path / "b_1.tif", 2)

    assert reasons(refused) == ["unreadable"]
    assert values(gather(source, number=1)) == [2]


def test_a_file_that_never_completes_is_counted_once_with_its_name(
    watch: Opener, tmp_path: Path
) -> None:
    source = watch(read_timeout=1.0)
    whole = write(tmp_path / "w.cbf", 1)
    (tmp_path / "never.cbf").write_bytes(whole.read_bytes()[:-300])

    items = gather(source, number=1, until="FrameRefused")
    items += wait_for(lambda: source.poll(0.1), _for(1.5))

    refused = [item for item in items if isinstance(item, FrameRefused)]
    assert [item.reason for item in refused] == ["incomplete"]
    assert "never.cbf" in refused[0].detail


def _for(seconds: float) -> Callable[[list[SourceItem]], bool]:
    until = time.monotonic() + seconds
    return lambda _: time.monotonic() > until
