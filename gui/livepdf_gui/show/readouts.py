"""What is under the cursor, in words."""

import numpy as np

from livepdf_gui.show.columns import History
from livepdf_gui.show.session import View
from livepdf_gui.show.trends import slow_unit
from livepdf_gui.show.words import clock


def moment(view: View, place: float) -> str:
    """Tell the time and the window at a place on the time axis."""
    scale = view.scale
    if scale.places.size == 0:
        return ""
    when = scale.time(place)
    elapsed = f"{scale.elapsed(when):.2f} {scale.unit}"
    near = [e.text for e in view.events if abs(e.place - place) < _near(view)]
    said = f"   [{near[0]}]" if near else ""
    return f"window {int(np.floor(place))}, {clock(when)} ({elapsed}){said}"


def map_readout(view: View, place: float, height: float) -> str:
    """Tell what the map shows under the cursor."""
    number = int(np.floor(place))
    if view.map is None or view.history is None:
        return ""
    words = moment(view, place) + _slow_words(view.history, number)
    found = view.map.value(number, height)
    if found is None:
        return words
    at, value, exact = found
    said = f"{value:.3g}" if np.isfinite(value) else "no value"
    name, unit, over, over_unit = _MAP_WORDS[view.map.kind]
    about = "" if exact else "≈ "
    return f"{words}   {over} = {at:.2f} {over_unit}   {name} = {about}{said} {unit}".rstrip()


_MAP_WORDS = {
    "gr": ("G", "Å⁻²", "r", "Å"),
    "dgr": ("ΔG", "Å⁻²", "r", "Å"),
    "iq": ("I", "", "Q", "Å⁻¹"),
    "fq": ("F", "Å⁻¹", "Q", "Å⁻¹"),
}


def _slow_words(history: History, number: int) -> str:
    for name, values in history.environment.items():
        if 0 <= number < values.size and np.isfinite(values[number]):
            return f"   {name} {values[number]:.4g} {slow_unit(name)}".rstrip()
    return ""


def _near(view: View) -> float:
    return 0.006 * (view.places[1] - view.places[0])
