"""Numbers and times as people read them."""

import math
import time


def with_sigma(value: float, sigma: float) -> str:
    """Write ``value ± sigma`` with as many digits as σ allows: two of its own."""
    if not math.isfinite(value):
        return "–"
    if not (math.isfinite(sigma) and sigma > 0):
        return f"{value:.4g}"
    decimals = min(max(1 - math.floor(math.log10(sigma)), 0), 9)
    return f"{value:.{decimals}f} ± {sigma:.{decimals}f}"


def compact(text: str) -> str:
    """Write ``5.125 ± 0.012`` as crystallographers do, ``5.125(12)``; other texts stay."""
    value, sign, sigma = text.partition(" ± ")
    if not sign:
        return text
    whole = sigma.partition(".")[0].strip("0")
    return f"{value}({sigma if whole else sigma.replace('.', '').lstrip('0')})"


def seconds(value: float) -> str:
    """Write a duration with its unit, from ms to days; ``–`` where there is none."""
    if not math.isfinite(value):
        return "–"
    if abs(value) < 0.9995:
        return f"{value * 1000:.0f} ms"
    if abs(value) < 100:
        return f"{value:.1f} s"
    if abs(value) < 6000:
        return f"{value / 60:.0f} min"
    if abs(value) < 172800:
        return f"{value / 3600:.1f} h"
    return f"{value / 86400:.0f} days"


def count(value: int) -> str:
    """Write a count with thin spaces between thousands."""
    return f"{value:,}".replace(",", "\u2009")


def clock(moment: float) -> str:
    """Write the local time of day of a moment in Unix seconds."""
    return time.strftime("%H:%M:%S", time.localtime(moment)) if math.isfinite(moment) else "–"


def level(value: float) -> str:
    """Write a value of a colour scale in at most six characters."""
    if 1000 <= abs(value) < 99_999.5:
        return f"{value:.0f}"
    return f"{value:.3g}" if abs(value) < 1000 else f"{value:.1e}".replace("e+0", "e")


def plural(number: int, noun: str) -> str:
    """Write a count with its noun."""
    return f"{count(number)} {noun}" if number == 1 else f"{count(number)} {noun}s"
