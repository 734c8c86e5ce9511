"""What a viewer asks for next: the run as it was before it came, then what it missed."""

from livepdf.wire.messages import HistoryRequest, Snapshot, WindowRequest
from livepdf.wire.mirror import Mirror, RunWindows
from livepdf.wire.overview import OverviewRequest
from livepdf.wire.renewal import Renewal

_MOST = 500
"""Windows that are fetched at once."""


class Joining:
    """Knows what of a run is here and what is not."""

    def __init__(self) -> None:
        self._survey_due = False
        self._not_there = ""
        self.renewal = Renewal()
        """What was reduced again meanwhile."""

    def begin(self, snapshot: Snapshot, mirror: Mirror) -> None:
        """Join anew; what the mirror has of the run stays, and may have newer results."""
        status, windows = snapshot.status, mirror.windows
        if windows is not None and windows.run == status.run:
            self.renewal.rejoin(status.redo)
        else:
            self.renewal.join(status.redo)
        self._survey_due = mirror.takes_overviews

    def surveyed(self) -> None:
        """Note that the overview came, or that there is none."""
        self._survey_due = False

    def give_up(self, run: str) -> None:
        """Note that the last window of a run cannot be had."""
        self._not_there = run

    def next(self, mirror: Mirror) -> HistoryRequest | OverviewRequest | WindowRequest | None:
        """Return what is to be asked for; None when everything is here."""
        return self._missing(mirror) or self._newest(mirror)

    def _missing(self, mirror: Mirror) -> HistoryRequest | OverviewRequest | None:
        snapshot, windows = mirror.snapshot, mirror.windows
        if self._survey_due and snapshot is not None and snapshot.first_window >= 0:
            return OverviewRequest(run=snapshot.status.run)
        if snapshot is None or snapshot.first_window < 0:
            return None if windows is None else self._gap_or_newer(windows, windows.missing())
        run = snapshot.status.run
        if windows is None:
            return HistoryRequest(run=run, first=snapshot.first_window)
        missing = windows.missing()
        if windows.run == run and missing is None and len(windows) <= snapshot.last_window:
            missing = len(windows)
        return self._gap_or_newer(windows, missing)

    def _gap_or_newer(self, windows: RunWindows, missing: int | None) -> HistoryRequest | None:
        """Ask for what is missing, then for what was reduced again."""
        if missing is not None:
            return HistoryRequest(run=windows.run, first=missing)
        newer = self.renewal.next(windows.run, _MOST)
        return newer and HistoryRequest(run=windows.run, first=newer[0], limit=newer[1])

    def _newest(self, mirror: Mirror) -> WindowRequest | None:
        """Ask for the last window whole where no stream has brought one: the run may be over."""
        windows, latest = mirror.windows, mirror.latest
        if windows is None or not len(windows) or windows.run == self._not_there:
            return None
        if latest is not None and latest.span.run == windows.run:
            return None
        return WindowRequest(run=windows.run, number=len(windows) - 1)
