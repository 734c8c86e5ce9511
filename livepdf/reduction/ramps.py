"""Blanks recorded over a range of temperatures, as backgrounds that follow the sample's."""

from collections.abc import Mapping, Sequence
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from livepdf.numerics.band_limit import band_limited
from livepdf.numerics.ramp import MOST_COMPONENTS, Ramp, build_ramp
from livepdf.reduction.background import Background, BackgroundScale
from livepdf.reduction.plan import Plan, with_backgrounds

Floats = NDArray[np.float64]

BY_FIT = "fit"
"""In place of a name: each kind of change is fitted, no temperature is needed."""


def ramp_backgrounds(
    blanks: Sequence[Background],
    *,
    name: str,
    temperatures: Sequence[float],
    match: str,
    scale: BackgroundScale,
    components: int = MOST_COMPONENTS,
) -> list[Background]:
    """Return what stands for a series of blanks in a plan.

    Parameters
    ----------
    blanks : on the plan's grid, one for each temperature
    match : str
        Which number of a frame's surroundings says its temperature: then it is one background,
        and :func:`matched` brings it to that. ``fit``: the mean and each kind of change are
        backgrounds of their own, with a scale found in every pattern.
    scale : as :class:`livepdf.reduction.background.Background`; ``fit`` with ``match = "fit"``

    Raises
    ------
    ValueError
        Less than two temperatures, or a scale that does not go with fitting.
    """
    if match == BY_FIT and scale != "fit":
        raise ValueError(f"the ramp {name} is matched by a fit, so its scale is fit, not {scale}")
    ramp = build_ramp(
        temperatures=np.asarray(temperatures, dtype=np.float64),
        intensities=np.array([blank.intensity for blank in blanks]),
        sigmas=np.array([blank.sigma for blank in blanks]),
        most=components,
    )
    whole = replace(
        blanks[0], name=name, intensity=ramp.mean, sigma=ramp.mean_sigma(), scale=scale, made=True
    )
    if match != BY_FIT:
        return [replace(whole, ramp=ramp, match=match)]
    return [whole, *_changes(whole, ramp)]


def matched(plan: Plan, environment: Mapping[str, float]) -> Plan:
    """Return the plan with each ramp at the temperature of a pattern; the same where none is.

    Parameters
    ----------
    environment : means over the pattern's frames, by name

    Raises
    ------
    ValueError
        When the number that a ramp wants is not there, or lies outside the ramp: then nobody
        knows the background.
    """
    if all(background.match is None for background in plan.backgrounds):
        return plan
    at = [_at(background, environment) for background in plan.backgrounds]
    return with_backgrounds(plan, at, revision=plan.revision)


def denoised(background: Background, *, grid: Floats, r_max: float) -> Background:
    """Return a background with only those oscillations that distances below ``r_max`` Å make.

    Its σ stays: the noise that is left in G(r) below r_max is still all there.
    """
    limited = band_limited(
        q=grid, intensity=background.intensity, sigma=background.sigma, r_max=r_max
    )
    return replace(background, intensity=limited, made=True)


def _at(background: Background, environment: Mapping[str, float]) -> Background:
    if background.match is None or background.ramp is None:
        return background
    value = environment.get(background.match, np.nan)
    if not np.isfinite(value):
        raise ValueError(f"background {background.name} needs the frames' {background.match}")
    try:
        intensity, sigma = background.ramp.at(value)
    except ValueError as error:
        raise ValueError(f"background {background.name}: {background.match} {error}") from None
    return replace(background, intensity=intensity, sigma=sigma)


def _changes(whole: Background, ramp: Ramp) -> list[Background]:
    return [
        replace(whole, name=f"{whole.name} {number}", intensity=change, sigma=sigma, signed=True)
        for number, (change, sigma) in enumerate(
            zip(ramp.components, ramp.component_sigmas(), strict=True), 1
        )
    ]
