"""Curves brought to one window, against closed forms and explicit atoms."""

import numpy as np
import pytest
from scipy.special import sici

from livepdf.files.structures import read_structure
from livepdf.numerics.rewindow import Window, peak_width, rewindowed_gr, windowed_fq
from livepdf.numerics.tapers import TaperKind
from livepdf.reduction.curves import reduce_intensity
from livepdf.reduction.plan import build_plan
from livepdf.simulate.debye import debye_intensity, sphere_sums

R = np.arange(0.0, 60.0, 0.02)
DISTANCE = 7.3
"""Å"""


def _kernel(x: np.ndarray, window: Window) -> np.ndarray:
    """The integral of the taper times cos(Qx) over the window, in closed form."""
    x = np.where(np.abs(x) < 1e-9, 1e-9, x)
    if window.taper == "none":
        return (np.sin(window.qmax * x) - np.sin(window.qmin * x)) / x
    a = np.pi / window.qmax
    ends = [
        (sici((a + x) * q)[0] + sici((a - x) * q)[0]) / (2 * a) for q in (window.qmin, window.qmax)
    ]
    return np.asarray(ends[1] - ends[0])


def pair(r: np.ndarray, window: Window) -> np.ndarray:
    """G(r) of F(Q) = sin(Q·7.3 Å) in a window, exactly."""
    return (_kernel(r - DISTANCE, window) - _kernel(r + DISTANCE, window)) / np.pi


@pytest.mark.parametrize("kind", ["none", "lorch"])
@pytest.mark.parametrize("old", ["none", "lorch"])
def test_a_distance_seen_to_20_is_in_a_window_to_8_what_the_integral_says(
    old: TaperKind, kind: TaperKind
) -> None:
    seen = Window(qmin=0.5, qmax=20.0, taper=old)
    wanted = Window(qmin=0.8, qmax=8.0, taper=kind)

    found = rewindowed_gr(r=R, gr=pair(R, seen), seen=seen, wanted=wanted)

    truth = pair(R, wanted)
    known = np.isfinite(found)
    assert known.sum() == np.count_nonzero(R[-1] - 10 * np.pi / 8.0 >= R)
    # A distance without width rings for ever: what lies beyond 60 Å is a thousandth of it.
    np.testing.assert_allclose(found[known], truth[known], rtol=0, atol=4e-3 * truth.max())
    assert np.abs(pair(R, seen) - truth).max() > 0.5 * truth.max()


@pytest.mark.parametrize("kind", ["none", "lorch"])
def test_f_of_q_goes_into_any_window_inside_it(kind: TaperKind) -> None:
    q = np.arange(0.2, 20.001, 0.01)
    window = Window(qmin=0.803, qmax=7.996, taper=kind)

    found = windowed_fq(q=q, fq=np.sin(q * DISTANCE), r=R[1:], window=window)

    truth = pair(R[1:], window)
    np.testing.assert_allclose(found, truth, rtol=0, atol=3e-3 * truth.max())


@pytest.mark.parametrize(
    ("qmin", "qmax", "words"),
    [(0.3, 8.0, "nothing is extrapolated"), (0.8, 20.5, "nothing is extrapolated"),
     (0.8, 20.0, "left nothing near")],
)  # fmt: skip
def test_nothing_is_made_up_beyond_what_was_measured(qmin: float, qmax: float, words: str) -> None:
    seen = Window(qmin=0.5, qmax=20.0, taper="lorch")

    with pytest.raises(ValueError, match=words):
        rewindowed_gr(r=R, gr=R, seen=seen, wanted=Window(qmin=qmin, qmax=qmax))


def test_a_curve_without_its_beginning_or_too_coarse_is_refused() -> None:
    window = Window(qmin=0.5, qmax=20.0)
    with pytest.raises(ValueError, match="must begin at 0"):
        rewindowed_gr(r=R[50:], gr=R[50:], seen=window, wanted=window)
    with pytest.raises(ValueError, match="too coarse"):
        rewindowed_gr(r=R[::10], gr=R[::10], seen=window, wanted=window)
    with pytest.raises(ValueError, match="must lie below qmax"):
        Window(qmin=8.0, qmax=8.0)


@pytest.mark.parametrize(("kind", "product"), [("none", 3.791), ("lorch", 5.437)])
@pytest.mark.parametrize("qmax", [8.0, 20.0])
def test_a_sharp_distance_is_as_wide_as_the_window_makes_it(
    kind: TaperKind, product: float, qmax: float
) -> None:
    # 3.791: sin(x)/x is a half at 1.8955. The other from the closed form with the sine integral.
    window = Window(qmin=0.0, qmax=qmax, taper=kind)
    x = np.linspace(0, 8 / qmax, 100_001)
    shape = _kernel(x, window)
    half = 2 * x[np.flatnonzero(shape < shape[0] / 2)[0]]

    assert peak_width(window) == pytest.approx(half, rel=1e-4)
    assert peak_width(window) * qmax == pytest.approx(product, rel=3e-4)


@pytest.fixture(scope="module")
def hafnia() -> tuple[np.ndarray, np.ndarray]:
    structure = read_structure("hfo2-monoclinic")
    centres = np.random.default_rng(81).uniform(size=(2, 3))
    sums = sphere_sums(structure, diameter=40.0, q_max=20.5, centres=centres)
    return sums.q, debye_intensity(structure, sums)


@pytest.mark.parametrize(("photons", "least"), [(None, 0.999), (1e4, 0.98)])
def test_hafnia_to_8_is_hafnia_to_20_in_the_window_to_8(
    hafnia: tuple[np.ndarray, np.ndarray], photons: float | None, least: float
) -> None:
    q, intensity = hafnia
    random = np.random.default_rng(77)
    lorch: TaperKind = "lorch"

    def seen(qmax: float) -> tuple[np.ndarray, np.ndarray]:
        measured = intensity
        if photons is not None:
            counts = photons * intensity / intensity.mean()
            measured = random.poisson(counts).astype(float)
        plan = build_plan(
            q=q, composition={"Hf": 1.0, "O": 2.0}, qmin=0.8, qmax=qmax, qmaxinst=qmax,
            rpoly=0.9, rmin=0.0, rmax=50.0, rstep=0.02, scale="mean", taper=lorch,
        )  # fmt: skip
        gr = reduce_intensity(plan, intensity=measured, sigma=np.sqrt(measured))[-1]
        return gr.x, gr.y

    r, xfel = seen(8.0)
    _, reference = seen(20.0)
    narrow = Window(qmin=0.8, qmax=8.0, taper=lorch)
    wide = Window(qmin=0.8, qmax=20.0, taper=lorch)
    same = rewindowed_gr(r=r, gr=reference, seen=wide, wanted=narrow)

    shown = (r >= 1.5) & (r <= 20.0)
    assert np.corrcoef(xfel[shown], same[shown])[0, 1] >= least
    assert np.corrcoef(xfel[shown], reference[shown])[0, 1] < 0.97
