"""Which source a profile asks for."""

import time
from collections.abc import Callable
from typing import Any

from livepdf.errors import SourceError
from livepdf.sources.dectris_v2_frames import dectris_v2_feed
from livepdf.sources.dectris_v2_socket import DectrisV2Source
from livepdf.sources.directory import DirectorySource
from livepdf.sources.source import Feed, Source, Tap

SOURCES: dict[str, Callable[..., Source]] = {
    "dectris-stream-v2": DectrisV2Source,
    "directory": DirectorySource,
}
"""By the ``kind`` of the settings; called with them and ``clock=``, streams also with ``tap=``."""

FEEDS: dict[str, Callable[[Any], Feed]] = {
    "dectris-stream-v2": dectris_v2_feed,
}
"""What understands the raw messages of a kind, by the same ``kind``; sources of files have none."""


def make_source(
    settings: Any, *, clock: Callable[[], float] = time.time, tap: Tap | None = None
) -> Source:
    """Make the source that the settings describe; it is not open yet.

    Parameters
    ----------
    settings
        One of the tables of ``config/sources.py``.
    tap
        Told every raw message as it was received, before anything else happens to it.

    Raises
    ------
    SourceError
        When there is a tap and the source has no messages.
    """
    make = SOURCES[settings.kind]
    if tap is None:
        return make(settings, clock=clock)
    if settings.kind not in FEEDS:
        raise SourceError(f"a source of kind {settings.kind} has no messages to hand on")
    return make(settings, clock=clock, tap=tap)


def make_feed(settings: Any) -> Feed:
    """Make what turns the raw messages of such a source into frames, without a socket."""
    if settings.kind not in FEEDS:
        raise SourceError(f"a source of kind {settings.kind} has no messages to be fed with")
    return FEEDS[settings.kind](settings)
