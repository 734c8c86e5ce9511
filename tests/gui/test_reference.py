"""What curves are compared with, decided without a display."""

import numpy as np
import pytest
from livepdf_gui.show.calibrants import rings
from livepdf_gui.show.curves import curve_view, readout
from livepdf_gui.show.reference import UnusableReferenceError, compare, pinned, read_reference
from livepdf_gui.show.session import Session
from livepdf_gui.show.shown import resolve
from livepdf_gui.show.state import Angles, State

from livepdf.model.curve import Curve
from livepdf.sinks.columns import write_curve
from tests.gui.publisher import R, example_status, growing_result
from tests.gui.samples import history_of

RESULT = growing_result(30, start=0.0, of=40)


def _filled() -> Curve:
    """I(Q) of RESULT without its empty bins."""
    iq = RESULT.curve("iq")
    here = np.isfinite(iq.y)
    return Curve(kind="iq", x=iq.x[here], y=iq.y[here], sigma=iq.sigma[here])


def _state() -> State:
    results = [growing_result(n, start=0.0, of=40) for n in range(31)]
    return State(
        endpoint="e", version=1, connected=True, met=True, status=example_status(10),
        status_heard=0.0, latest=RESULT, history=history_of(results),
    )  # fmt: skip


def test_an_iq_file_of_ours_is_read_back_with_its_sigma(tmp_path) -> None:
    iq = _filled()
    write_curve(tmp_path / "a.iq", iq, header={"qmax": 20.0}, extras={"revision": 1})

    found = read_reference("a.iq", (tmp_path / "a.iq").read_text())

    x, y, sigma = found.curves["iq"]
    np.testing.assert_allclose(x, iq.x, atol=1e-8)
    np.testing.assert_allclose(y, iq.y, rtol=1e-6, atol=1e-8)
    np.testing.assert_allclose(sigma[1:], iq.sigma[1:], rtol=1e-6)


def test_a_chi_file_in_nanometres_is_brought_to_angstrom() -> None:
    rows = "\n".join(f"{q:.3f} {q * 2:.3f}" for q in np.arange(1.0, 21.0))

    found = read_reference("b.chi", f"sample\nq_nm^-1\nI\n20\n{rows}\n")

    np.testing.assert_allclose(found.curves["iq"][0], np.arange(1.0, 21.0) / 10.0)


@pytest.mark.parametrize(
    ("name", "text", "wanted"),
    [
        ("c.chi", "2th_deg I\n" + "1 2\n2 3\n3 4\n4 5\n5 6\n", "wanted Q"),
        ("c.fq", "nothing here", "no block of two or more columns"),
        ("c.fq", "3 1\n2 1\n1 1\n0 1\n-1 2\n", "does not rise"),
        ("c.pdf", "", "wanted one of .fq"),
        ("c.fq", "\x00\xff\x00" * 10, "no block"),
    ],
)
def test_a_file_that_cannot_be_used_is_refused_in_words(name: str, text: str, wanted: str) -> None:
    with pytest.raises(UnusableReferenceError, match=wanted):
        read_reference(name, text)


def test_a_file_is_scaled_to_the_curve_and_a_window_is_not() -> None:
    iq = _filled()
    rows = zip(iq.x, iq.y, strict=True)
    file = read_reference("a.iq", "\n".join(f"{x:.9f} {y / 3:.9f}" for x, y in rows))
    window = pinned(3, {"iq": (iq.x, iq.y / 3, None)})

    scaled = compare(file, "iq", x=iq.x, y=iq.y, sigma=iq.sigma)
    bare = compare(window, "iq", x=iq.x, y=iq.y, sigma=iq.sigma)

    assert scaled is not None
    assert bare is not None
    assert scaled.scale == pytest.approx(3.0, rel=1e-6)
    np.testing.assert_allclose(scaled.difference[1:-1], 0.0, atol=1e-5)
    assert bare.scale == 1.0
    np.testing.assert_allclose(bare.difference, iq.y * 2 / 3)
    assert scaled.correlation == pytest.approx(1.0)
    assert "× 3" in scaled.words


