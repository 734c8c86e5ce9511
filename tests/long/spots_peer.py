"""Our spots beside those of OM's peakfinder8, which needs an older numpy and so its own Python.

Run ``LIVEPDF_OM_PYTHON=/path/to/python python -m pytest tests/long/spots_peer.py -s`` with the
Python of an environment that holds ``ondamonitor==23.8.3`` and ``numpy<2``.
"""

import os
import subprocess
from pathlib import Path

import numpy as np
import pytest

from livepdf.numerics.spots import SpotSettings, find_spots
from tests.numerics.test_spots import PLAN, RADIUS, crystal

_THEIRS = """
import sys
import numpy as np
from om.algorithms.crystallography import Peakfinder8PeakDetection
given = np.load(sys.argv[1])
finder = Peakfinder8PeakDetection(
    radius_pixel_map=given["radius"].astype(np.float32),
    layout_info={"asic_nx": 256, "asic_ny": 512, "nasics_x": 4, "nasics_y": 2},
    crystallography_parameters={
        "max_num_peaks": 2048, "adc_threshold": 0.0, "minimum_snr": 5.0, "min_pixel_count": 2,
        "max_pixel_count": 60, "local_bg_radius": 5, "min_res": 0, "max_res": 100000,
        "bad_pixel_map_filename": None, "bad_pixel_map_hdf5_path": None,
    },
)
found = finder.find_peaks(data=given["image"])
np.savez(sys.argv[2], row=found["ss"], column=found["fs"])
"""


@pytest.mark.parametrize("snr", [8.0, 12.0, 30.0])
def test_the_same_spots_as_peakfinder8(snr: float, tmp_path: Path) -> None:
    python = os.environ.get("LIVEPDF_OM_PYTHON")
    assert python, "set LIVEPDF_OM_PYTHON to a Python that has ondamonitor"
    given, theirs = tmp_path / "given.npz", tmp_path / "theirs.npz"
    image, _ = crystal(7, snr=snr, spots=200)
    np.savez(given, image=image, radius=RADIUS)
    subprocess.run([python, "-c", _THEIRS, str(given), str(theirs)], check=True)

    ours = find_spots(image, PLAN, SpotSettings())

    found = np.load(theirs)
    apart = np.hypot(ours.row[:, None] - found["row"], ours.column[:, None] - found["column"])
    shares = np.mean(apart.min(axis=1) < 1), np.mean(apart.min(axis=0) < 1)
    print(f"{snr:g}: ours {ours.found}, theirs {len(found['row'])}, shares {shares}")  # noqa: T201
    assert min(shares) >= 0.95
