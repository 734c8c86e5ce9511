"""Waking by file events, while folders are made in folders."""

import os
import threading
from collections.abc import Iterator
from multiprocessing.connection import wait
from pathlib import Path
from typing import Any

import pytest

from livepdf.sources.notify import Notifier


@pytest.fixture
def notifier(tmp_path: Path) -> Iterator[Notifier]:
    notifier = Notifier(tmp_path)
    yield notifier
    notifier.close()


def woken(notifier: Notifier) -> bool:
    """Take every wake there is; say whether there was any."""
    any_wake = False
    while wait([notifier], 1.0):
        any_wake |= notifier.clear()
    return any_wake


def test_a_file_wakes_once_until_it_is_cleared(notifier: Notifier, tmp_path: Path) -> None:
    assert not notifier.clear()
    (tmp_path / "a_1.tif").write_bytes(b"image")

    assert wait([notifier], 10.0)
    assert woken(notifier)
    assert not notifier.clear()


def test_a_folder_found_by_walking_and_by_its_own_event_ends_no_watch(
    notifier: Notifier, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    walk, walking, made = os.walk, threading.Event(), threading.Event()

    def held(*args: Any, **options: Any) -> Any:
        if not walking.is_set():
            walking.set()
            assert made.wait(10.0)
        return walk(*args, **options)

    monkeypatch.setattr(os, "walk", held)
    sample = tmp_path / "sample"
    sample.mkdir()
    assert walking.wait(10.0)
    (sample / "day").mkdir()  # seen by the watch on sample, and by the walk that is held
    made.set()
    assert woken(notifier)

    (sample / "day" / "a_1.tif").write_bytes(b"image")

    assert wait([notifier], 10.0)
