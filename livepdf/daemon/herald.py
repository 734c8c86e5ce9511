"""Twice a second: how the daemon is doing; once a second: what the detector sees."""

import logging
import threading
from collections import deque
from collections.abc import Callable
from functools import partial

from livepdf.daemon.calibrating import in_photons
from livepdf.daemon.preview import PREVIEW_SIDE, any_of, binning_factor, shrink
from livepdf.daemon.publish import Publisher
from livepdf.daemon.workers import Newest
from livepdf.errors import FrameError
from livepdf.model.status import Status
from livepdf.numerics.integrate import usable_range

log = logging.getLogger(__name__)

HEARTBEAT = 0.5
"""s between two status messages."""
_AGAIN = 10
"""Heartbeats after which the preview is sent once more: viewers come when no frame does."""
_RATE_OVER = 3.0


class Rate:
    """Frames per second over the last seconds, from a counter that only grows."""

    def __init__(self) -> None:
        self._seen: deque[tuple[float, int]] = deque()

    def of(self, received: int, now: float) -> float:
        """Return frames per second; ``now`` in s of any steady clock."""
        self._seen.append((now, received))
        while len(self._seen) > 2 and now - self._seen[0][0] > _RATE_OVER:
            self._seen.popleft()
        (then, before), elapsed = self._seen[0], now - self._seen[0][0]
        return (received - before) / elapsed if elapsed > 0 and then < now else 0.0


class Herald:
    """Publishes status and preview from a thread of its own."""

    def __init__(
        self,
        *,
        publisher: Publisher,
        newest: Newest,
        status: Callable[[], Status],
        unpacks: Callable[[], bool] = lambda: True,
    ) -> None:
        """Make it; no preview is made before ``unpacks`` says that it need not wait."""
        self._publisher = publisher
        self._newest = newest
        self._status = status
        self._unpacks = unpacks
        self._shown: object = None
        self._last: Callable[[], None] | None = None

    def run(self, stop: threading.Event) -> None:
        """Publish until the stop."""
        beats = 0
        while not stop.wait(HEARTBEAT):
            self._publisher.status(self._status())
            beats += 1
            if beats % 2 == 0:
                self._preview()
            if beats % _AGAIN == 0 and self._last is not None:
                self._last()

    def _preview(self) -> None:
        newest = self._newest.frame
        if newest is None or newest is self._shown or not self._unpacks():
            return
        self._shown = newest
        frame, ticket, pipeline = newest
        integrator = pipeline.integrator
        try:
            packed = frame.image
            if pipeline.tiles is not None:
                packed = in_photons(packed, pipeline.tiles)
            image = integrator.unpack_image(packed)
        except FrameError as error:
            log.debug("no preview: %s", error)
            return
        low, high = usable_range(
            image.dtype, sentinels=integrator.sentinels, saturation=integrator.saturation
        )
        unused = pipeline.ignored | ~((image >= low) & (image <= high))
        factor = binning_factor(frame.image.shape, side=PREVIEW_SIDE)
        spoilt = None
        if integrator.saturation is not None:
            _, top = usable_range(image.dtype, sentinels=integrator.sentinels, saturation=None)
            full = (image > high) & (image <= top) & ~pipeline.ignored
            spoilt = any_of(full, factor=factor)
        run = ticket.run.name if ticket.run is not None else ""
        self._last = partial(
            self._publisher.preview,
            shrink(image, ignored=unused, factor=factor),
            saturated=spoilt,
            run=run,
            frame=frame.index,
            binning=factor,
        )
        self._last()


def status_problems(
    *, source_state: str, spooled: int, lost: int, standing: tuple[str, ...]
) -> tuple[str, ...]:
    """Return what people must know now, loudest first."""
    problems = list(standing)
    if source_state.startswith(("lost", "stalled")):
        problems.insert(0, f"source {source_state}")
    if spooled:
        problems.append(f"slower than the detector: {max(spooled >> 20, 1)} MiB wait on disk")
    if lost:
        problems.append(f"{lost} frames never arrived")
    return tuple(problems)
