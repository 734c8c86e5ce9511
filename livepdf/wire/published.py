"""What a daemon publishes goes to its place in the mirror."""

from collections.abc import Sequence
from typing import Any

from numpy.typing import NDArray

from livepdf.wire import breakdown, laser, serial
from livepdf.wire.messages import (
    BreakdownMessage,
    LaserMessage,
    PreviewMessage,
    ResultMessage,
    SerialMessage,
)
from livepdf.wire.mirror import Mirror
from livepdf.wire.unpack import result_of


def put_published(
    mirror: Mirror,
    message: PreviewMessage | LaserMessage | SerialMessage | BreakdownMessage | ResultMessage,
    arrays: Sequence[NDArray[Any]],
) -> None:
    """Put a message with its arrays into the mirror.

    Raises
    ------
    IndexError, KeyError, ValueError
        When header and arrays do not fit together.
    """
    match message:
        case PreviewMessage():
            mirror.preview, mirror.preview_image = message, arrays[message.image]
            spoilt = message.saturated
            mirror.preview_saturated = arrays[spoilt] if spoilt >= 0 else None
        case LaserMessage():
            mirror.laser = laser.put_together(message.header, arrays)
        case SerialMessage():
            mirror.serial = serial.put_together(message.header, arrays)
        case BreakdownMessage():
            mirror.breakdown = breakdown.put_together(message.header, arrays)
        case ResultMessage():
            mirror.add(result_of(message, arrays))
