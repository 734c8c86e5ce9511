"""The strip on top: what runs, how it does, and the numbers that matter, in words."""

from dataclasses import dataclass
from pathlib import PurePath

import numpy as np

from livepdf.model.curve import Trend
from livepdf.model.quality import Lamp
from livepdf.model.status import Disk, Status
from livepdf_gui.show.columns import History
from livepdf_gui.show.shown import Shown
from livepdf_gui.show.state import State
from livepdf_gui.show.theme import Level
from livepdf_gui.show.words import compact, count, level, plural, seconds, with_sigma

_STATES: dict[str, tuple[str, Level]] = {
    "starting": ("starting up", "quiet"),
    "waiting": ("waiting for frames", "warn"),
    "running": ("measuring", "good"),
    "paused": ("paused: frames are counted, no windows are made", "warn"),
    "draining": ("finishing: working off what is queued", "warn"),
    "stopped": ("stopped", "quiet"),
}
STALE, DEAD = 5.0, 30.0
"""s (or as many frame periods) after which the data age turns amber, then red."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Item:
    """A label, what it says, how urgent that is, and what it means."""

    label: str
    text: str
    level: Level = "quiet"
    hint: str = ""
    wordy: bool = False
    """A sentence where a number was expected: written smaller."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Headline:
    """Everything in the strip on top."""

    run: Item
    state: Item
    connection: Item
    age: Item
    lag: Item
    frames: tuple[Item, ...]
    output: Item
    numbers: tuple[Item, ...]
    lamps: tuple[Item, ...]
    """How good the newest frames are, each with its reason."""
    control: Item
    problems: tuple[str, ...]


def headline(state: State, shown: Shown, *, now: float) -> Headline:
    """Put the state of the daemon into words; ``now`` is monotonic seconds."""
    status = state.status
    return Headline(
        run=_run(state),
        state=_state(status),
        connection=_connection(state),
        age=_age(state, now),
        lag=_lag(status),
        frames=_frames(status),
        output=_output(status),
        numbers=_numbers(state, shown),
        lamps=lamps(status),
        control=_control(state),
        problems=status.problems if status else (),
    )


def data_age(state: State, now: float) -> float:
    """Return s since the newest frame, by the daemon's clock: ours may differ from it."""
    status = state.status
    if status is None:
        return float("nan")
    return status.time - status.newest + (now - state.status_heard)


def refusals(status: Status | None) -> tuple[tuple[str, int], ...]:
    """Return the reasons for which frames were refused, the most frequent first."""
    if status is None:
        return ()
    return tuple(sorted(status.counters.refused.items(), key=lambda pair: -pair[1]))


def counters(status: Status | None) -> tuple[Item, ...]:
    """Return the rows of the counters' table."""
    if status is None:
        return ()
    received, used, refused, waiting, lost = _frames(status)
    reasons = [
        Item(label=f"    {reason}", text=count(number), level="bad")
        for reason, number in refusals(status)
    ]
    rows = [received, used, refused, *reasons, waiting, lost]
    full = status.queue_bytes / status.queue_limit if status.queue_limit else 0.0
    queue = f"{status.queue_bytes / 1e6:.0f} / {status.queue_limit / 1e6:.0f} MB"
    rows += [
        Item(label="rate", text=f"{status.rate:.1f} /s", hint="Frames received per second."),
        Item(
            label="queue",
            text=queue,
            level="warn" if full > 0.8 else "quiet",
            hint="Compressed frames waiting in memory; beyond the limit they go to disk.",
        ),
        Item(label="windows", text=count(status.windows), hint="Windows finished in this run."),
    ]
    return tuple(rows)


def lamps(status: Status | None) -> tuple[Item, ...]:
    """Return what is watched about the frames: a sign, its name and the reason."""
    if status is None:
        return ()
    disk = () if status.disk is None else (_disk(status.disk),)
    return (*(_lamp(lamp) for lamp in status.quality), *disk)


def _lamp(lamp: Lamp) -> Item:
    watched = lamp.limit == lamp.limit
    flagged = f"\n{plural(lamp.frames, 'frame')} of this run flagged" if lamp.frames else ""
    sampled = "\nOnly some of the frames are looked at." if lamp.sampled else ""
    if lamp.value == lamp.value:
        limit = f", limit {lamp.limit:.3g}" if watched else ", not watched"
        said = f"{lamp.name}: {lamp.value:.3g} {lamp.unit}{limit}"
    else:
        said = f"{lamp.name}: {lamp.reason or 'no number yet'}"
    sign, level = ("✓", "good") if lamp.value == lamp.value and watched else ("–", "quiet")
    if lamp.raised:
        sign, level = "✗", "bad"
    return Item(
        label=lamp.name, text=f"{sign} {lamp.name}", level=level, hint=said + flagged + sampled
    )


