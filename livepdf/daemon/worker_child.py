"""A worker in a process of its own: ``python -m livepdf.daemon.worker_child HANDLE``.

It ends when the daemon does, however that ends: its connection is then closed.
"""

import signal
import sys
from dataclasses import dataclass
from multiprocessing.connection import Connection
from multiprocessing.reduction import recv_handle

from livepdf.daemon.integrating import integrate_images
from livepdf.daemon.loops import Loops, compile_loops
from livepdf.daemon.ring import Layout, Place, Ring
from livepdf.errors import FrameError
from livepdf.model.sums import Sums
from livepdf.reduction.integrator import Integrator


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Setup:
    """What to integrate with; the handle of the memory follows. Answered with True.

    So are :class:`Loops`: they are to be compiled, or found on disk.
    """

    integrator: Integrator
    layout: Layout
    loops: tuple[Loops, ...]
    """That are to be compiled before the first image."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Job:
    """A batch; answered with a list of :class:`Done` and of (reason, detail)."""

    places: tuple[Place, ...]
    by_monitor: bool
    by_exposure: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Done:
    """What the sums of a frame hold beside the arrays, which are in the memory."""

    monitor: float
    exposure: float


Answer = list[Done | tuple[str, str]]


def main(handle: int) -> None:
    """Answer until the daemon closes the connection."""
    # The daemon tells when to stop: it has to work its queue off first.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    connection: Connection = Connection(handle)
    ring: Ring | None = None
    integrator: Integrator | None = None
    compiled: set[Loops] = set()
    try:
        while True:
            message = connection.recv()
            if isinstance(message, Setup):
                ring = Ring(recv_handle(connection), message.layout)
                integrator = message.integrator
                for loops in [step for step in message.loops if step not in compiled]:
                    compile_loops(integrator, loops)
                    compiled.add(loops)
                connection.send(True)
            elif isinstance(message, Loops) and integrator is not None:
                compile_loops(integrator, message)
                compiled.add(message)
                connection.send(True)
            elif isinstance(message, Job) and ring is not None and integrator is not None:
                connection.send(_answer(message, ring, integrator))
    except (EOFError, ConnectionError):
        return


def _answer(job: Job, ring: Ring, integrator: Integrator) -> Answer:
    results = integrate_images(
        integrator,
        [ring.image(place) for place in job.places],
        monitors=[place.monitor for place in job.places],
        exposures=[place.exposure for place in job.places],
        by_monitor=job.by_monitor,
        by_exposure=job.by_exposure,
    )
    return [_left(ring, number, result) for number, result in enumerate(results)]


def _left(ring: Ring, number: int, result: Sums | FrameError) -> Done | tuple[str, str]:
    if isinstance(result, FrameError):
        return result.reason, result.detail
    ring.give(number, result)
    return Done(monitor=result.monitor, exposure=result.exposure)


if __name__ == "__main__":
    # Messages are of classes of the module by its name, not of this script.
    from livepdf.daemon import worker_child

    worker_child.main(int(sys.argv[1]))
