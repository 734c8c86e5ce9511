"""What the numbers of a pump-probe run mean, in words for somebody who is tired."""

import math

import numpy as np

from livepdf.model.laser import LaserReport, LaserTest, Limits, ShotCounts
from livepdf_gui.show.headline import Item
from livepdf_gui.show.theme import Level
from livepdf_gui.show.words import count, plural, seconds

_LEAST_P = 0.001
"""What 999 flips can tell at best."""
_LAMPS: tuple[tuple[str, str, str], ...] = (
    ("in turn", "on/off in turn", "in blocks, not in turn"),
    ("drift", "no drift", "σ falls as"),
    ("timing tool", "", "broader"),
    ("saturation", "", "saturat"),
)
"""(name of the lamp, what it says when all is well, part of the warning that raises it); one that
says nothing when all is well is there only when it is raised."""


def verdict(test: LaserTest, *, bins: int) -> tuple[str, Level]:
    """Say whether the laser does something in a bin, and how urgent that is.

    Who looks at many bins finds a small p in one of them by chance: p is taken times their number
    (Bonferroni).
    """
    if test.reason or not math.isfinite(test.p):
        return f"No verdict yet: {test.reason or 'no test'}.", "quiet"
    p = "p ≤ 0.001" if test.p <= _LEAST_P else f"p = {test.p:.2g}"
    often = f"{p}: without any effect, {_one_in(test.p)} would differ this much"
    if test.p > 0.05:
        return f"No effect seen. {often}.", "quiet"
    if test.p * bins > 0.05:
        return f"Perhaps an effect, but {plural(bins, 'bin')} are looked at. {often}.", "warn"
    if test.p > 0.01:
        return f"Probably an effect of the laser. {often}.", "warn"
    return f"An effect of the laser. {often}.", "good"


def resolution(limits: Limits) -> str:
    """Say what of Q goes into G(r), and which distances it can tell apart."""
    width = peak_width(limits)
    window = "no taper" if limits.taper == "none" else f"taper {limits.taper}"
    return (
        f"Q {limits.qmin:g} to {limits.qmax:g} Å⁻¹, {window}: "
        f"a sharp distance is {width:.2f} Å wide in G(r)"
    )


def peak_width(limits: Limits) -> float:
    """Return the full width at half maximum, Å, of a single distance in G(r)."""
    q = np.linspace(0.0, limits.qmax, 400)
    weight = _tapers(q, limits)
    r = np.linspace(0.0, 8.0 / limits.qmax, 400)
    height = np.cos(np.outer(r, q)) @ weight
    below = int(np.flatnonzero(height < 0.5 * height[0])[0])
    part = (height[below - 1] - 0.5 * height[0]) / (height[below - 1] - height[below])
    return float(2 * (r[below - 1] + part * (r[1] - r[0])))


def _tapers(q: np.ndarray, limits: Limits) -> np.ndarray:
    match limits.taper:
        case "lorch":
            return np.sinc(q / limits.qmax)
        case "lorch-pdfgetx3":
            reach = np.clip(q - limits.qmin, 0.0, None)
            return np.sinc(reach / (limits.qmax - limits.qmin))
        case "cosine":
            return np.cos(np.pi * q / (2 * limits.qmax))
    return np.ones(q.shape)


