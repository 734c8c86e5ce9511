"""What a shot is, from what the beamline recorded of it; nothing is guessed."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

from livepdf.analysis.pump_probe.delay import DelayPart, delay
from livepdf.model.shot import ShotClass, ShotLabel

Record = Mapping[str, float | int | str | bool | None]
"""The values of one shot by name; trouble comes as text, e.g. ``"not-converged"``."""


class ShotError(ValueError):
    """The records do not make a usable shot; ``reason`` is what it is counted under."""

    def __init__(self, reason: str, detail: str) -> None:
        super().__init__(f"{reason}: {detail}")
        self.reason = reason


@dataclass(frozen=True, slots=True, kw_only=True)
class Flag:
    """A recorded value that says yes or no."""

    name: str
    yes: tuple[float | str, ...] = (1,)
    no: tuple[float | str, ...] = (0,)

    def read(self, record: Record) -> bool:
        """Return what it says; `ShotError` where it says neither."""
        value = _value(self.name, record)
        if value in self.yes:
            return True
        if value in self.no:
            return False
        wanted = f"one of {[*self.yes, *self.no]}"
        raise ShotError("unknown flag", f"{self.name}: found {value!r}, wanted {wanted}")


@dataclass(frozen=True, slots=True, kw_only=True)
class Gate:
    """Limits between which a recorded number is believed, both included."""

    name: str
    low: float = -math.inf
    high: float = math.inf

    def check(self, record: Record) -> None:
        """`ShotError` when the number is outside, missing or text."""
        value = number(self.name, record)
        if not self.low <= value <= self.high:
            limits = f"{self.low:g} to {self.high:g}"
            raise ShotError(f"{self.name} outside", f"found {value:g}, wanted {limits}")


@dataclass(frozen=True, slots=True, kw_only=True)
class ShotRules:
    """How the classes are told apart at this beamline."""

    laser: Flag | Literal["even", "odd"] | None
    """A flag, or the parity of the train number at which the laser fires; None for no laser."""
    i0: Gate
    parts: Sequence[DelayPart] = ()
    """Of the delay; it is NaN without any."""
    arrival: DelayPart | None = None
    """Of the arrival-time tool, added for shots with the laser alone."""
    arrival_gates: Sequence[Gate] = ()
    """Amplitude, width and position between which the tool is believed."""
    xrays: Sequence[Flag] = ()
    """All must agree, e.g. the shutter's open and (turned round) closed switch."""
    energy: Gate | None = None
    """keV; shots outside are rejected."""
    darks_first: bool = False
    """Darks are believed only before the first lit shot, where shutters are known to lie."""


def classify(record: Record, *, train: int, rules: ShotRules) -> ShotLabel:
    """Return what a shot is.

    Raises
    ------
    ShotError
        A value is missing, is text where a number is wanted, contradicts another or lies outside
        its gate.
    """
    laser, lit = _laser(record, train=train, rules=rules), _lit(record, rules.xrays)
    if not lit:
        dark: ShotClass = "laser only" if laser else "dark"
        return ShotLabel(kind=dark, delay=math.nan, i0=0.0)
    rules.i0.check(record)
    energy = math.nan
    if rules.energy is not None:
        rules.energy.check(record)
        energy = number(rules.energy.name, record)
    return ShotLabel(
        kind="on" if laser else "off",
        delay=_delay(record, laser=laser, rules=rules),
        i0=number(rules.i0.name, record),
        energy=energy,
        arrival=_added(record, rules.arrival) if laser and rules.parts else math.nan,
    )


def number(name: str, record: Record) -> float:
    """Return a recorded number; `ShotError` where there is none."""
    value = _value(name, record)
    if isinstance(value, str) or not math.isfinite(value):
        raise ShotError(f"no {name}", f"found {value!r}, wanted a number")
    return float(value)


def _value(name: str, record: Record) -> float | str:
    value = record.get(name)
    if value is None:
        raise ShotError(f"no {name}", "it is missing from the records of the shot")
    return value


def _laser(record: Record, *, train: int, rules: ShotRules) -> bool:
    if isinstance(rules.laser, Flag):
        return rules.laser.read(record)
    if rules.laser is None:
        return False
    return train % 2 == (0 if rules.laser == "even" else 1)


def _lit(record: Record, flags: Sequence[Flag]) -> bool:
    said = [flag.read(record) for flag in flags]
    if len(set(said)) > 1:
        names = " and ".join(flag.name for flag in flags)
        raise ShotError("flags contradict", f"{names} say {said}")
    return said[0] if said else True


def _delay(record: Record, *, laser: bool, rules: ShotRules) -> float:
    parts = list(rules.parts)
    if not parts:
        return math.nan
    if laser and rules.arrival is not None:
        for gate in rules.arrival_gates:
            gate.check(record)
        parts.append(rules.arrival)
    return delay(parts, {part.name: number(part.name, record) for part in parts})


def _added(record: Record, tool: DelayPart | None) -> float:
    return math.nan if tool is None else delay([tool], {tool.name: number(tool.name, record)})
