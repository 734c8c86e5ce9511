import math
import random

import msgspec
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from livepdf.model.curve import Span, Trend
from livepdf.model.status import Counters, Event, Status
from livepdf.wire.codec import (
    WireError,
    decode_published,
    decode_reply,
    decode_request,
    encode,
)
from livepdf.wire.curves import CurveHeader
from livepdf.wire.messages import (
    ByeMessage,
    EventMessage,
    HistoryRequest,
    MarkRequest,
    ResultMessage,
    SnapshotRequest,
    StatusMessage,
)

SPAN = Span(
    scope="window",
    run="r",
    number=3,
    first=30,
    last=39,
    frames=10,
    start=1.0,
    end=2.0,
    revision=1,
)
RESULT = ResultMessage(
    sequence=7,
    span=SPAN,
    curves=(CurveHeader(kind="gr", x=0, y=1, sigma=2),),
    trends=(Trend(name="d", unit="Å", value=math.nan, sigma=math.nan, reason="why"),),
    environment=(("temperature", 500.0),),
)


def sent(parts: list[bytes | memoryview]) -> list[bytes]:
    return [bytes(part) for part in parts]


@pytest.mark.parametrize("dtype", ["<f4", "<f8", "<u2", "<i8", "?", ">f8"])
def test_arrays_come_back_as_they_went(dtype: str) -> None:
    arrays = [
        np.arange(6).reshape(2, 3).astype(dtype),
        np.zeros((0, 4), dtype=dtype),
        np.arange(20).astype(dtype)[::3],
    ]

    message, back = decode_published(sent(encode(RESULT, arrays)))

    assert isinstance(message, ResultMessage)
    assert message.span == SPAN
    assert math.isnan(message.trends[0].value)
    for one, other in zip(arrays, back, strict=True):
        np.testing.assert_array_equal(one, other)


def test_status_and_events_keep_what_is_not_a_number() -> None:
    status = Status(state="running", time=1.0, counters=Counters(refused={"corrupt": 2}))
    back, _ = decode_published(sent(encode(StatusMessage(sequence=1, status=status))))

    assert isinstance(back, StatusMessage)
    assert math.isnan(back.status.lag)
    assert back.status.counters.refused == {"corrupt": 2}
    event = Event(kind="mark", time=1.0, text="heater on ♨")
    again, _ = decode_published(sent(encode(EventMessage(sequence=1, event=event))))
    assert isinstance(again, EventMessage)
    assert again.event == event


def test_a_request_is_no_reply_and_a_reply_no_request() -> None:
    with pytest.raises(WireError):
        decode_reply(sent(encode(MarkRequest(text="x"))))
    with pytest.raises(WireError):
        decode_request(sent(encode(ByeMessage(sequence=1, reason="x"))))


def envelope(*buffers: tuple[str, list[int]]) -> bytes:
    class Buffer(msgspec.Struct):
        dtype: str
        shape: list[int]

    class Envelope(msgspec.Struct):
        message: msgspec.Raw
        buffers: list[Buffer]

    raw = msgspec.Raw(msgspec.msgpack.encode(RESULT))
    return msgspec.msgpack.encode(Envelope(raw, [Buffer(*b) for b in buffers]))


@pytest.mark.parametrize(
    ("parts", "said"),
    [
        ([], "empty"),
        ([b""], "truncated"),
        ([envelope()], ""),
        ([envelope(("<f8", [2]))], "announced"),
        ([envelope(("<f8", [2])), b"1234567"], "buffer of 7 bytes"),
        ([envelope(("<f8", [-1])), b""], "length"),
        ([envelope(("<f8", [1 << 62])), b""], "length"),
        ([envelope(("<f8", [0, 1 << 62])), b""], "length"),
        ([envelope(("<f8", [1] * 200)), bytes(8)], "axes"),
        ([envelope(("|O", [1])), bytes(8)], "not sent"),
        ([envelope(("<f8,(1000000,)f8", [1])), bytes(8)], "not sent"),
        ([envelope(("<M8[s]", [1])), bytes(8)], "not sent"),
    ],
)
def test_hostile_buffers_are_refused_in_words(parts: list[bytes], said: str) -> None:
    if not said:
        decode_published(parts)
        return
    with pytest.raises(WireError, match=said):
        decode_published(parts)


@given(st.lists(st.binary(max_size=200), max_size=4))
def test_noise_is_refused_and_never_crashes(parts: list[bytes]) -> None:
    for decode in (decode_published, decode_reply, decode_request):
        with pytest.raises(WireError):
            decode(parts)


def test_a_flipped_byte_gives_a_message_or_a_refusal_but_never_another_error() -> None:
    chance = random.Random(3)
    originals = [
        (decode_published, sent(encode(RESULT, [np.arange(5.0), np.ones(5), np.ones(5)]))),
        (decode_request, sent(encode(HistoryRequest(run="é" * 20, first=3)))),
        (decode_request, sent(encode(SnapshotRequest()))),
    ]
    for decode, parts in originals:
        for _ in range(3000):
            head = bytearray(parts[0])
            for _ in range(chance.randint(1, 3)):
                head[chance.randrange(len(head))] = chance.randrange(256)
            try:
                decode([bytes(head), *parts[1:]])
            except WireError:
                continue


def test_deep_nesting_does_not_exhaust_the_stack() -> None:
    with pytest.raises(WireError):
        decode_request([b"\x91" * 1_000_000])
