"""Read what a sample is made of: ``PbTi0.5Zr0.5O3``, ``Ca(OH)2``, ``Pb 1 Ti 1/2 Zr 1/2 O 3``."""

import re
from collections.abc import Mapping

from periodictable import elements

_TOKEN = re.compile(
    r"\s*(?:(?P<element>[A-Z][a-z]?)|(?P<number>\d+(?:\.\d*)?(?:/\d+)?|\.\d+)|(?P<bracket>[()]))"
)
# D and T are hydrogen to X-rays, but not to neutrons.
_SYMBOLS = frozenset(str(element) for element in elements if element.number > 0) | {"D", "T"}
_ATOMS_PER_MOL = 6.02214076e23
_MOST = 1e6
"""Atoms of one element in a formula unit; more is a slip, and overflows at last."""


def parse_composition(text: str) -> dict[str, float]:
    """Return atoms per formula unit by element, in order of first appearance.

    Fractions, nested parentheses, repeated elements and spaces are allowed. ValueError names
    what cannot be read: an unknown element, a stray character, an unbalanced parenthesis, a
    composition without atoms.
    """
    groups: list[dict[str, float]] = [{}]
    pending: dict[str, float] = {}
    for kind, word in _tokens(text):
        if kind == "number":
            if not pending:
                raise ValueError(
                    f"composition {_short(text)}: the number {word} follows no element"
                )
            _add(groups[-1], pending, _number(word))
            pending = {}
            continue
        _add(groups[-1], pending, 1.0)
        pending = {}
        if kind == "element":
            if word not in _SYMBOLS:
                raise ValueError(f"composition {_short(text)}: {word} is no element")
            pending = {word: 1.0}
        elif word == "(":
            groups.append({})
        elif len(groups) == 1:
            raise ValueError(f"composition {_short(text)}: a parenthesis closes that never opened")
        else:
            pending = groups.pop()
    _add(groups[-1], pending, 1.0)
    if len(groups) > 1:
        raise ValueError(f"composition {_short(text)}: a parenthesis is never closed")
    if not sum(groups[0].values()) > 0:
        raise ValueError(f"composition {_short(text)} holds no atoms")
    for element, count in groups[0].items():
        if count > _MOST:
            wanted = f"wanted at most {_MOST:.0f}"
            raise ValueError(f"composition {_short(text)} holds {count:.3g} {element}, {wanted}")
    return groups[0]


def number_density(composition: Mapping[str, float], *, density: float) -> float:
    """Return atoms per Å³ of a substance of ``density`` g/cm³; ValueError unless positive."""
    if not density > 0:
        raise ValueError(f"density is {density} g/cm³, wanted more than 0")
    mass = sum(count * elements.symbol(element).mass for element, count in composition.items())
    return float(density / mass * sum(composition.values()) * _ATOMS_PER_MOL * 1e-24)


def _short(text: str) -> str:
    return repr(text if len(text) <= 80 else f"{text[:77]}...")


def _tokens(text: str) -> list[tuple[str, str]]:
    found = []
    position = 0
    end = len(text.rstrip())
    while position < end:
        match = _TOKEN.match(text, position)
        if match is None or match.lastgroup is None:
            raise ValueError(
                f"composition {_short(text)}: cannot read {_short(text[position:].strip())}"
            )
        found.append((match.lastgroup, match.group(match.lastgroup)))
        position = match.end()
    return found


def _number(word: str) -> float:
    numerator, _, denominator = word.partition("/")
    if denominator and float(denominator) == 0:
        raise ValueError(f"composition: {word} divides by zero")
    return float(numerator) / float(denominator or 1)


def _add(total: dict[str, float], part: dict[str, float], times: float) -> None:
    for element, count in part.items():
        total[element] = total.get(element, 0.0) + count * times
