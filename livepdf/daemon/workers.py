"""Workers turn queued frames into sums; each ticket gets exactly one outcome."""

import queue
from dataclasses import dataclass, replace

from livepdf.config.recipe import Normalization
from livepdf.daemon.assemble import Pipeline
from livepdf.daemon.queue import FrameQueue, RunOpens, Stop, Ticket, without_image
from livepdf.errors import FrameError
from livepdf.model.frame import Frame
from livepdf.model.sums import Sums


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Outcome:
    """What became of a ticket; the image itself is gone."""

    ticket: Ticket
    sums: Sums | None = None
    refusal: FrameError | None = None


class Newest:
    """The newest frame that could be used, whole, for the preview."""

    def __init__(self) -> None:
        self.frame: tuple[Frame, Ticket, Pipeline] | None = None


def work(frames: FrameQueue, outcomes: "queue.Queue[Outcome]", newest: Newest) -> None:
    """Take tickets until the stop."""
    while True:
        ticket = frames.take()
        if isinstance(ticket.item, Frame):
            outcomes.put(_frame_outcome(frames, ticket, newest))
            continue
        if isinstance(ticket.item, RunOpens) and ticket.run is not None:
            ticket.run.get_ready()
        outcomes.put(Outcome(ticket=ticket))
        if isinstance(ticket.item, Stop):
            return


def integrate(pipeline: Pipeline, frame: Frame, rule: Normalization) -> Sums:
    """Return the sums of one frame.

    Raises
    ------
    FrameError
        When it cannot be used.
    """
    return pipeline.integrator.integrate_packed(
        frame.image,
        monitor=frame.monitor,
        exposure=frame.exposure,
        normalize_monitor=rule.monitor,
        normalize_exposure=rule.exposure,
    )


def _frame_outcome(frames: FrameQueue, ticket: Ticket, newest: Newest) -> Outcome:
    assert isinstance(ticket.item, Frame)
    light = replace(ticket, item=without_image(ticket.item), slot=None)
    try:
        frame = frames.frame(ticket)
        if ticket.run is None:
            raise FrameError("stale series", frame.origin)
        pipeline = ticket.run.pipeline(frame.image.shape)
        newest.frame = (frame, light, pipeline)
        if ticket.paused:
            raise FrameError("paused")
        sums = integrate(pipeline, frame, pipeline.recipe.normalization)
    except FrameError as error:
        return Outcome(ticket=light, refusal=error)
    return Outcome(ticket=light, sums=sums)
