import pytest
from livepdf_gui.show.words import count, plural, seconds, with_sigma

NAN = float("nan")


@pytest.mark.parametrize(
    ("value", "sigma", "words"),
    [
        (2.13174, 0.00213, "2.1317 ± 0.0021"),
        (49.3, 0.22, "49.30 ± 0.22"),
        (1234.0, 56.0, "1234 ± 56"),
        (3.0, NAN, "3"),
        (NAN, 0.1, "–"),
    ],
)
def test_a_number_has_as_many_digits_as_its_sigma_allows(
    value: float, sigma: float, words: str
) -> None:
    assert with_sigma(value, sigma) == words


@pytest.mark.parametrize(
    ("value", "words"),
    [(0.118, "118 ms"), (12.34, "12.3 s"), (180.0, "3 min"), (7200.0, "2.0 h"), (NAN, "–")],
)
def test_a_duration_has_a_unit_that_suits_it(value: float, words: str) -> None:
    assert seconds(value) == words


def test_counts_are_grouped_by_thousands() -> None:
    assert count(1234567) == "1\u2009234\u2009567"
    assert plural(1, "frame") == "1 frame"
    assert plural(2, "frame") == "2 frames"


def test_where_there_is_no_room_sigma_is_written_in_brackets() -> None:
    from livepdf_gui.show.words import compact

    wide = ("5.12578 ± 0.00050", "48.00 ± 0.17", "10.6 ± 1.0", "1234 ± 12", "not yet")

    assert [compact(text) for text in wide] == [
        "5.12578(50)", "48.00(17)", "10.6(1.0)", "1234(12)", "not yet",
    ]  # fmt: skip
