"""The windows of a run as one labelled dataset, for notebooks."""

from typing import TYPE_CHECKING, Any

import numpy as np

from livepdf.model.curve import AXIS
from livepdf.wire.mirror import RunWindows

if TYPE_CHECKING:
    import xarray


def to_dataset(windows: RunWindows, *, about: dict[str, str]) -> "xarray.Dataset":
    """Return I(Q) and G(r) over windows, with every trend, its σ and its reason.

    Windows that have not come are NaN.

    Parameters
    ----------
    windows : RunWindows
    about : name to text
        Attributes, e.g. sample and instrument.

    Raises
    ------
    ImportError
        Without xarray: it comes with ``livepdf[notebook]``.
    """
    import xarray

    n = len(windows)
    columns: dict[str, Any] = {
        "iq": (("window", "q"), windows.iq[:n], {"long_name": AXIS["iq"][1]}),
        "gr": (("window", "r"), windows.gr[:n], {"long_name": AXIS["gr"][1]}),
    }
    for name in windows.environment_names():
        columns[name] = ("window", windows.environment(name))
    for name in windows.trend_names():
        shown = windows.trend(name)
        unit = next(one.unit for one in shown if one is not None)
        value, sigma = (
            np.array([np.nan if one is None else getattr(one, part) for one in shown])
            for part in ("value", "sigma")
        )
        reason = ["no window" if one is None else one.reason for one in shown]
        columns[name] = ("window", value, {"units": unit})
        columns[f"{name} σ"] = ("window", sigma, {"units": unit})
        columns[f"{name} reason"] = ("window", np.array(reason, dtype=object))
    spans = windows.spans
    return xarray.Dataset(
        columns,
        coords={
            "window": np.arange(n),
            "q": ("q", windows.q, {"units": "1/angstrom"}),
            "r": ("r", windows.r, {"units": "angstrom"}),
            "time": ("window", windows.times(), {"units": "s", "long_name": "end, Unix time"}),
            "revision": ("window", np.array([-1 if s is None else s.revision for s in spans])),
        },
        attrs={"run": windows.run, **about},
    )
