import random
from typing import Any

import cbor2
import pytest

from livepdf.sources.cbor_views import LONG, loads

IMAGE = bytes(range(256)) * (LONG // 256)


def plain(value: Any) -> Any:
    """Turn views into bytes, so that cbor2's own answer is the oracle."""
    if isinstance(value, memoryview):
        return bytes(value)
    if isinstance(value, dict):
        return {plain(k): plain(v) for k, v in value.items()}
    if isinstance(value, list | tuple):
        return [plain(item) for item in value]
    if isinstance(value, cbor2.CBORTag):
        return ("tag", value.tag, plain(value.value))
    return value


MESSAGES = [
    {"type": "image", "data": {"a": cbor2.CBORTag(40, [[2, 3], cbor2.CBORTag(70, IMAGE)])}},
    {
        "two": [IMAGE, IMAGE[::-1]],
        "text": "x" * 2 * LONG,
        "float": 1.5,
        "date": None,
        "n": -(2**70),
    },
    {"short": IMAGE[:-1]},
    [IMAGE, cbor2.CBORTag(56500, ["bslz4", 4, IMAGE + b"x"]), True],
    IMAGE,
    7,
]


@pytest.mark.parametrize("content", MESSAGES)
def test_what_is_read_is_what_cbor2_reads(content: Any) -> None:
    message = cbor2.dumps(content)

    assert plain(loads(message)) == plain(cbor2.loads(message))
    assert plain(loads(memoryview(message))) == plain(cbor2.loads(message))


def test_an_image_is_a_view_of_the_message_and_nothing_can_write_through_it() -> None:
    message = bytearray(cbor2.dumps({"data": IMAGE}))

    image = loads(memoryview(message))["data"]
    message[-1] ^= 0xFF

    assert isinstance(image, memoryview)
    assert image.readonly
    assert image[-1] == IMAGE[-1] ^ 0xFF


def test_a_message_cannot_name_the_place_of_an_image_itself() -> None:
    forged = cbor2.dumps([IMAGE, cbor2.CBORTag(0x6C706466, 0), cbor2.CBORTag(0x6C706466, 9)])

    assert plain(loads(forged)) == plain(cbor2.loads(forged))


def test_damage_of_any_kind_is_answered_as_cbor2_answers_it() -> None:
    chance = random.Random(5)
    whole = cbor2.dumps(MESSAGES[0])
    head = len(whole) - len(IMAGE)
    for _ in range(300):
        damaged = bytearray(whole)
        damaged[chance.randrange(head)] = chance.randrange(256)
        message = bytes(damaged[: chance.choice([len(whole), chance.randrange(len(whole))])])
        try:
            expected = plain(cbor2.loads(message))
        except (cbor2.CBORError, ValueError, TypeError, OverflowError, RecursionError) as error:
            with pytest.raises(type(error)):
                loads(message)
            continue
        assert repr(plain(loads(message))) == repr(expected)
