"""Logs for people or for the journal; what repeats is counted instead of written."""

import json
import logging
import os
import sys
import threading
import time

_PRIORITY = {logging.CRITICAL: 2, logging.ERROR: 3, logging.WARNING: 4, logging.INFO: 6}
"""Syslog's; what is missing is 7."""
_MOST, _OVER = 10, 10.0
"""Records of one place in the program that are written in so many s."""


class JsonLines(logging.Formatter):
    """One line of JSON for each record, with the priority before it that journald looks for."""

    def format(self, record: logging.LogRecord) -> str:
        """Return the line."""
        fields: dict[str, object] = {
            "time": round(record.created, 3),
            "level": record.levelname.lower(),
            "logger": record.name,
            "message": record.getMessage(),
            "thread": record.threadName,
        }
        left_out = getattr(record, "left_out", 0)
        if left_out:
            fields["left_out"] = left_out
        if record.exc_info:
            fields["exception"] = self.formatException(record.exc_info)
        text = json.dumps(fields, ensure_ascii=False)
        return f"<{_PRIORITY.get(record.levelno, 7)}>{text}"


class TextLines(logging.Formatter):
    """One line for people."""

    def __init__(self) -> None:
        super().__init__("%(asctime)s %(levelname)s %(name)s: %(message)s")

    def formatMessage(self, record: logging.LogRecord) -> str:  # noqa: N802  logging's own name
        """Return the line, with how many like it were left out before."""
        left_out = getattr(record, "left_out", 0)
        more = f" ({left_out} like it were left out)" if left_out else ""
        return super().formatMessage(record) + more


class Sparing(logging.Filter):
    """Lets so many records of one place pass in some seconds, and the next one tell of the rest."""

    def __init__(self, *, most: int = _MOST, over: float = _OVER) -> None:
        """Make it; ``over`` in s."""
        super().__init__()
        self._most = most
        self._over = over
        self._lock = threading.Lock()
        self._seen: dict[tuple[str, int, str], tuple[float, int, int]] = {}

    def filter(self, record: logging.LogRecord) -> bool:
        """Tell whether to write the record; it learns how many before it were not."""
        place = (record.name, record.levelno, str(record.msg))
        now = time.monotonic()
        with self._lock:
            begun, written, left_out = self._seen.get(place, (now, 0, 0))
            if now - begun > self._over:
                begun, written = now, 0
            passes = written < self._most
            if len(self._seen) > 1000:
                self._seen.clear()
            self._seen[place] = (begun, written + passes, 0 if passes else left_out + 1)
        if passes:
            record.left_out = left_out
        return passes


def set_up_logs(verbose: int, style: str) -> None:
    """Write logs to standard error.

    Parameters
    ----------
    style : {"auto", "text", "json"}
        ``auto`` is JSON where standard error is the journal's.
    """
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(JsonLines() if as_json(style) else TextLines())
    handler.addFilter(Sparing())
    level = (logging.WARNING, logging.INFO, logging.DEBUG)[min(verbose, 2)]
    logging.basicConfig(level=level, handlers=[handler], force=False)
    # It warns that a graphics card is not used; nothing here would use one.
    logging.getLogger("silx.opencl").setLevel(logging.ERROR)


def as_json(style: str) -> bool:
    """Whether lines for a program are wanted."""
    return style == "json" or (style == "auto" and bool(os.environ.get("JOURNAL_STREAM")))
