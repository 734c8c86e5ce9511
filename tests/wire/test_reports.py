"""Reports arrive as they went, on a viewer's side too; what does not fit together is refused."""

from dataclasses import fields, replace
from typing import Any

import numpy as np
import pytest

from livepdf.model.fraction import Fraction
from livepdf.wire import breakdown, serial
from livepdf.wire.codec import decode_published, encode
from livepdf.wire.messages import BreakdownMessage, SerialMessage
from tests.wire.reports import breakdown_report, serial_report

KINDS: list[tuple[Any, Any, Any]] = [
    (serial_report(), serial, SerialMessage),
    (breakdown_report(), breakdown, BreakdownMessage),
]


@pytest.mark.parametrize(("report", "wire", "message"), KINDS)
def test_a_report_arrives_as_it_went(report: Any, wire: Any, message: Any) -> None:
    header, arrays = wire.take_apart(report)
    parts = [bytes(part) for part in encode(message(sequence=3, header=header), arrays)]

    came, buffers = decode_published(parts)
    again = wire.put_together(came.header, buffers)  # type: ignore[union-attr]

    assert type(came) is message
    for field in fields(report):
        came_as, went_as = getattr(again, field.name), getattr(report, field.name)
        if isinstance(went_as, np.ndarray):
            assert came_as.dtype == went_as.dtype
            np.testing.assert_array_equal(came_as, went_as)
        else:
            # a NaN is not equal to itself, but reads the same
            assert repr(came_as) == repr(went_as)


@pytest.mark.parametrize(("report", "wire", "_"), KINDS)
def test_buffers_that_do_not_fit_one_another_are_refused(report: Any, wire: Any, _: Any) -> None:
    header, arrays = wire.take_apart(report)

    for number, name in enumerate(wire.ARRAYS):
        wrong = [*arrays]
        wrong[number] = np.concatenate([arrays[number], arrays[number][:2]])
        with pytest.raises(ValueError, match="wanted"):
            wire.put_together(header, wrong)
        assert name in {field.name for field in fields(report)}
    with pytest.raises(ValueError, match="buffers of a report"):
        wire.put_together(header, arrays[:-1])


def test_a_report_before_the_first_hit_arrives_too() -> None:
    none = np.zeros(0)
    count = np.zeros(0, dtype=np.int64)
    report = replace(
        serial_report(),
        **dict.fromkeys(("course_rate", "course_low", "course_high"), none),
        **dict.fromkeys(("size_edges", "efficiency", "sizes_corrected", "sizes_sigma"), none),
        **dict.fromkeys(("particle_sizes", "particle_sigmas"), none),
        **dict.fromkeys(("course_shots", "sizes_seen", "particle_shots"), count),
    )

    header, arrays = serial.take_apart(report)

    assert serial.put_together(header, arrays).size_edges.shape == (0,)


def test_a_part_of_the_shots_says_how_many_of_how_many_and_why() -> None:
    part = Fraction(what="searched for peaks", done=312, of=3520, why="one shot in 10")

    assert part.words == "312 of 3520 searched for peaks: one shot in 10"
    assert Fraction(what="searched", done=5, of=5).words == "5 of 5 searched"