def class_items(counts: ShotCounts) -> tuple[Item, ...]:
    """Return where every shot ended: classes, rejected by reason, outside all bins."""
    known = dict(counts.classes)
    items = [
        Item(label=label, text=count(known[name]), hint=hint)
        for name, label, hint in _CLASSES
        if name in known
    ]
    others = [name for name in known if name not in {one[0] for one in _CLASSES}]
    items += [Item(label=name, text=count(known[name])) for name in others]
    for missing, hint in (("on", _NO_ON), ("off", _NO_OFF)):
        if counts.received and missing not in known:
            label = "with laser" if missing == "on" else "without"
            items.append(Item(label=label, text="0", level="bad", hint=hint))
    if counts.outside:
        items.append(Item(label="in no bin", text=count(counts.outside), level="warn", hint=_OUT))
    rejected = sorted(counts.rejected, key=lambda pair: -pair[1])
    total = sum(number for _, number in rejected)
    why = "\n".join(f"{reason}: {count(number)}" for reason, number in rejected)
    level: Level = "bad" if 10 * total > counts.received else "warn" if total else "quiet"
    said = count(total) if not rejected else f"{count(total)}: mostly {rejected[0][0]}"
    items.append(Item(label="rejected", text=said, level=level, hint=why or "Shots in no class."))
    return tuple(items)


def lamps(report: LaserReport) -> tuple[Item, ...]:
    """Return what is watched about the shots: a sign and its name, the words on hover."""
    left = list(report.warnings)
    items = []
    for name, well, part in _LAMPS:
        raised = [words for words in left if part in words]
        left = [words for words in left if words not in raised]
        if raised:
            items.append(Item(label=name, text=f"✗ {name}: {raised[0]}", level="bad",
                              hint="\n".join(raised)))  # fmt: skip
        elif well and any(math.isfinite(test.z) for test in report.tests):
            items.append(Item(label=name, text=f"✓ {well}", level="good", hint=_WELL[name]))
    items += [Item(label="warning", text=f"✗ {w}", level="bad", hint=w) for w in left]
    return tuple(items)


def shots_missing(test: LaserTest, *, per_second: float) -> str:
    """Say how many more shots, and how long, until five σ."""
    needed = test.shots_to_five_sigma
    if test.reason or not math.isfinite(needed):
        return "shots to 5σ: not yet known, nothing stands out"
    if needed <= test.shots:
        return f"5σ is reached with {count(test.shots)} shots"
    more = math.ceil(needed) - test.shots
    words = f"5σ at about {count(math.ceil(needed))} shots with the laser: {count(more)} more"
    return f"{words}, {seconds(more / per_second)}" if per_second > 0 else words


def why_no_shots(counts: ShotCounts) -> str:
    """Say what to do when no difference can be made; empty when one can."""
    known = dict(counts.classes)
    if not counts.received:
        return "Waiting for the first shot of this run."
    if known.get("on") and known.get("off"):
        return ""
    if counts.rejected and not known:
        reason, number = max(counts.rejected, key=lambda pair: pair[1])
        return (
            f"All {count(counts.received)} shots are rejected, {count(number)} of them because: "
            f"{reason}.\nLook at [pump_probe] in the recipe: names of values, gates, units."
        )
    return _NO_ON if not known.get("on") else _NO_OFF


def _one_in(p: float) -> str:
    if p <= _LEAST_P:
        return "fewer than one run in 1000"
    return f"one run in {1 / p:.0f}" if p < 0.4 else f"{100 * p:.0f} runs in 100"


_CLASSES = (
    ("on", "with laser", "Shots with X-rays and laser; they are in the bins of the delay."),
    ("off", "without", "Shots with X-rays and no laser: what the others are compared with."),
    ("laser only", "laser only", "Shots with the laser and no X-rays."),
    ("dark", "dark", "Shots with neither."),
)
_NO_ON = (
    "No shot with the laser so far.\nIf the laser fires: see [pump_probe] laser in the recipe, its "
    "name and what counts as yes."
)
_NO_OFF = (
    "No shot without the laser so far, and a difference needs both.\nBlock the laser now and then, "
    "best at every other shot; else see [pump_probe] laser in the recipe."
)
_OUT = (
    "Shots with the laser whose delay is in none of the bins: see [pump_probe] bins, and unit, "
    "sign and reference of the delay."
)
_WELL = {
    "in turn": "Shots with and without the laser take turns: a slow drift of the beam is in both.",
    "drift": "σ falls as 1/√shots, as it does while nothing drifts between the blocks of time.",
}
