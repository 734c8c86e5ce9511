import numpy as np
from livepdf_gui.show.timescale import round_step, time_scale


def _even(windows: int, period: float, start: float = 1000.0):
    begin = start + period * np.arange(windows)
    return time_scale(begin, begin + period)


def test_place_and_time_undo_each_other_inside_and_beyond_the_run() -> None:
    scale = _even(50, 2.0)
    places = np.array([-3.0, 0.0, 12.5, 49.0, 80.0])

    times = np.array([scale.time(p) for p in places])

    np.testing.assert_allclose(times, 1000.0 + 2.0 * places, atol=1e-4)
    np.testing.assert_allclose(scale.place(times), places, atol=1e-4)


def test_a_pause_in_the_run_takes_no_room_but_the_ticks_know_of_it() -> None:
    begin = np.array([0.0, 10.0, 20.0, 1000.0, 1010.0, 1020.0])
    scale = time_scale(begin, begin + 10.0)

    assert scale.time(4.5) - scale.time(1.5) > 900.0
    texts = [text for _, text in scale.ticks(0.0, 6.0, 4)]
    assert "0" in texts
    assert scale.unit == "min"


def test_ticks_are_round_times_in_the_unit_of_the_axis() -> None:
    scale = _even(600, 1.0)

    ticks = scale.ticks(0.0, 600.0, 5)

    assert scale.unit == "min"
    assert [text for _, text in ticks] == ["0", "2", "4", "6", "8", "10"]
    np.testing.assert_allclose(
        [place for place, _ in ticks], [0, 120, 240, 360, 480, 600], atol=0.01
    )


def test_absent_windows_leave_their_place_empty() -> None:
    begin = np.array([0.0, np.nan, 20.0])
    scale = time_scale(begin, begin + 10.0)

    np.testing.assert_allclose(scale.places, [0.5, 2.5])


def test_steps_are_one_two_or_five_times_a_power_of_ten() -> None:
    assert [round_step(x) for x in (0.07, 0.1, 0.15, 3.0, 7.0)] == [0.1, 0.1, 0.2, 5.0, 10.0]


def test_no_window_gives_no_tick() -> None:
    empty = time_scale(np.zeros(0), np.zeros(0))

    assert empty.ticks(0.0, 20.0, 5) == []
