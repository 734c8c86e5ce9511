"""Results beside the windows that follow one another: the newest frame, windows taken together."""

import threading
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import msgspec
import numpy as np
from numpy.typing import NDArray

from livepdf.daemon.assemble import Pipeline
from livepdf.daemon.capture import add_up
from livepdf.daemon.publish import curve_buffers
from livepdf.daemon.results import Summed, evaluate
from livepdf.daemon.windows import Growing, Stretch
from livepdf.model.curve import Result, Span
from livepdf.model.frame import Frame
from livepdf.model.sums import Sums
from livepdf.wire.messages import Window

Answer = tuple[msgspec.Struct, list[NDArray[Any]]]

_ALONE = "measured in windows only"


class NewestFrame:
    """Holds the sums of the newest frame that was used; any thread may ask."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._newest: tuple[str, Frame, Sums] | None = None

    def take(self, run: str, frame: Frame, sums: Sums) -> None:
        """See a frame."""
        with self._lock:
            self._newest = (run, frame, sums)

    def result(self, pipeline: Pipeline) -> Result | None:
        """Return its curves; None before the first frame."""
        with self._lock:
            newest = self._newest
        if newest is None:
            return None
        run, frame, sums = newest
        alone = Growing()
        alone.add(frame, sums)
        stretch = alone.stretch(scope="frame", run=run, number=frame.index, revision=0)
        assert stretch is not None
        return evaluate(pipeline, stretch, skip=_ALONE).result


def together(
    pipeline: Pipeline, windows: Callable[[Sequence[int]], Mapping[int, Summed]], span: range
) -> Result | None:
    """Return the curves of some windows as one; None where none of them is kept."""
    found = list(windows(list(span)).values())
    if not found:
        return None
    first, last = found[0].span, found[-1].span
    # Those of an older binning cannot be added.
    fitting = [one for one in found if one.sums.signal.shape == found[-1].sums.signal.shape]
    sums = add_up(one.sums for one in fitting)
    whole = Span(
        scope="window",
        run=last.run,
        number=last.number,
        first=first.first,
        last=last.last,
        frames=sums.frames,
        start=first.start,
        end=last.end,
        revision=last.revision,
    )
    stretch = Stretch(span=whole, sums=sums, environment=_means(fitting), received=last.end)
    return evaluate(pipeline, stretch, skip=_ALONE).result


def window_reply(result: Result) -> Answer:
    """Return the message of one result and its buffers."""
    headers, arrays = curve_buffers(result.curves)
    reply = Window(
        span=result.span,
        curves=headers,
        trends=result.trends,
        environment=result.environment,
        flags=result.flags,
        quality=result.quality,
        flagged=result.flagged,
        left_out=result.left_out,
    )
    return reply, list[NDArray[Any]](arrays)


def _means(windows: Sequence[Summed]) -> tuple[tuple[str, float], ...]:
    values: dict[str, list[float]] = {}
    for window in windows:
        for name, value in window.environment:
            values.setdefault(name, []).append(value)
    return tuple((name, float(np.mean(each))) for name, each in values.items())
