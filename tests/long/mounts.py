"""Disks for tests that need one of their own: full, read-only, hanging. All need root."""

import os
import subprocess
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path


@contextmanager
def full_disk(folder: Path, *, megabytes: int) -> Iterator[Callable[[int], None]]:
    """Mount a small disk; what is yielded lets somebody else have so many megabytes of it.

    Raises
    ------
    PermissionError
        Without the right to mount.
    """
    folder.mkdir()
    _run("mount", "-t", "tmpfs", "-o", f"size={megabytes}m", "tmpfs", str(folder))
    filler = folder / "somebody-elses-data"

    def fill(size: int) -> None:
        filler.write_bytes(bytes(size << 20))

    try:
        yield fill
    finally:
        _run("umount", "--lazy", str(folder))


@contextmanager
def read_only_disk(folder: Path) -> Iterator[Callable[[], None]]:
    """Mount a disk that nobody may write to; what is yielded lets them write.

    Raises
    ------
    PermissionError
        Without the right to mount.
    """
    folder.mkdir()
    _run("mount", "-t", "tmpfs", "-o", "ro,size=100m", "tmpfs", str(folder))
    try:
        yield lambda: _run("mount", "-o", "remount,rw", str(folder))
    finally:
        _run("umount", "--lazy", str(folder))


@contextmanager
def hanging_disk(folder: Path) -> Iterator[Callable[[], AbstractContextManager[None]]]:
    """Mount a disk in a file; what is yielded keeps every write to it waiting for a while.

    Raises
    ------
    PermissionError
        Without the right to mount.
    """
    image = folder.with_suffix(".ext4")
    with image.open("wb") as file:
        os.truncate(file.fileno(), 1200 << 20)
    _run("mkfs.ext4", "-q", str(image))
    folder.mkdir()
    _run("mount", "-o", "loop", str(image), str(folder))

    @contextmanager
    def freeze() -> Iterator[None]:
        _run("fsfreeze", "--freeze", str(folder))
        try:
            yield
        finally:
            # Whoever waits in the kernel cannot even be killed before.
            _run("fsfreeze", "--unfreeze", str(folder))

    try:
        yield freeze
    finally:
        _run("umount", "--lazy", str(folder))


def _run(*command: str) -> None:
    try:
        done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
    except FileNotFoundError:
        raise PermissionError(f"{command[0]} is not there") from None
    if done.returncode:
        raise PermissionError(done.stderr.strip() or command[0])
