"""The maximum of G(r), in a closed form and in an operando series that others measured."""

import json
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from livepdf.analysis.followed_peaks import WantedPeak
from livepdf.analysis.maximum import gr_maximum
from livepdf.analysis.trends import build_analysis
from livepdf.files.columns import read_columns
from livepdf.numerics.resample import interpolate
from livepdf.numerics.transform import exact_transform
from livepdf.reduction.background import Background
from livepdf.reduction.curves import reduce_intensity
from livepdf.reduction.plan import build_plan

Q = np.arange(0.5, 20.0, 0.01)
R = np.arange(1.7, 2.5, 0.02)
TO_R = exact_transform(q=Q, r=R).rows(R)


def peaked(place: float) -> np.ndarray:
    return np.asarray(np.sin(Q * place) * np.exp(-0.5 * (0.1 * Q) ** 2))


def test_a_peak_that_stands_alone_has_its_maximum_where_it_is() -> None:
    for place in (1.95, 2.104, 2.271):
        found = gr_maximum(r=R, to_r=TO_R, qmax=20.0, fq=peaked(place), sigma=np.full(Q.size, 1e-3))
        assert found.position == pytest.approx(place, abs=0.008)


def test_its_sigma_is_its_scatter() -> None:
    sigma = 0.02 * Q
    found = [
        gr_maximum(
            r=R,
            to_r=TO_R,
            qmax=20.0,
            fq=peaked(2.1) + sigma * np.random.default_rng(seed).standard_normal(Q.size),
            sigma=sigma,
        )
        for seed in range(200)
    ]
    positions = np.array([one.position for one in found])
    assert np.nanstd(positions) == pytest.approx(np.nanmean([f.sigma for f in found]), rel=0.25)


def test_where_there_is_nothing_or_only_an_edge_there_is_a_reason() -> None:
    nothing = gr_maximum(r=R, to_r=TO_R, qmax=20.0, fq=np.zeros(Q.size), sigma=np.ones(Q.size))
    edge = gr_maximum(r=R, to_r=TO_R, qmax=20.0, fq=peaked(3.0), sigma=np.full(Q.size, 1e-3))
    gap = gr_maximum(r=R, to_r=TO_R, qmax=20.0, fq=np.full(Q.size, np.nan), sigma=np.ones(Q.size))
    for one in (nothing, edge, gap):
        assert one.reason
        assert np.isnan(one.position)


def test_lithium_goes_into_titania_and_out_again_and_dead_scans_are_told(
    data_path: Callable[[str], Path],
) -> None:
    # 43 operando scans of a TiO2(B) battery: Ti-O from 1.973 over 2.031 to 1.990 Å.
    folder = data_path("series/tio2b_operando_2019")
    told = json.loads((folder / "expected_trend.json").read_text())
    blank = read_columns(folder / "implied_background.xy")
    first = read_columns(folder / "chi" / "B3_01.chi")
    q = np.linspace(first.x[0], first.x[-1], first.x.size)
    known = np.zeros(blank.x.size)
    background, none = interpolate(onto=q, q=blank.x, intensity=blank.y, sigma=known)
    plan = build_plan(
        q=q,
        composition="TiO2",
        qmin=0.1,
        qmax=23.0,
        qmaxinst=23.0,
        rpoly=0.9,
        rmin=0.0,
        rmax=30.0,
        rstep=0.01,
        backgrounds=[Background(name="blank", intensity=background, sigma=none, scale=0.98705)],
    )
    analysis = build_analysis(
        fit_q=plan.fit_q,
        qmax=23.0,
        rpoly=0.9,
        composition=plan.parameters.composition,
        peaks=[WantedPeak(name="Ti-O", near=1.99, reach=0.15)],
    )
    found, dead = {}, []
    for number in range(1, 44):
        scan = read_columns(folder / "chi" / f"B3_{number:02d}.chi")
        given = np.zeros(scan.x.size) if scan.sigma is None else scan.sigma
        intensity, sigma = interpolate(onto=q, q=scan.x, intensity=scan.y, sigma=given)
        try:
            curves = reduce_intensity(plan, intensity=intensity, sigma=sigma)
        except ValueError:
            dead.append(number)
            continue
        fq = next(curve for curve in curves if curve.kind == "fq")
        trends = {t.name: t for t in analysis.evaluate(fq=fq.y, sigma=fq.sigma).trends}
        found[number] = trends["Ti-O maximum"]

    assert dead == told["dead_frames"]
    for number, expected, *_ in told["rows"]:
        if expected is not None:
            assert found[number].reason == "", (number, found[number])
            assert found[number].value == pytest.approx(expected, abs=0.01), number
    assert found[1].value == pytest.approx(1.973, abs=0.01)
    assert max(f.value for f in found.values()) == pytest.approx(2.035, abs=0.01)
    assert found[43].value == pytest.approx(1.990, abs=0.01)
