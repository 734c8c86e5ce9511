"""Which source a profile asks for."""

import time
from collections.abc import Callable

from livepdf.config.profile import DectrisStreamV2, Directory
from livepdf.sources.dectris_v2_socket import DectrisV2Source
from livepdf.sources.directory import DirectorySource
from livepdf.sources.source import Source


def make_source(
    settings: DectrisStreamV2 | Directory, *, clock: Callable[[], float] = time.time
) -> Source:
    """Make the source that the settings describe; it is not open yet."""
    if isinstance(settings, Directory):
        return DirectorySource(settings, clock=clock)
    return DectrisV2Source(settings, clock=clock)
