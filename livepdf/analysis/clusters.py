"""Whether what forms first may be clusters of the precursor that grew in the heat."""

from collections.abc import Iterable

from livepdf.analysis.estimator.verdict import CLUSTERS
from livepdf.model.curve import Trend

_WINDOWS = 2
"""Of a run. Of 15 simulated precursors that condense each gave 2 to 8, of 15 that stay none any."""


class Clusters:
    """Takes the trends of one window after the other; tells it once a run."""

    def __init__(self) -> None:
        self._seen = 0

    def add(self, trends: Iterable[Trend]) -> list[str]:
        """Return in words that enough windows had no scale for that reason by now."""
        if not any(trend.reason.endswith(CLUSTERS) for trend in trends):
            return []
        self._seen += 1
        if self._seen != _WINDOWS:
            return []
        return [
            "what forms first is fitted as domains below 20 Å: a precursor that condenses in the "
            "heat looks so; until most has reacted conversion may be 0.15 too high and sizes are "
            "in part those of clusters; record the hot solution before crystals form as one more "
            "precursor"
        ]
