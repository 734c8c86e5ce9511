"""A result file that is deleted while it is written comes back; one that is moved stays there.

A deleted file goes on existing for whoever has it open, so all that was written is still there and
goes back to where it was.
"""

import logging
import os
import shutil
from pathlib import Path

from livepdf.daemon.board import Board
from livepdf.daemon.disk import require_room
from livepdf.sinks.nexus import NexusFile

log = logging.getLogger(__name__)


class Orphans:
    """Deleted files that wait for a place to go back to."""

    def __init__(self, board: Board) -> None:
        self._board = board
        self._waiting: list[tuple[int, Path]] = []

    def adopt(self, file: NexusFile) -> bool:
        """Close a file that is not where it was any more; tell whether that was so."""
        if _is_there(file):
            return False
        descriptor = os.dup(file.descriptor)
        try:
            file.close()
        except (OSError, RuntimeError, ValueError) as error:
            log.warning("%s ends without its last words: %s", file.path, error)
            file.abandon()
        deleted = os.fstat(descriptor).st_nlink == 0
        if deleted:
            self._waiting.append((descriptor, file.path))
        else:
            os.close(descriptor)
        text = f"{file.path} was {'deleted' if deleted else 'moved'} while it was written"
        log.warning("%s", text)
        self._board.say("warning", f"{text}; the run goes on in another file")
        return True

    def bring_back(self) -> None:
        """Write those that wait where they were, each under a name that is free.

        Raises
        ------
        OSError
            When there is no place for one yet; it goes on waiting.
        """
        while self._waiting:
            descriptor, path = self._waiting[0]
            back = _written(descriptor, path)
            os.close(descriptor)
            self._waiting.pop(0)
            self._board.say("warning", f"{back} was deleted and is back, with all its windows")


def _is_there(file: NexusFile) -> bool:
    try:
        return os.path.samestat(os.fstat(file.descriptor), file.path.stat())
    except (FileNotFoundError, NotADirectoryError):
        return False
    except OSError:
        return True  # the disk has other troubles, and writing will tell them


def _written(descriptor: int, path: Path) -> Path:
    require_room(path.parent, os.fstat(descriptor).st_size)
    free = path if not path.exists() else path.with_name(f"{path.stem}-brought-back{path.suffix}")
    os.lseek(descriptor, 0, os.SEEK_SET)
    with open(descriptor, "rb", closefd=False) as deleted, free.open("xb") as file:
        shutil.copyfileobj(deleted, file, 1 << 20)
    log.warning("%s was deleted and is back", free)
    return free
