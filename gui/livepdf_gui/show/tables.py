"""Trends as a table for spreadsheets and scripts."""

import csv
import io

import numpy as np

from livepdf_gui.show.columns import History


def trends_csv(history: History) -> str:
    """Return one row a window: number, time, frames, slow values, trends with σ and reason.

    The first row names the columns with their units; a value that is not there is empty.
    """
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    head = ["window", "time (Unix s)", "first frame", "last frame", *history.environment]
    for name, column in history.trends.items():
        unit = f" ({column.unit})" if column.unit else ""
        head += [f"{name}{unit}", f"σ {name}{unit}", f"{name} withheld"]
    writer.writerow(head)
    for number in np.flatnonzero(history.here):
        writer.writerow(_row(history, int(number)))
    return text.getvalue()


def _row(history: History, number: int) -> list[str]:
    start, end, first, last = history.spans[:4, number]
    row = [str(number), f"{(start + end) / 2:.3f}", f"{first:.0f}", f"{last:.0f}"]
    row += [_number(values[number]) for values in history.environment.values()]
    for column in history.trends.values():
        row += [_number(column.value[number]), _number(column.sigma[number])]
        row.append(column.reason(number))
    return row


def _number(value: float) -> str:
    return f"{value:.9g}" if np.isfinite(value) else ""
