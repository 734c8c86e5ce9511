"""Compile and load everything that the first frames would otherwise wait for."""

import ctypes
import sys

import numpy as np

from livepdf.daemon.assemble import Pipeline
from livepdf.daemon.results import evaluate
from livepdf.daemon.windows import Stretch
from livepdf.model.curve import Span
from livepdf.model.sums import Sums

DTYPES = ("u1", "u2", "u4", "i4", "f4")
"""Of the images that detectors send; the loops see no other difference between them."""
_TRIM, _PAD, _MAP = -1, -2, -3
_KEPT = 32 << 20
"""Bytes: glibc takes no more."""
_SWITCH = 0.001
"""s that a thread may keep the interpreter from the others; Python's own are 5 ms."""


def warm_up(pipeline: Pipeline | None) -> None:
    """Compile the loops for one frame and for 16, and make a window's curves once."""
    if pipeline is None:
        return
    for dtype in DTYPES:
        pipeline.integrator.warm_up(np.dtype(dtype), batch=True)
    ones = np.ones(pipeline.plan.q.shape)
    sums = Sums(
        signal=ones,
        variance=ones,
        weight=ones,
        pixels=ones,
        frames=1,
        monitor=1.0,
        exposure=1.0,
    )
    span = Span(
        scope="window", run="", number=0, first=0, last=0, frames=1, start=0.0, end=0.0, revision=0
    )
    evaluate(pipeline, Stretch(span=span, sums=sums, environment=(), received=0.0))


def tune_process() -> None:
    """Keep memory that frames leave for the next ones, and let threads take short turns.

    Given back to the kernel and fetched again, the memory of a message costs more time than
    receiving it. Where the C library is another one, this part is left out.
    """
    sys.setswitchinterval(_SWITCH)
    set_option = getattr(ctypes.CDLL(None), "mallopt", None)
    if set_option is not None:
        for option, value in ((_MAP, _KEPT), (_TRIM, 16 * _KEPT), (_PAD, _KEPT)):
            set_option(option, value)
