"""Workers turn queued frames into sums; each ticket gets exactly one outcome."""

import queue
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

from livepdf.daemon.assemble import Pipeline
from livepdf.daemon.integrating import integrate_images
from livepdf.daemon.queue import FrameQueue
from livepdf.daemon.tickets import RunOpens, Stop, Ticket, without_image
from livepdf.daemon.timings import Timings
from livepdf.errors import FrameError
from livepdf.model.frame import Frame
from livepdf.model.sums import Sums
from livepdf.numerics.adders import LANES
from livepdf.numerics.side_by_side import FEWEST

Integrate = Callable[[Pipeline, Sequence[Frame]], list[Sums | FrameError]]
"""Turns frames into sums, in their order; in place of an unusable one, why."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Outcome:
    """What became of a ticket; the image itself is gone."""

    ticket: Ticket
    sums: Sums | None = None
    refusal: FrameError | None = None


Outcomes = queue.Queue[Sequence[Outcome]]


class Newest:
    """The newest frame that could be used, whole, for the preview."""

    def __init__(self) -> None:
        self.frame: tuple[Frame, Ticket, Pipeline] | None = None


def work(
    frames: FrameQueue,
    outcomes: Outcomes,
    newest: Newest,
    *,
    integrate: Integrate,
) -> None:
    """Take tickets until the stop.

    One frame at a time while few wait, so that none is held up; else as many as wait, up to 16 side
    by side.
    """
    while True:
        tickets = frames.take_share(fewest=FEWEST, most=LANES)
        first = tickets[0]
        if isinstance(first.item, Frame):
            outcomes.put(_frame_outcomes(frames, tickets, newest, integrate))
            continue
        if isinstance(first.item, RunOpens) and first.run is not None:
            first.run.get_ready()
        outcomes.put([Outcome(ticket=first)])
        if isinstance(first.item, Stop):
            return


def integrate_here(pipeline: Pipeline, frames: Sequence[Frame]) -> list[Sums | FrameError]:
    """Return the sums of frames, added up by this thread."""
    rule = pipeline.recipe.normalization
    return integrate_images(
        pipeline.integrator,
        [frame.image for frame in frames],
        monitors=[frame.monitor for frame in frames],
        exposures=[frame.exposure for frame in frames],
        by_monitor=rule.monitor,
        by_exposure=rule.exposure,
    )


def timed(timings: Timings, integrate: Integrate) -> Integrate:
    """Return the same integration, measured."""

    def integrate_timed(pipeline: Pipeline, frames: Sequence[Frame]) -> list[Sums | FrameError]:
        with timings.measure("integrate", len(frames)):
            return integrate(pipeline, frames)

    return integrate_timed


def _frame_outcomes(
    frames: FrameQueue, tickets: Sequence[Ticket], newest: Newest, integrate: Integrate
) -> list[Outcome]:
    found: dict[int, Sums | FrameError] = {}
    usable: dict[Pipeline, list[tuple[int, Frame]]] = {}
    lights = [_light(ticket) for ticket in tickets]
    for ticket, light in zip(tickets, lights, strict=True):
        try:
            frame = frames.frame(ticket)
            if ticket.run is None:
                raise FrameError("stale series", frame.origin)
            pipeline = ticket.run.pipeline(frame.image.shape)
            newest.frame = (frame, light, pipeline)
            if ticket.paused:
                raise FrameError("paused")
        except FrameError as error:
            found[ticket.number] = error
            continue
        usable.setdefault(pipeline, []).append((ticket.number, frame))
    for pipeline, group in usable.items():
        results = integrate(pipeline, [frame for _, frame in group])
        found.update(zip((number for number, _ in group), results, strict=True))
    return [_outcome(light, found[light.number]) for light in lights]


def _light(ticket: Ticket) -> Ticket:
    assert isinstance(ticket.item, Frame)
    return replace(ticket, item=without_image(ticket.item), slot=None)


def _outcome(ticket: Ticket, found: Sums | FrameError) -> Outcome:
    if isinstance(found, FrameError):
        return Outcome(ticket=ticket, refusal=found)
    return Outcome(ticket=ticket, sums=found)
