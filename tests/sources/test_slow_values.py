"""Numbers that travel with an image."""

import pytest

from livepdf.model.frame import Frame
from livepdf.sources.dectris_v2_frames import DectrisV2Frames
from livepdf.sources.series import Patience
from livepdf.sources.slow_values import slow_values
from tests.sources.conftest import image_message, start_message


@pytest.mark.parametrize(
    "user_data",
    [
        {"temperature": 573, "monitor": 1.5e6, "user": "me", "heating": True},
        '{"temperature": 573, "monitor": 1.5e6, "user": "me", "heating": true}',
    ],
)
def test_numbers_are_taken_from_a_map_and_from_json(user_data: object) -> None:
    assert slow_values(user_data) == (1.5e6, {"temperature": 573.0})


@pytest.mark.parametrize(
    "user_data",
    [
        None,
        7,
        [1, 2],
        "{",
        "[" * 100_000,
        "{" + '"a":{' * 50_000,
        b"\xff",
        {"a": float("nan"), "b": float("inf"), "c": 10**400, "x" * 1000: 1.0, 5: 1.0},
    ],
)
def test_anything_else_has_none(user_data: object) -> None:
    assert slow_values(user_data) == (None, {})


def test_they_join_the_frame_that_they_came_with() -> None:
    patience = Patience(gap=1.0, header=1.0, idle=10.0)
    frames = DectrisV2Frames(channel=None, patience=patience)

    frames.message(start_message(), now=0.0)
    items = frames.message(
        image_message(0, user_data={"temperature": 400.0, "monitor": 9}), now=1.0
    )

    (frame,) = [item for item in items if isinstance(item, Frame)]
    assert frame.monitor == 9.0
    assert frame.environment == {"temperature": 400.0}
