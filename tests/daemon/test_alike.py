"""A G(r) of another program in the window of the recipe, against the closed form."""

import numpy as np
import pytest

from livepdf.daemon.alike import alike_gr
from livepdf.numerics.rewindow import Window
from livepdf.numerics.tapers import TaperKind
from livepdf.reduction.plan import Plan, build_plan
from tests.numerics.test_rewindow import R, pair

HEADER = """\
[DEFAULT]
version = pdfgetx3-2.1.1
mode = xray
outputtype = gr
composition = HfO2
dataformat = QA
qmin = {qmin}
qmax = {qmax}
qmaxinst = 24.0
rmin = 0.0
rmax = 60.0
rstep = 0.02
rpoly = 0.9
#### start data
#S 1
#L r(A)  G(A^{{-2}})  dr  dG
"""


def text_of(window: Window, *, header: str = HEADER) -> str:
    rows = zip(R, pair(R, window), strict=True)
    told = header.format(qmin=window.qmin, qmax=window.qmax)
    return told + "\n".join(f"{r:.4f} {g:.8f} 0 0.1" for r, g in rows)


def plan_to(qmax: float, *, qmin: float = 0.8, taper: TaperKind = "none") -> Plan:
    return build_plan(
        q=np.arange(0.02, 24.5, 0.02), composition={"Hf": 1.0, "O": 2.0}, qmin=qmin, qmax=qmax,
        qmaxinst=qmax, rpoly=0.9, rmin=0.0, rmax=60.0, rstep=0.02, taper=taper,
    )  # fmt: skip


@pytest.mark.parametrize("taper", ["none", "lorch"])
def test_a_distance_is_as_sharp_as_the_recipe_shows_it(taper: TaperKind) -> None:
    text = text_of(Window(qmin=0.5, qmax=20.0))

    found, note = alike_gr("a.gr", text, plan_to(8.0, taper=taper))

    truth = pair(R, Window(qmin=0.8, qmax=8.0, taper=taper))
    known = np.isfinite(found.y)
    assert known.sum() > 0.9 * R.size
    np.testing.assert_allclose(found.y[known], truth[known], atol=4e-3 * truth.max())
    assert note == f"brought to Q 0.8 to 8 Å⁻¹, taper {taper}"
    assert np.isnan(found.sigma).all()


def test_the_same_window_is_left_as_it_is_with_its_sigma() -> None:
    window = Window(qmin=0.8, qmax=20.0)

    found, note = alike_gr("a.gr", text_of(window), plan_to(20.0))

    np.testing.assert_allclose(found.y, pair(R, window), atol=1e-7)
    np.testing.assert_allclose(found.sigma, 0.1)
    assert note == ""


def test_a_higher_qmin_of_the_file_stays() -> None:
    window = Window(qmin=1.2, qmax=20.0)

    found, note = alike_gr("a.gr", text_of(window), plan_to(20.0))

    assert note == "its Qmin is 1.2 Å⁻¹"
    np.testing.assert_allclose(found.y, pair(R, window), atol=1e-7)


def test_what_ends_below_the_qmax_of_the_recipe_is_refused_with_the_remedy() -> None:
    with pytest.raises(ValueError, match=r"its Qmax is 8 .* from reduction\.qmax 8 down"):
        alike_gr("a.gr", text_of(Window(qmin=0.5, qmax=8.0)), plan_to(20.0))


def test_without_a_header_it_is_shown_as_it_is_and_that_is_said() -> None:
    found, note = alike_gr("a.gr", text_of(Window(qmin=0.5, qmax=8.0), header=""), plan_to(20.0))

    assert note == "its Qmax is not told, shown as it is"
    assert found.x.size == R.size
