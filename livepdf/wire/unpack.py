"""Messages as they come, put into what a viewer keeps."""

from collections.abc import Sequence
from typing import Any

from numpy.typing import NDArray

from livepdf.model.curve import Curve, Result
from livepdf.wire.curves import CurveHeader
from livepdf.wire.messages import History, ResultMessage, Window
from livepdf.wire.mirror import Mirror, regridded

Array = NDArray[Any]


def result_of(message: ResultMessage | Window, arrays: Sequence[Array]) -> Result:
    """Return a result with its curves; IndexError where a buffer is missing."""
    return Result(
        span=message.span,
        curves=tuple(_curve(header, arrays) for header in message.curves),
        trends=message.trends,
        environment=message.environment,
        flags=message.flags,
        quality=message.quality,
        flagged=message.flagged,
        left_out=message.left_out,
    )


def put_history(mirror: Mirror, history: History, arrays: Sequence[Array], *, first: int) -> None:
    """Keep the windows of a history, of which there is at least one.

    Parameters
    ----------
    first : int
        Number of the window that was asked for first: older ones are no longer to be had.

    Raises
    ------
    IndexError, ValueError
        Where the buffers do not fit.
    """
    windows = mirror.windows_for(
        history.run,
        q=arrays[history.q],
        r=arrays[history.r],
        revision=max(span.revision for span in history.spans),
    )
    if history.spans[0].number > first:
        windows.first = max(windows.first, history.spans[0].number)
    rows = zip(
        history.spans,
        arrays[history.iq],
        arrays[history.gr],
        history.trends,
        history.environment,
        strict=True,
    )
    flags = history.flags or ((),) * len(history.spans)
    for (span, iq, gr, trends, environment), raised in zip(rows, flags, strict=True):
        windows.put(
            span,
            iq=regridded(iq, arrays[history.q], windows.q),
            gr=regridded(gr, arrays[history.r], windows.r),
            trends=trends,
            environment=environment,
        )
        windows.flag(span.number, raised)
    mirror.version += 1


def reachable(address: str, endpoint: str) -> str:
    """Return an address as whoever came by ``endpoint`` reaches it.

    A daemon that listens on all networks of its machine says 0.0.0.0, which is nowhere from here.
    """
    host, _, port = address.removeprefix("tcp://").rpartition(":")
    if host not in ("0.0.0.0", "[::]", "*"):  # noqa: S104  it is compared, not bound
        return address
    return f"{endpoint.rpartition(':')[0]}:{port}"


def _curve(header: CurveHeader, arrays: Sequence[Array]) -> Curve:
    return Curve(
        kind=header.kind, x=arrays[header.x], y=arrays[header.y], sigma=arrays[header.sigma]
    )
