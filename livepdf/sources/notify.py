"""The kernel's file events, only to wake a wait early; what changed is found by looking."""

import logging
import os
import socket
import warnings
from pathlib import Path

from watchdog.events import FileSystemEvent, FileSystemEventHandler
from watchdog.observers import Observer

log = logging.getLogger(__name__)
# Folders made in quick succession are watched once by walking and once more by their own event;
# watchdog tells so each time, with every folder that it watches, and keeps the text for good.
warnings.filterwarnings("ignore", "Callback with id", RuntimeWarning)
CHANGES = frozenset({"created", "modified", "moved", "closed", "deleted"})


class Notifier(FileSystemEventHandler):
    """Becomes readable when something below a directory changed."""

    def __init__(self, root: Path) -> None:
        self._reader, self._writer = socket.socketpair()
        self._reader.setblocking(False)
        self._writer.setblocking(False)
        self._observer = Observer()
        self._observer.schedule(self, os.fspath(root), recursive=True)
        try:
            self._observer.start()
        except OSError as error:
            # Network file systems and used-up watches: looking at intervals goes on.
            log.warning("no file events for %s (%s): looking at intervals only", root, error)

    def fileno(self) -> int:
        """Return the descriptor to wait on."""
        return self._reader.fileno()

    def on_any_event(self, event: FileSystemEvent) -> None:
        """Wake the wait; a full buffer is awake already."""
        if event.event_type in CHANGES:
            try:
                self._writer.send(b"!")
            except OSError:
                return

    def clear(self) -> bool:
        """Say whether anything happened since the last call."""
        try:
            return bool(self._reader.recv(4096))
        except BlockingIOError:
            return False

    def close(self) -> None:
        """Stop watching."""
        if self._observer.is_alive():
            self._observer.stop()
            self._observer.join()
        self._reader.close()
        self._writer.close()