def test_the_noise_of_a_difference_is_that_of_both() -> None:
    x, one = np.arange(10.0), np.ones(10)
    window = pinned(3, {"gr": (x, np.sin(x), 4.0 * one)})

    found = compare(window, "gr", x=x, y=np.cos(x), sigma=3.0 * one)

    assert found is not None
    np.testing.assert_allclose(found.sigma, 5.0)


def test_a_pinned_window_makes_a_difference_and_a_map_of_it() -> None:
    session = Session("e")
    session.take(_state())
    session.select_place(10.5)
    session.take(_with_fetched(10))
    session.act("pin")
    session.act("live")
    session.act("map")
    session.act("difference")

    view = session.view(now=0.0)

    wanted = RESULT.curve("gr").y - growing_result(10, start=0.0, of=40).curve("gr").y
    assert view.gr.kind == "dgr"
    np.testing.assert_allclose(view.gr.y, wanted, atol=1e-6)
    assert view.map is not None
    assert view.map.kind == "dgr"
    at, value, _ = view.map.value(10, 12.0)
    assert abs(value) < 0.02
    assert at == pytest.approx(12.0, abs=0.05)
    session.act("unpin")
    after = session.view(now=0.0)
    assert after.map is None
    assert "press P" in after.map_notice


def _with_fetched(number: int) -> State:
    from dataclasses import replace

    return replace(_state(), version=2, fetched=growing_result(number, start=0.0, of=40))


def test_the_cursor_reads_d_and_two_theta_where_the_wavelength_is_known() -> None:
    from dataclasses import replace

    angles = Angles(q=np.zeros((2, 2), np.float32), wavelength=0.2)
    state = replace(_state(), angles=angles)
    shown = resolve(state, Session("e").choice)

    said = readout(curve_view(state, shown, "iq", before=None), 5.0)

    assert "d = 1.25" in said
    assert f"2θ = {np.degrees(2 * np.arcsin(5.0 * 0.2 / 4 / np.pi)):.1f}" in said


def test_s_and_f_say_why_there_is_none_where_the_window_has_none() -> None:
    session = Session("e")
    session.take(_state())
    session.act("curve")

    view = session.view(now=0.0).iq

    assert view.kind == "sq"
    assert "qmin to qmax" in view.empty


def test_bonds_are_marked_on_g_and_reflections_on_i() -> None:
    from dataclasses import replace

    session = Session("e")
    structure = replace(
        pinned(0, {}), name="ni", scaled=True, bonds=((2.49, "Ni–Ni"),), lines=(3.09,)
    )
    session.take(replace(_state(), references=(structure,)))

    view = session.view(now=0.0)

    assert view.gr.markers == ((2.49, "Ni–Ni"),)
    assert view.iq.markers == ((3.09, ""),)


@pytest.mark.parametrize(
    ("name", "first"),
    [("CeO2", 2.0110), ("LaB6", 1.5115), ("Si", 2.0037), ("Ni", 3.0884)],
)
def test_the_first_ring_of_a_calibrant_is_where_pyfai_has_it(name: str, first: float) -> None:
    from pyFAI.calibrant import get_calibrant

    theirs = np.array(get_calibrant(name).dspacing[:8])
    ours = rings(name)

    np.testing.assert_allclose(ours[: theirs.size], 2 * np.pi / theirs, rtol=2e-4)
    assert ours[0] == pytest.approx(first, abs=2e-3)


def test_a_curve_of_another_kind_is_no_reference() -> None:
    window = pinned(3, {"iq": (R, R, None)})

    assert compare(window, "gr", x=R, y=R, sigma=R) is None
    assert isinstance(RESULT.curve("gr"), Curve)
