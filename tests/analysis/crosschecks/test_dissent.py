"""A disagreement of sizes is told when it lasts, once."""

from livepdf.analysis.crosschecks.checks import DISAGREEMENT, ENVELOPE
from livepdf.analysis.crosschecks.dissent import Dissent
from livepdf.model.curve import Trend


def window(fitted: float, checked: float) -> list[Trend]:
    nan = float("nan")
    away = (checked - fitted) / 1.0
    return [
        Trend(name="domain size", unit="Å", value=fitted, sigma=0.1),
        Trend(name=ENVELOPE, unit="Å", value=checked, sigma=1.0),
        Trend(name=DISAGREEMENT[ENVELOPE], unit="σ", value=away, sigma=1.0),
        Trend(name="size by Scherrer", unit="Å", value=nan, sigma=nan, reason="no peaks"),
        Trend(name="Scherrer disagreement", unit="σ", value=nan, sigma=nan, reason="no peaks"),
    ]


def test_what_lasts_five_windows_is_told_once_with_both_sizes() -> None:
    dissent = Dissent()

    told = [dissent.add(window(40.0, 50.0)) for _ in range(12)]

    assert [len(words) for words in told] == [0] * 4 + [1] + [0] * 7
    assert "50.0 ± 1.0 Å, that of the fit 40.0 ± 0.1 Å" in told[4][0]


def test_what_comes_and_goes_or_is_small_or_is_withheld_is_not_told() -> None:
    for sizes in ([50.0, 50.0, 50.0, 40.0] * 5, [43.5] * 20, [float("nan")] * 20):
        dissent = Dissent()
        assert not any(dissent.add(window(40.0, size)) for size in sizes)
    assert not Dissent().add([])
