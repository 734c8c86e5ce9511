"""Which source a profile asks for."""

import time
from collections.abc import Callable
from typing import Any

from livepdf.config.sources import Pattern
from livepdf.errors import SourceError
from livepdf.sources.asapo_frames import AsapoFeed
from livepdf.sources.asapo_socket import AsapoSource
from livepdf.sources.bluesky_runs import BlueskyFeed
from livepdf.sources.dectris_v1_series import dectris_v1_feed
from livepdf.sources.dectris_v2_frames import dectris_v2_feed
from livepdf.sources.directory import DirectorySource
from livepdf.sources.hidra_files import HidraFeed
from livepdf.sources.hidra_socket import HidraSource
from livepdf.sources.jungfraujoch import jungfraujoch_feed
from livepdf.sources.karabo_series import karabo_feed
from livepdf.sources.pva_frames import pva_feed
from livepdf.sources.pva_socket import PvaSource
from livepdf.sources.source import Feed, Source, Tap
from livepdf.sources.stins_series import stins_feed
from livepdf.sources.stream_socket import StreamSource

FEEDS: dict[str, Callable[[Any], Feed]] = {
    "asapo": AsapoFeed,
    "bluesky-documents": BlueskyFeed,
    "dectris-stream-v1": dectris_v1_feed,
    "dectris-stream-v2": dectris_v2_feed,
    "epics-pva": pva_feed,
    "hidra": HidraFeed,
    "jungfraujoch": jungfraujoch_feed,
    "karabo-bridge": karabo_feed,
    "stins": stins_feed,
}
"""What understands the raw messages of a kind, by the same ``kind``; sources of files have none."""


def stream_source(
    name: str,
    *,
    request: bytes = b"",
    published: bool = False,
    feed: Callable[[Any], Feed] | None = None,
) -> Callable[..., Source]:
    """Make a maker of sources of a ZeroMQ stream, called ``name`` before people.

    ``feed`` makes what understands it live, where that is not what understands a recording.
    """

    def make(
        settings: Any, *, clock: Callable[[], float] = time.time, tap: Tap | None = None
    ) -> StreamSource:
        pattern: Pattern = "sub" if published else getattr(settings, "pattern", "pull")
        return StreamSource(
            settings,
            name=name,
            feed=make_feed(settings) if feed is None else feed(settings),
            pattern=pattern,
            request=request if pattern == "req" else b"",
            clock=clock,
            tap=tap,
        )

    return make


SOURCES: dict[str, Callable[..., Source]] = {
    "asapo": AsapoSource,
    "bluesky-documents": stream_source(
        "bluesky documents", published=True, feed=lambda table: BlueskyFeed(table, live=True)
    ),
    "dectris-stream-v1": stream_source("DECTRIS legacy stream"),
    "dectris-stream-v2": stream_source("DECTRIS Stream V2"),
    "directory": DirectorySource,
    "epics-pva": PvaSource,
    "hidra": HidraSource,
    "jungfraujoch": stream_source("Jungfraujoch"),
    "karabo-bridge": stream_source("Karabo bridge", request=b"next"),
    "stins": stream_source("MAX IV STINS"),
}
"""By the ``kind`` of the settings; called with them and ``clock=``, streams also with ``tap=``."""


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
