"""How curves travel: a header names the buffers."""

import msgspec

from livepdf.model.curve import CurveKind


class CurveHeader(msgspec.Struct, frozen=True):
    """Names three buffers of the message: x, y and σ."""

    kind: CurveKind
    x: int
    """Number of the buffer."""
    y: int
    sigma: int
