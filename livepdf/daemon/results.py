"""Sums become curves and trends; what cannot be made is NaN, with the reason."""

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import lru_cache
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from livepdf.analysis.declared import Timed, untimed
from livepdf.analysis.estimator.estimate import Left
from livepdf.analysis.structure_fit import AMPLITUDE
from livepdf.daemon.assemble import Pipeline
from livepdf.daemon.pins import Pin
from livepdf.model.curve import Curve, CurveKind, Result, Span, Trend
from livepdf.model.marks import Marks
from livepdf.model.sums import Sums, intensity
from livepdf.reduction.advice import quality
from livepdf.reduction.curves import reduce_sums, sigma_at_scale, structure_factor
from livepdf.reduction.ramps import matched
from livepdf.reduction.stack import reduce_many

BUSY = "skipped: analysis was busy"
LATER = "follows: stored windows get their curves first"


class Summed(Protocol):
    """The sums of some frames: as they were just added up, or from the store."""

    @property
    def span(self) -> Span: ...  # noqa: D102
    @property
    def sums(self) -> Sums: ...  # noqa: D102
    @property
    def environment(self) -> tuple[tuple[str, float], ...]: ...  # noqa: D102
    @property
    def marks(self) -> Marks: ...  # noqa: D102


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Evaluated:
    """A result, and why its curves are empty where they are."""

    result: Result
    trouble: str = ""
    amplitude: float = math.nan
    """Of the crystal's template over its σ: no window has to do without."""
    photons: float = 0.0
    """Counts in the range of F(Q)."""
    left: Left | None = None
    """What the fit of the structure leaves; None where nothing was fitted."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Followed:
    """What the analysis made of a window."""

    trends: tuple[Trend, ...]
    models: tuple[Curve, ...] = ()
    """What was fitted, in the window of the data."""
    amplitude: float = math.nan
    left: Left | None = None
    """Both as of `Evaluated`."""


def evaluate(
    pipeline: Pipeline,
    stretch: Summed,
    *,
    skip: str = "",
    pin: Pin | None = None,
    timed: Timed = untimed,
) -> Evaluated:
    """Return the result of some frames; ``skip`` says why its trends are not evaluated.

    The revision of the span becomes that of the plan; ``timed`` measures each analysis.
    """
    try:
        plan = matched(pipeline.plan, dict(stretch.environment))
        curves = reduce_sums(plan, stretch.sums)
    except ValueError as error:
        why = f"no curves: {error}"
        return _evaluated(
            pipeline, stretch, _no_curves(pipeline, stretch), _withheld(pipeline, why), why
        )
    found = _skipped(pipeline, curves, skip) if skip else measured(pipeline, curves, timed)
    curves = curves if pin is None else pin.compared(stretch.span, curves)
    evaluated = _evaluated(pipeline, stretch, (*curves, *found.models), found.trends)
    return replace(
        evaluated,
        amplitude=found.amplitude,
        photons=_photons(stretch.sums, plan.window),
        left=found.left,
    )


def evaluate_curves(
    pipeline: Pipeline, stretches: Sequence[Summed], *, pin: Pin | None = None
) -> list[Result]:
    """Return the results of many windows in single precision, their trends still to come."""
    if any(background.match is not None for background in pipeline.plan.backgrounds):
        return [evaluate(pipeline, s, skip=LATER, pin=pin).result for s in stretches]
    divided = [intensity(stretch.sums) for stretch in stretches]
    plan = pipeline.plan
    stack = reduce_many(
        plan, np.array([value for value, _ in divided]), np.array([sigma for _, sigma in divided])
    )
    window = plan.q[plan.window]
    ratio, ratio_sigma = structure_factor(q=window, fq=stack.fq, sigma=stack.fq_sigma)
    iq, iq_sigma, sq, sq_sigma, fq, fq_sigma, gr, gr_sigma = (
        array.astype(np.float32)
        for array in (
            *(stack.iq, stack.iq_sigma, ratio, ratio_sigma),
            *(stack.fq, stack.fq_sigma, stack.gr, stack.gr_sigma),
        )
    )
    pending, results = _withheld(pipeline, LATER), []
    for row, stretch in enumerate(stretches):
        if stack.reasons[row]:
            results.append(evaluate(pipeline, stretch).result)
            continue
        curves: tuple[Curve, ...] = (
            Curve(kind="iq", x=plan.q, y=_wide(iq[row]), sigma=_wide(iq_sigma[row])),
            Curve(kind="sq", x=window, y=_wide(sq[row]), sigma=_wide(sq_sigma[row])),
            Curve(kind="fq", x=window, y=_wide(fq[row]), sigma=_wide(fq_sigma[row])),
            Curve(kind="gr", x=plan.r, y=_wide(gr[row]), sigma=_wide(gr_sigma[row])),
        )
        curves = curves if pin is None else pin.compared(stretch.span, curves)
        results.append(_evaluated(pipeline, stretch, curves, pending).result)
    return results


def measured(pipeline: Pipeline, curves: Sequence[Curve], timed: Timed = untimed) -> Followed:
    """Return what the recipe follows in one set of curves, then how good they are."""
    fq, gr = _of_kind(curves, "fq"), _of_kind(curves, "gr")
    sigma = sigma_at_scale(pipeline.plan, fq)
    found = pipeline.analysis.evaluate(fq=fq.y, sigma=sigma, timed=timed)
    models = () if found.model_fq is None else (_model(pipeline, fq, gr, found.model_fq),)
    told = (*found.trends, *quality(fq=fq, gr=gr, bond=pipeline.bond))
    with timed(AMPLITUDE.name):
        amplitude = pipeline.analysis.amplitude(fq=fq.y, sigma=sigma)
    return Followed(trends=told, models=models, amplitude=amplitude, left=found.left)


def _skipped(pipeline: Pipeline, curves: Sequence[Curve], reason: str) -> Followed:
    """Return what no window has to do without, and the reason for the rest."""
    fq = _of_kind(curves, "fq")
    sigma = sigma_at_scale(pipeline.plan, fq)
    amplitude = pipeline.analysis.amplitude(fq=fq.y, sigma=sigma)
    return Followed(trends=_withheld(pipeline, reason), amplitude=amplitude)


def with_models(curves: Sequence[Curve], models: Sequence[Curve]) -> tuple[Curve, ...]:
    """Return curves with other models than they had."""
    return (*(curve for curve in curves if curve.kind != "gr_model"), *models)


def _model(pipeline: Pipeline, fq: Curve, gr: Curve, model_fq: NDArray[np.float64]) -> Curve:
    plan = pipeline.plan
    # Where nothing is compared the data stand in: the difference then shows what was.
    filled = np.where(pipeline.analysis.compared, model_fq, fq.y)
    y = plan.transform.apply(filled * plan.taper)
    return Curve(kind="gr_model", x=gr.x, y=y, sigma=np.full(y.shape, np.nan))


def _of_kind(curves: Sequence[Curve], kind: CurveKind) -> Curve:
    return next(curve for curve in curves if curve.kind == kind)


def _photons(sums: Sums, window: slice) -> float:
    signal, variance = sums.signal[window], sums.variance[window]
    counted = np.isfinite(signal) & (variance > 0.0)
    # Of Poisson counts in any unit: signal²/variance.
    return float(np.sum(signal[counted] ** 2 / variance[counted]))


@lru_cache(maxsize=4)
def trend_names(pipeline: Pipeline) -> tuple[tuple[str, str], ...]:
    """Return name and unit of every trend, the same for all windows."""
    plan = pipeline.plan
    trends = measured(pipeline, _empty_curves(pipeline, np.full(plan.q.shape, np.nan))).trends
    return tuple((trend.name, trend.unit) for trend in trends)


def _evaluated(
    pipeline: Pipeline,
    stretch: Summed,
    curves: tuple[Curve, ...],
    trends: tuple[Trend, ...],
    trouble: str = "",
) -> Evaluated:
    result = Result(
        span=replace(stretch.span, revision=pipeline.plan.revision),
        curves=curves,
        trends=trends,
        environment=stretch.environment,
        flags=stretch.marks.flags,
        quality=stretch.marks.numbers,
        flagged=stretch.marks.flagged,
        left_out=stretch.marks.left_out,
    )
    return Evaluated(result=result, trouble=trouble)


def _withheld(pipeline: Pipeline, reason: str) -> tuple[Trend, ...]:
    return tuple(
        Trend(name=name, unit=unit, value=math.nan, sigma=math.nan, reason=reason)
        for name, unit in trend_names(pipeline)
    )


def _no_curves(pipeline: Pipeline, stretch: Summed) -> tuple[Curve, ...]:
    divided, sigma = intensity(stretch.sums)
    _, *others = _empty_curves(pipeline, divided)
    return (Curve(kind="iq", x=pipeline.plan.q, y=divided, sigma=sigma), *others)


def _empty_curves(pipeline: Pipeline, iq: NDArray[np.float64]) -> tuple[Curve, ...]:
    plan = pipeline.plan
    window = plan.q[plan.window]
    empty, nothing = np.full(window.shape, np.nan), np.full(plan.r.shape, np.nan)
    return (
        Curve(kind="iq", x=plan.q, y=iq, sigma=iq),
        Curve(kind="sq", x=window, y=empty, sigma=empty),
        Curve(kind="fq", x=window, y=empty, sigma=empty),
        Curve(kind="gr", x=plan.r, y=nothing, sigma=nothing),
    )


def _wide(row: NDArray[np.float32]) -> NDArray[np.float64]:
    # Arithmetic of numpy takes either; only the precision differs.
    return row  # type: ignore[return-value]
