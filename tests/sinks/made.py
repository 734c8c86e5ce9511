"""Results as a daemon publishes them, without one."""

import numpy as np

from livepdf.model.curve import Curve, Result, Scope, Span, Trend

R = np.linspace(0.0, 10.0, 101)


def result(
    number: int,
    *trends: tuple[str, float, float],
    run: str = "run_0001",
    scope: Scope = "window",
    flags: tuple[str, ...] = (),
    environment: tuple[tuple[str, float], ...] = (),
) -> Result:
    """Return a window; a trend is name, value and σ, in Å."""
    span = Span(
        scope=scope,
        run=run,
        number=number,
        first=4 * number,
        last=4 * number + 3,
        frames=4,
        start=1.7e9 + number,
        end=1.7e9 + number + 1.0,
        revision=1,
    )
    gr = Curve(kind="gr", x=R, y=np.sin(R + number), sigma=np.full(R.shape, 0.1))
    made = (Trend(name=name, unit="Å", value=value, sigma=sigma) for name, value, sigma in trends)
    return Result(span=span, curves=(gr,), trends=tuple(made), flags=flags, environment=environment)
