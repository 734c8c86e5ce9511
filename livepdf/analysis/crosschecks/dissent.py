"""When a size without the fit goes on to disagree with that of the fit."""

from collections.abc import Iterable

from livepdf.analysis.crosschecks.checks import DISAGREEMENT
from livepdf.model.curve import Trend

_BEYOND = 3.0
"""σ, in common."""
_SHARE = 0.1
"""Of the size: less is of no consequence, however sure it is."""
_IN_A_ROW = 5
_SIZE = "domain size"


class Dissent:
    """Takes the trends of one window after the other; tells each disagreement once a run."""

    def __init__(self) -> None:
        self._row = dict.fromkeys(DISAGREEMENT, 0)
        self._told: set[str] = set()

    def add(self, trends: Iterable[Trend]) -> list[str]:
        """Return in words what has now disagreed often enough in a row."""
        found = {trend.name: trend for trend in trends}
        fitted, words = found.get(_SIZE), []
        for check, name in DISAGREEMENT.items():
            away, other = found.get(name), found.get(check)
            if fitted is None or away is None or other is None or away.value != away.value:
                continue
            apart = abs(other.value - fitted.value) > _SHARE * fitted.value
            wrong = apart and abs(away.value) > _BEYOND
            self._row[check] = self._row[check] + 1 if wrong else 0
            if self._row[check] >= _IN_A_ROW and check not in self._told:
                self._told.add(check)
                words.append(
                    f"{check} is {other.value:.1f} ± {other.sigma:.1f} Å, that of the fit "
                    f"{fitted.value:.1f} ± {fitted.sigma:.1f} Å: one of them is wrong; look at "
                    "reduced χ², the shape and the structures"
                )
        return words
