"""What `livepdf pdf` does between its options and its files."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from livepdf.cli.pdf_patterns import read_on_grid, read_sample
from livepdf.cli.pdf_settings import Job
from livepdf.errors import Complaint, ConfigError, FileError
from livepdf.files.columns import read_columns
from livepdf.model.curve import Curve, Trend
from livepdf.numerics.adhoc import GIVEN
from livepdf.numerics.noise_window import advised_qmax
from livepdf.numerics.variance import correlation_length
from livepdf.reduction.advice import quality, rpoly_advice, wiener_plan
from livepdf.reduction.background import Background
from livepdf.reduction.curves import (
    FittedScale,
    background_scales,
    bridged_bins,
    intensity_scale,
    reduce_intensity,
)
from livepdf.reduction.difference import difference, pattern_difference, reference_plan
from livepdf.reduction.plan import Plan, with_correlation, with_qmax
from livepdf.reduction.quantities import intensity_of
from livepdf.reduction.ramps import matched

Floats = NDArray[np.float64]
Pattern = tuple[Floats, Floats]
"""Intensity and σ on the plan's grid."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Done:
    """What came of a job."""

    plan: Plan
    pattern: Pattern
    """What went into the plan."""
    curves: tuple[Curve, ...]
    """iq, sq, fq and gr; differences where something is taken off."""
    scale: float
    scale_sigma: float
    fitted: tuple[FittedScale, ...]
    """Scales of the backgrounds that were fitted."""
    bridged: int
    quality: tuple[Trend, ...]
    difference: bool
    """Whether another pattern was taken off."""
    correlation_length: float
    """Å, NaN where no errors are known."""
    warnings: tuple[str, ...]


def run_job(job: Job) -> Done:
    """Read the files and reduce. FileError or ConfigError says what does not go."""
    options = job.options
    q, values, sigma, correlation = read_sample(options.sample, options.banks, job.axis)
    plan = with_correlation(_plan(job, q, values), correlation)
    try:
        pattern = intensity_of(plan, values=values, sigma=sigma, quantity=job.quantity)
        if options.scale_from is not None:
            plan = _frozen(job, plan, read_on_grid(options.scale_from, plan.q, job.axis))
        plan = _windowed(job, plan, pattern)
        return _done(job, plan, pattern)
    except ValueError as error:
        raise FileError(f"{options.sample}: {error}") from None


def _plan(job: Job, q: Floats, values: Floats) -> Plan:
    try:
        backgrounds: list[Background] = job.backgrounds(q)
        return matched(job.plan(q, values, backgrounds), job.environment)
    except ValueError as error:
        wanted = f"settings that fit {job.options.sample.name}"
        file = str(job.options.config)
        raise ConfigError([Complaint(file, "reduction", str(error), wanted)]) from None


def _frozen(job: Job, plan: Plan, reference: Pattern) -> Plan:
    if job.quantity != "iq" or plan.parameters.scale in GIVEN:
        found = f"scale {plan.parameters.scale}, {job.quantity}"
        wanted = "an intensity whose scale is found in the pattern"
        raise ConfigError([Complaint(str(job.options.config), "--scale-from", found, wanted)])
    return reference_plan(
        plan,
        intensity=reference[0],
        sigma=reference[1],
        kind=plan.parameters.scale,
        revision=plan.revision,
    )


def _windowed(job: Job, plan: Plan, pattern: Pattern) -> Plan:
    """Return the plan with the qmax and the taper that the pattern's own noise asks for."""
    if job.options.qmax == "auto":
        plan = with_qmax(plan, plan.parameters.qmaxinst, revision=plan.revision)
        fq = _curve(reduce_intensity(plan, intensity=pattern[0], sigma=pattern[1]), "fq")
        qmax = advised_qmax(q=fq.x, fq=fq.y, sigma=fq.sigma)
        plan = with_qmax(plan, float(np.round(qmax, 2)), revision=plan.revision)
    if job.wiener:
        fq = _curve(reduce_intensity(plan, intensity=pattern[0], sigma=pattern[1]), "fq")
        plan = wiener_plan(plan, fq, revision=plan.revision)
    return plan


def _done(job: Job, plan: Plan, pattern: Pattern) -> Done:
    curves = reduce_intensity(plan, intensity=pattern[0], sigma=pattern[1])
    known = {"intensity": pattern[0], "sigma": pattern[1]}
    fitted = background_scales(plan, **known)
    fq, gr = _curve(curves, "fq"), _curve(curves, "gr")
    advice = quality(fq=fq, gr=gr, bond=job.bond)
    if job.minus is not None:
        plan, curves = _less(job, plan, pattern, curves)
    scale, scale_sigma = intensity_scale(plan, **known)
    variance = (_curve(curves, "fq").sigma * plan.taper) ** 2
    return Done(
        plan=plan,
        pattern=pattern,
        curves=curves,
        scale=scale,
        scale_sigma=scale_sigma,
        fitted=fitted,
        bridged=bridged_bins(plan, pattern[0]),
        quality=advice,
        difference=job.minus is not None,
        correlation_length=correlation_length(q=fq.x, variance=variance),
        warnings=_warnings(job, plan),
    )


def _less(
    job: Job, plan: Plan, pattern: Pattern, curves: tuple[Curve, ...]
) -> tuple[Plan, tuple[Curve, ...]]:
    path = job.minus
    if path is None:
        return plan, curves
    if path.suffix.lower() == ".gr":
        held = read_columns(path)
        sigma = np.full(held.x.shape, np.nan) if held.sigma is None else held.sigma
        other = Curve(kind="gr", x=held.x, y=held.y, sigma=sigma)
        gr = difference(_curve(curves, "gr"), other)
        return plan, tuple(gr if curve.kind == "gr" else curve for curve in curves)
    values, spread = read_on_grid(path, plan.q, job.axis)
    reference = intensity_of(plan, values=values, sigma=spread, quantity=job.quantity)
    if plan.parameters.scale not in GIVEN:
        plan = _frozen(job, plan, reference)
    return plan, pattern_difference(plan, pattern=pattern, reference=reference)


def _curve(curves: tuple[Curve, ...], kind: str) -> Curve:
    return next(curve for curve in curves if curve.kind == kind)


def _warnings(job: Job, plan: Plan) -> tuple[str, ...]:
    warnings = []
    if job.bond is not None:
        warnings.append(rpoly_advice(rpoly=plan.parameters.rpoly, bond=job.bond))
    return tuple(warning for warning in warnings if warning)
