from dataclasses import replace

import numpy as np

from livepdf.daemon.history import History
from livepdf.daemon.pins import Pin
from livepdf.model.curve import Curve, Result, Span

Q = np.linspace(0.5, 10.0, 20)


def result(number: int, *, revision: int = 1, r: np.ndarray | None = None) -> Result:
    r = np.linspace(0.0, 10.0, 11) if r is None else r
    span = Span(
        scope="window",
        run="r",
        number=number,
        first=number,
        last=number,
        frames=1,
        start=0.0,
        end=1.0,
        revision=revision,
    )
    curves = (
        Curve(kind="iq", x=Q, y=Q + number, sigma=np.ones(Q.size)),
        Curve(kind="gr", x=r, y=revision * r, sigma=np.full(r.size, 2.0)),
    )
    return Result(span=span, curves=curves, trends=())


def history(count: int = 3, *, limit: int = 1 << 20) -> History:
    made = History(limit=limit)
    made.begin("r")
    for number in range(count):
        made.add(result(number))
    return made


def test_windows_on_two_grids_are_stacked_on_that_of_the_newest() -> None:
    kept, finer = history(), np.linspace(0.0, 12.0, 25)
    kept.replace([result(2, revision=2, r=finer)])

    stack = kept.stack("r", first=0, limit=10, largest=1 << 20)

    assert stack is not None
    assert [span.revision for span in stack.spans] == [1, 1, 2]
    np.testing.assert_array_equal(stack.r, finer)
    inside = finer <= 10.0
    np.testing.assert_allclose(stack.gr[0][inside], finer[inside], atol=1e-6)
    assert np.isnan(stack.gr[0][~inside]).all()
    np.testing.assert_allclose(stack.gr[2], 2 * finer, atol=1e-6)


def test_an_older_revision_never_takes_the_place_of_a_newer() -> None:
    kept = history()
    kept.replace([result(1, revision=3)])
    kept.replace([result(1, revision=2)])

    window = kept.window("r", 1)
    assert window is not None
    assert window.span.revision == 3


def test_results_of_another_run_or_of_forgotten_windows_are_not_taken() -> None:
    kept = history()
    other = result(1, revision=2)
    kept.replace([replace(other, span=replace(other.span, run="before")), result(77, revision=2)])

    assert [kept.window("r", n).span.revision for n in range(3)] == [1, 1, 1]  # type: ignore[union-attr]
    assert kept.ends() == (0, 2)


def test_the_memory_stays_bounded_when_windows_grow() -> None:
    small = history(50, limit=50 * 5000)
    before = small.ends()
    small.replace([result(n, revision=2, r=np.linspace(0, 10, 2000)) for n in range(50)])

    assert before[0] < small.ends()[0]
    assert small.ends()[1] == 49


def test_differences_come_and_go_with_the_reference() -> None:
    kept = history()
    r = np.linspace(0.0, 10.0, 11)
    flat = Curve(kind="gr", x=r, y=np.ones(r.size), sigma=np.full(r.size, 1.5))
    kept.compare(Pin(words="flat", run="", number=-1, gr=flat))

    window = kept.window("r", 0)
    assert window is not None
    np.testing.assert_allclose(window.curve("dgr").y, r - 1, atol=1e-6)
    np.testing.assert_allclose(window.curve("dgr").sigma, 2.5)
    kept.compare(None)
    window = kept.window("r", 0)
    assert window is not None
    assert [curve.kind for curve in window.curves] == ["iq", "gr"]
