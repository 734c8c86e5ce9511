"""Panels of shots as tables for spreadsheets and scripts: what is drawn, in numbers."""

import csv
import io

import numpy as np

from livepdf.model.laser import LaserReport
from livepdf_gui.show.shots_chart import Board, Chart, Series


def board_csv(board: Board) -> str:
    """Return every named curve of a panel in long form: plot, curve, x, y, lower and upper end.

    Values are those of the axes, not of the logarithms that are drawn; what is not there is empty.
    """
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow([f"# {board.title}", board.over, board.aside])
    writer.writerow(["plot", "curve", "x", "y", "lower", "upper"])
    for chart in board.charts:
        for one in chart.series:
            writer.writerows(_rows(chart, one))
    return text.getvalue()


def laser_csv(report: LaserReport, number: int) -> str:
    """Return one bin of the delay: Q, I without and with the laser and their difference, each ± σ.

    G over r follows below, after a row that names its columns.
    """
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    low, high = report.edges[number : number + 2]
    test = report.tests[number]
    writer.writerow([f"# {report.run}", f"delay {low:.6g} s to {high:.6g} s",
                     f"{test.shots} shots with the laser", f"p = {test.p:.4g}",
                     f"σ: {report.sigma_is}", f"divided by {report.normalised}"])  # fmt: skip
    for x, name, rows in (
        (report.q, "Q (Å⁻¹)", (report.off_iq, report.off_iq_sigma, report.diq, report.on_iq_sigma,
                               report.diq_sigma)),
        (report.r, "r (Å)", (report.off_gr, report.off_gr_sigma, report.dgr, report.on_gr_sigma,
                             report.dgr_sigma)),
    ):  # fmt: skip
        off, off_sigma, change, on_sigma, change_sigma = (row[number] for row in rows)
        columns = (x, off, off_sigma, off + change, on_sigma, change, change_sigma)
        writer.writerow(
            [name, "without", "σ without", "with", "σ with", "difference", "σ difference"]
        )
        for values in zip(*columns, strict=True):
            writer.writerow([_number(float(value)) for value in values])
    return text.getvalue()


def _rows(chart: Chart, one: Series) -> list[list[str]]:
    ends = [np.full(one.x.shape, np.nan) if e is None else e for e in (one.low, one.high)]
    return [
        [
            chart.y_axis.label,
            one.name,
            _number(chart.x_axis.value(float(x))),
            *(_number(chart.y_axis.value(float(v))) for v in (y, low, high)),
        ]
        for x, y, low, high in zip(one.x, one.y, *ends, strict=True)
    ]


def _number(value: float) -> str:
    return f"{value:.9g}" if np.isfinite(value) else ""
