"""What goes wrong between a detector and its reader, on demand and the same at every repetition."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from random import Random
from typing import Literal

Role = Literal["start", "image", "end"]
Damage = Literal["cut", "flip", "garbage"]
_LONGEST_GARBAGE = 2000
"""Bytes of a message that is nothing."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Message:
    """One message of a detector, before anything happened to it."""

    role: Role
    parts: Sequence[bytes]


@dataclass(frozen=True, slots=True, kw_only=True)
class Pause:
    """The detector falls silent."""

    seconds: float


@dataclass(frozen=True, slots=True)
class Restart:
    """The detector's program goes away and comes back; its readers have to connect again."""


Step = Message | Pause | Restart


@dataclass(frozen=True, slots=True, kw_only=True)
class Faults:
    """How often what goes wrong; shares are of the images, 0 is never."""

    seed: int = 0
    loss: float = 0.0
    """Share of images that are never sent."""
    disorder: float = 0.0
    """Share of images that are overtaken by later ones."""
    depth: int = 3
    """Images that may overtake one."""
    duplicates: float = 0.0
    """Share of images that are sent twice."""
    corruption: float = 0.0
    """Share of images that arrive cut off, with a wrong bit, or as garbage."""
    stall_every: int = 0
    """Images between two silences."""
    stall_seconds: float = 5.0
    restart_every: int = 0
    """Images between two restarts of the sending program."""
    no_start: bool = False
    no_end: bool = False

    def __post_init__(self) -> None:
        """Refuse shares that are none."""
        for name in ("loss", "disorder", "duplicates", "corruption"):
            share = getattr(self, name)
            if not 0.0 <= share <= 1.0:
                raise ValueError(f"{name} is {share}, a share lies between 0 and 1")


@dataclass(slots=True)
class Tally:
    """What was done to the images, for the reader's counters to be held against."""

    images: int = 0
    """That the detector took."""
    lost: int = 0
    overtaken: int = 0
    doubled: int = 0
    corrupted: int = 0
    pauses: int = 0
    restarts: int = 0


def faulty(messages: Iterable[Message], faults: Faults, tally: Tally) -> Iterator[Step]:
    """Yield what really happens; ``tally`` counts along.

    Each image meets one fault at most.
    """
    random = Random(faults.seed)
    late: list[tuple[int, Message]] = []
    for message in messages:
        if message.role == "image":
            yield from _interruptions(faults, tally)
            yield from _image(message, faults, tally, random, late)
            continue
        if message.role == "end":
            yield from (held for _, held in late)
            late.clear()
        if not (faults.no_start if message.role == "start" else faults.no_end):
            yield message
    yield from (held for _, held in late)


def _interruptions(faults: Faults, tally: Tally) -> Iterator[Step]:
    done = tally.images
    if faults.stall_every and done and done % faults.stall_every == 0:
        tally.pauses += 1
        yield Pause(seconds=faults.stall_seconds)
    if faults.restart_every and done and done % faults.restart_every == 0:
        tally.restarts += 1
        yield Restart()


def _image(
    message: Message,
    faults: Faults,
    tally: Tally,
    random: Random,
    late: list[tuple[int, Message]],
) -> Iterator[Step]:
    tally.images += 1
    fate = random.random()
    if fate < (edge := faults.loss):
        tally.lost += 1
    elif fate < (edge := edge + faults.disorder):
        tally.overtaken += 1
        late.append((tally.images + random.randint(1, faults.depth), message))
        return
    elif fate < (edge := edge + faults.duplicates):
        tally.doubled += 1
        yield message
        yield message
    elif fate < edge + faults.corruption:
        tally.corrupted += 1
        yield replace(message, parts=corrupted(message.parts, random))
    else:
        yield message
    due = [entry for entry in late if entry[0] <= tally.images]
    for entry in due:
        late.remove(entry)
        yield entry[1]


def corrupted(parts: Sequence[bytes], random: Random) -> list[bytes]:
    """Return the parts of a message with one of them cut off, changed, or replaced by garbage."""
    damage: Damage = random.choice(("cut", "flip", "garbage"))
    if damage == "garbage":
        return [random.randbytes(random.randrange(1, _LONGEST_GARBAGE))]
    hurt = [bytes(part) for part in parts]
    number = max(range(len(hurt)), key=lambda n: len(hurt[n]))
    part = hurt[number]
    place = random.randrange(len(part)) if part else 0
    if damage == "cut":
        hurt[number] = part[:place]
    elif part:
        changed = part[place] ^ (1 << random.randrange(8))
        hurt[number] = part[:place] + bytes([changed]) + part[place + 1 :]
    return hurt