def _disk(disk: Disk) -> Item:
    """Say how long there is room for results."""
    said = f"{level(disk.free / 1e9)} GB free"
    if disk.lasts < 365 * 86400:
        said = f"{said}, full in {seconds(disk.lasts)} at the present {level(disk.pace / 1e6)} MB/s"
    hint = f"disk: {said}\n{disk.folder}"
    return Item(
        label="disk",
        text="✗ disk" if disk.short else "✓ disk",
        level="bad" if disk.short else "good",
        hint=hint,
    )


def _control(state: State) -> Item:
    """Say who may change things."""
    holder = state.status.control if state.status is not None else ""
    hint = "Who may pause, retune and capture; anybody may look and set marks. Key C takes it."
    if state.in_control:
        return Item(label="control", text="here", level="good", hint=hint)
    if holder:
        return Item(label="control", text=f"with {holder}", level="warn", hint=hint)
    return Item(label="control", text="free", hint=hint)


def _run(state: State) -> Item:
    snapshot, status = state.snapshot, state.status
    if status is None:
        return Item(label="run", text="no run yet")
    text = status.run or "no run yet"
    hint = f"source: {status.source} {status.source_state}".strip()
    if snapshot is None:
        return Item(label="run", text=text, hint=hint)
    sample = snapshot.sample or "sample without a name"
    formula = f" ({snapshot.composition})" if snapshot.composition not in ("", sample) else ""
    return Item(
        label=f"{sample}{formula}",
        text=text,
        hint=f"instrument: {snapshot.profile}\n{hint}\n{snapshot.software}",
    )


def _state(status: Status | None) -> Item:
    hint = "What the daemon is doing."
    if status is None:
        return Item(label="state", text="unknown", hint=hint)
    words, level = _STATES[status.state]
    if status.source_state:
        hint = f"source {status.source}: {status.source_state}"
    if status.preparing:
        hint = f"{hint}\n{status.preparing}: once after an install or update."
    if status.preparing and status.state == "starting":
        words = f"preparing: {status.preparing}"
    return Item(label="state", text=words, level=level, hint=hint)


def _connection(state: State) -> Item:
    hint = f"The daemon at {state.endpoint}. This window connects again by itself."
    level = "good" if state.connected else ("bad" if state.met else "warn")
    if state.status is not None and state.status.state == "stopped":
        level = "quiet"
    return Item(label="connection", text=state.connection, level=level, hint=hint)


def _age(state: State, now: float) -> Item:
    age = data_age(state, now)
    status = state.status
    if not age >= 0 and not age < 0:
        return Item(label="data age", text="no frame yet", hint=_AGE)
    period = 1.0 / status.rate if status and status.rate > 0 else 1.0
    unit = max(period, 1.0)
    busy = status is not None and status.state in ("running", "waiting")
    level = "bad" if age > DEAD * unit else "warn" if age > STALE * unit else "good"
    return Item(
        label="data age", text=seconds(max(age, 0.0)), level=level if busy else "quiet", hint=_AGE
    )


_AGE = "Time since the newest frame arrived: it grows when the beamline sends nothing."
_LAG = "Time from the arrival of a frame to its published result: it grows when livepdf is slow."


def _lag(status: Status | None) -> Item:
    if status is None or status.lag != status.lag:
        return Item(label="lag", text="–", hint=_LAG)
    level = "bad" if status.lag > 10 else "warn" if status.lag > 2 else "good"
    return Item(label="lag", text=seconds(status.lag), level=level, hint=_LAG)


def _frames(status: Status | None) -> tuple[Item, ...]:
    if status is None:
        return ()
    counts = status.counters
    refused = sum(counts.refused.values())
    why = "\n".join(f"{reason}: {count(n)}" for reason, n in refusals(status))
    return (
        Item(
            label="received",
            text=count(counts.received),
            level="quiet" if counts.add_up() else "bad",
            hint="Frames that arrived; always = used + refused + waiting.",
        ),
        Item(label="used", text=count(counts.used), hint="Frames that are in the results."),
        Item(
            label="refused",
            text=count(refused),
            level="bad" if refused else "quiet",
            hint=why or "Frames that could not be used, by reason.",
        ),
        Item(
            label="waiting",
            text=count(counts.waiting),
            hint="Frames in the queue, in work, or spooled to disk: late, not lost.",
        ),
        Item(
            label="lost",
            text=count(counts.lost),
            level="bad" if counts.lost else "quiet",
            hint="Frames that the detector numbered but that never arrived here.",
        ),
    )


def folded(lamps: tuple[Item, ...]) -> tuple[Item, ...]:
    """Return the lamps with all that are good as one, for where there is little room."""
    good = [lamp for lamp in lamps if lamp.level == "good"]
    others = tuple(lamp for lamp in lamps if lamp.level != "good")
    hint = "\n".join(lamp.hint for lamp in good)
    one = Item(label="", text=f"✓ {plural(len(good), 'watch')} all right", hint=hint, level="good")
    return (*others, one) if good else others


