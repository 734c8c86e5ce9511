"""Sums become curves and trends; what cannot be made is NaN, with the reason."""

import math
from dataclasses import dataclass

import numpy as np

from livepdf.daemon.assemble import Pipeline
from livepdf.daemon.windows import Stretch
from livepdf.model.curve import Curve, Result, Trend
from livepdf.model.sums import intensity
from livepdf.reduction.curves import reduce_sums
from livepdf.reduction.ramps import matched

BUSY = "skipped: analysis was busy"


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Evaluated:
    """A result, and why its curves are empty where they are."""

    result: Result
    trouble: str = ""


def evaluate(pipeline: Pipeline, stretch: Stretch, *, skip: str = "") -> Evaluated:
    """Return the result of some frames; ``skip`` says why its trends are not evaluated."""
    try:
        plan = matched(pipeline.plan, dict(stretch.environment))
        curves = reduce_sums(plan, stretch.sums)
    except ValueError as error:
        why = f"no curves: {error}"
        return _evaluated(stretch, _no_curves(pipeline, stretch), _withheld(pipeline, why), why)
    if skip:
        return _evaluated(stretch, curves, _withheld(pipeline, skip), "")
    fq = next(curve for curve in curves if curve.kind == "fq")
    return _evaluated(stretch, curves, pipeline.analysis.evaluate(fq=fq.y, sigma=fq.sigma), "")


def trend_names(pipeline: Pipeline) -> tuple[tuple[str, str], ...]:
    """Return name and unit of every trend, the same for all windows."""
    nothing = np.full(pipeline.analysis.q.shape, np.nan)
    trends = pipeline.analysis.evaluate(fq=nothing, sigma=nothing)
    return tuple((trend.name, trend.unit) for trend in trends)


def _evaluated(
    stretch: Stretch, curves: tuple[Curve, ...], trends: tuple[Trend, ...], trouble: str
) -> Evaluated:
    result = Result(
        span=stretch.span, curves=curves, trends=trends, environment=stretch.environment
    )
    return Evaluated(result=result, trouble=trouble)


def _withheld(pipeline: Pipeline, reason: str) -> tuple[Trend, ...]:
    return tuple(
        Trend(name=name, unit=unit, value=math.nan, sigma=math.nan, reason=reason)
        for name, unit in trend_names(pipeline)
    )


def _no_curves(pipeline: Pipeline, stretch: Stretch) -> tuple[Curve, ...]:
    plan = pipeline.plan
    divided, sigma = intensity(stretch.sums)
    window = plan.q[plan.window]
    empty, nothing = np.full(window.shape, np.nan), np.full(plan.r.shape, np.nan)
    return (
        Curve(kind="iq", x=plan.q, y=divided, sigma=sigma),
        Curve(kind="sq", x=window, y=empty, sigma=empty),
        Curve(kind="fq", x=window, y=empty, sigma=empty),
        Curve(kind="gr", x=plan.r, y=nothing, sigma=nothing),
    )
