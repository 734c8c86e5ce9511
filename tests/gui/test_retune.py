"""The sheet that retunes, with a whole daemon behind it."""

import numpy as np

from livepdf.wire.tuning import RecipeKey, RecipeReply
from tests.daemon.conftest import bench
from tests.daemon.test_retune import begun

__all__ = ["bench"]


def test_only_what_was_edited_is_a_change() -> None:
    from livepdf_gui.show.tuning import changes

    keys = (
        RecipeKey(key="reduction.qmax", value=20.0, help=""),
        RecipeKey(key="reduction.energy", value=None, help=""),
        RecipeKey(key="reduction.taper", value="none", help="", choices=("none", "lorch")),
        RecipeKey(key="background.0.scale", value="fit", help=""),
    )
    recipe = RecipeReply(revision=1, text="", keys=keys)
    texts = {
        "reduction.qmax": "20",
        "reduction.energy": "60.5",
        "reduction.taper": "lorch",
        "background.0.scale": "",
    }

    assert changes(recipe, texts) == {
        "reduction.energy": 60.5,
        "reduction.taper": "lorch",
        "background.0.scale": None,
    }


def test_a_key_is_named_with_the_unit_that_its_description_begins_with() -> None:
    from livepdf_gui.show.tuning import named

    upper = RecipeKey(key="reduction.qmax", value=20.0, help="Å⁻¹, upper limit of the transform.")
    inner = RecipeKey(key="reduction.rpoly", value=0.9, help="Å; the polynomial eats all below.")
    mode = RecipeKey(key="reduction.mode", value="xray", help="What scatters.")

    assert [named(key) for key in (upper, inner, mode)] == ["qmax (Å⁻¹)", "rpoly (Å)", "mode"]


def test_a_window_by_an_older_revision_is_fetched_again() -> None:
    from dataclasses import replace

    from livepdf_gui.show.shown import same_window

    from tests.gui.publisher import growing_result

    span = growing_result(3, start=0.0).span

    assert same_window(span, span)
    assert not same_window(span, replace(span, revision=span.revision + 1))
    assert same_window(replace(span, revision=span.revision + 1), span)
    assert not same_window(replace(span, number=4), span)


def test_a_draft_lies_over_the_live_curve_until_it_is_applied_or_refused(
    qtbot, bench, open_window
) -> None:
    daemon, client = begun(bench, 5)
    window = open_window(daemon.service.address)
    qtbot.waitUntil(lambda: window.session.newest.connected, timeout=60_000)
    window.act("retune")
    sheet = window.retune
    qtbot.waitUntil(lambda: "Revision 1" in sheet.head.text(), timeout=60_000)

    sheet.edit("reduction.qmax", "12")
    qtbot.waitUntil(lambda: window.gr.draft.isVisible(), timeout=60_000)
    drafted = np.asarray(window.gr.draft.getData()[1])
    sheet.edit("reduction.rpoly", "wide")
    qtbot.waitUntil(lambda: "reduction.rpoly: found 'wide'" in sheet.said.text(), timeout=60_000)
    sheet.edit("reduction.rpoly", "0.9")
    sheet.scope.setCurrentIndex(2)
    sheet.act("apply")
    qtbot.waitUntil(lambda: "all 5 stored windows follow" in sheet.said.text(), timeout=60_000)

    qtbot.waitUntil(lambda: not window.gr.draft.isVisible(), timeout=60_000)
    assert "Revision 2" in sheet.head.text()
    np.testing.assert_allclose(client.window(4).curve("gr").y, drafted, rtol=1e-5, atol=1e-6)
    qtbot.waitUntil(
        lambda: np.array_equal(
            np.asarray(window.gr.curve.getData()[1], np.float32),
            client.window(4).curve("gr").y,
        ),
        timeout=60_000,
    )


def test_the_panel_of_g_shows_the_difference_when_asked(qtbot, bench, open_window) -> None:
    daemon, client = begun(bench, 4)
    client.retune.pin(1)
    window = open_window(daemon.service.address)
    qtbot.waitUntil(lambda: window.session.newest.history is not None, timeout=60_000)

    window.act("difference")

    title = "Difference"
    qtbot.waitUntil(lambda: window.session.view(now=0.0).gr.title.startswith(title), timeout=60_000)
    window.refresh()
    window.act("fit")
    shown = np.asarray(window.gr.curve.getData()[1])
    expected = client.window(3).curve("gr").y - client.window(1).curve("gr").y
    np.testing.assert_allclose(shown, expected, atol=1e-5)
