from hypothesis import given
from hypothesis import strategies as st

from livepdf.model.status import Redo
from livepdf.wire.renewal import Renewal


def redo(
    first: int, *, part: str = "curves", revision: int = 2, last: int = 99, followed: int = -1
) -> Redo:
    return Redo(
        run="r",
        revision=revision,
        part=part,  # type: ignore[arg-type]
        first=first,
        last=last,
        done=last - first + 1,
        total=last + 1,
        followed=followed,
    )


def fetched(renewal: Renewal, most: int = 30) -> list[int]:
    """Fetch all that is wanted, as a client does."""
    numbers: list[int] = []
    while (wanted := renewal.next("r", most)) is not None:
        first, count = wanted
        numbers += range(first, first + count)
        renewal.came(first, first + count - 1)
    return numbers


@given(st.lists(st.integers(0, 100), min_size=1, max_size=8), st.integers(1, 40))
def test_every_window_that_is_done_is_fetched_once_whatever_words_were_lost(
    heard: list[int], most: int
) -> None:
    renewal, numbers = Renewal(), list[int]()
    for first in sorted(heard, reverse=True):
        renewal.hear(redo(first))
        numbers += fetched(renewal, most)

    assert sorted(numbers) == list(range(min(heard), 100))


def test_trends_that_follow_are_fetched_again() -> None:
    renewal = Renewal()
    renewal.hear(redo(0))
    assert len(fetched(renewal)) == 100

    renewal.hear(redo(60, part="trends"))

    assert sorted(fetched(renewal)) == list(range(60, 100))


def test_who_joins_later_does_not_fetch_twice() -> None:
    renewal = Renewal()
    renewal.join(redo(0, part="trends"))
    renewal.hear(redo(0, part="trends"))

    assert fetched(renewal) == []


def test_another_run_is_not_fetched_for() -> None:
    renewal = Renewal()
    renewal.hear(redo(0))

    assert renewal.next("next", 10) is None


def test_what_the_whole_run_tells_is_fetched_once_more_with_the_windows_that_came_meanwhile() -> (
    None
):
    renewal = Renewal()
    renewal.hear(redo(0, part="trends"))
    fetched(renewal)

    renewal.hear(redo(0, part="trends", followed=104))

    assert sorted(fetched(renewal)) == list(range(105))
    renewal.hear(redo(0, part="trends", followed=104))
    assert fetched(renewal) == []


def test_a_window_that_was_missing_does_not_stand_for_those_that_are_renewed() -> None:
    renewal = Renewal()
    renewal.hear(redo(0))

    renewal.came(100, 102)
    renewal.came(100, 50)

    assert sorted(fetched(renewal)) == list(range(100))


def test_who_was_away_while_windows_were_reduced_again_fetches_them_on_coming_back() -> None:
    renewal = Renewal()
    renewal.join(None)

    renewal.rejoin(redo(0, part="trends"))

    assert set(fetched(renewal)) == set(range(100))
    renewal.rejoin(redo(0, part="trends"))
    assert fetched(renewal) == []


def test_curves_that_were_not_heard_of_are_fetched_when_trends_follow() -> None:
    renewal = Renewal()
    renewal.join(None)

    renewal.hear(redo(60, part="trends"))

    assert set(fetched(renewal)) == set(range(100))
