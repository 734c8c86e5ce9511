"""PSI Jungfraujoch: Stream V2 messages with more in them, whole or as a preview."""

from dataclasses import replace

from livepdf.config.sources import Jungfraujoch
from livepdf.sources.dectris_v2_frames import DectrisV2Frames, patience_of

BESIDE = frozenset({"calibration", "metadata"})
"""Messages of its own that hold no images."""


def jungfraujoch_feed(settings: Jungfraujoch) -> DectrisV2Frames:
    """Make what understands its messages; a preview leaves images out, so none is waited for."""
    preview = settings.pattern == "sub"
    patience = patience_of(settings)
    return DectrisV2Frames(
        channel=settings.channel,
        patience=replace(patience, gap=0.0) if preview else patience,
        beside=BESIDE,
        sampled=preview,
    )