def _output(status: Status | None) -> Item:
    if status is None or not status.output:
        return Item(label="file", text="none open", hint="No results file is being written.")
    name = PurePath(status.output).name
    if status.recording:
        hint = f"{status.output}\nEvery message of the detector goes to {status.recording}"
        return Item(label="file   ● stream recorded", text=name, hint=hint)
    return Item(label="file", text=name, hint=status.output)


def _numbers(state: State, shown: Shown) -> tuple[Item, ...]:
    if shown.together is not None and state.history is not None:
        return _numbers_together(state, state.history, shown)
    trends = shown.result.trends if shown.result is not None else _row_trends(state, shown)
    chosen = [found for words in _WANTED if (found := _first(trends, words)) is not None]
    peaks = [t for t in trends if t.name.endswith("position")]
    items = [_number(t) for t in (*chosen, *peaks)[: _NUMBERS - 1]]
    return (*items, _onset(state, trends), _window(state, shown))


def _numbers_together(state: State, history: History, shown: Shown) -> tuple[Item, ...]:
    """Return how the numbers go from the first to the last of the windows that are shown as one."""
    assert shown.together is not None
    first, last = shown.together
    at_last = history.trends_of(last)
    chosen = [found for words in _WANTED if (found := _first(at_last, words)) is not None]
    items = [_course(trend, history, first, last) for trend in chosen[: _NUMBERS - 1]]
    return (*items, _onset(state, at_last), _window(state, shown))


def _course(trend: Trend, history: History, first: int, last: int) -> Item:
    column = history.trends[trend.name]
    value, sigma = column.value[first : last + 1], column.sigma[first : last + 1]
    known = np.flatnonzero(np.isfinite(value))
    if not known.size:
        return _number(trend)
    ends = [with_sigma(float(value[at]), float(sigma[at])) for at in (known[0], known[-1])]
    hint = (
        f"{trend.name}: {ends[0]} {trend.unit} in window {first + known[0]}, "
        f"{ends[1]} {trend.unit} in window {first + known[-1]}; withheld in "
        f"{value.size - known.size} of {plural(value.size, 'window')}."
    )
    label = f"{trend.name} ({trend.unit})" if trend.unit else trend.name
    return Item(label=label, text=" → ".join(map(compact, ends)), hint=hint)


def _row_trends(state: State, shown: Shown) -> tuple[Trend, ...]:
    history = state.history
    return () if history is None or shown.row is None else history.trends_of(shown.row)


_NUMBERS = 4
_WANTED = (("domain size", "size"), ("lattice a", "lattice"), ("conversion",))
"""Words that the names of the first numbers hold, the best first."""


def _first(trends: tuple[Trend, ...], words: tuple[str, ...]) -> Trend | None:
    for word in words:
        for trend in trends:
            if trend.name.startswith(word) or f" {word}" in trend.name:
                return trend
    return None


def _onset(state: State, trends: tuple[Trend, ...]) -> Item:
    """Return when something began: measured, told as an event, or not yet."""
    hint = "When the first trace of the product is proved, since the run began."
    trend = _first(trends, ("onset",))
    if trend is not None:
        return _number(trend)
    run = state.history.run if state.history is not None else ""
    told = [e for e in state.events if e.kind == "onset" and e.run in ("", run)]
    if not told or state.history is None or not state.history.here.any():
        return Item(label="onset", text="not yet", hint=hint)
    began = float(state.history.start[state.history.here][0])
    return Item(label="onset", text=seconds(told[-1].time - began), hint=f"{told[-1].text}\n{hint}")


_LONGEST = 76
"""Letters of a reason in the strip on top: two lines; the rest appears on hover."""


def _number(trend: Trend) -> Item:
    if trend.value == trend.value:
        label = f"{trend.name} ({trend.unit})" if trend.unit else trend.name
        text = with_sigma(trend.value, trend.sigma)
        return Item(label=label, text=text, hint=f"{trend.name}, ± one standard uncertainty.")
    hint = f"This number cannot be trusted: {trend.reason}."
    words = f"{trend.name} withheld: {trend.reason}"
    if len(words) > _LONGEST:
        words = f"{words[: _LONGEST - 1].rstrip()} …"
    return Item(label=f"{trend.name}: withheld", text=words, level="warn", hint=hint, wordy=True)


def _window(state: State, shown: Shown) -> Item:
    hint = "Window that all panels show; the arrow keys go through the run, L returns to live."
    if shown.span is None:
        return Item(label="window", text="–", hint=hint)
    if shown.span.scope == "run":
        return Item(label="whole run", text=plural(shown.span.frames, "frame"), hint=hint)
    if shown.together is not None:
        first, last = shown.together
        return Item(label="windows, as one", text=f"{first}–{last}", level="warn", hint=hint)
    newest = len(state.history) - 1 if state.history is not None else shown.span.number
    if shown.span.number == newest:
        return Item(label="window (newest)", text=f"{newest}", hint=hint)
    return Item(label="window", text=f"{shown.span.number} of {newest}", level="warn", hint=hint)
