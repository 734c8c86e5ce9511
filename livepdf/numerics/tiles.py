"""Detectors made of tiles, each at its own place and tilt: where the corners of pixels are."""

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Panel:
    """A tile: a rectangle of the image and its place in the laboratory.

    Axes as in CrystFEL: z along the beam, y up, the sample at 0.
    """

    name: str
    top: int
    """First row in the image."""
    bottom: int
    """Row after the last."""
    left: int
    right: int
    corner: NDArray[np.float64]
    """(3,) m, the outer corner of the first pixel."""
    fast: NDArray[np.float64]
    """(3,) m, from one column to the next."""
    slow: NDArray[np.float64]
    """(3,) m, from one row to the next."""
    ignored: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class BadRegion:
    """A rectangle to ignore."""

    panel: str
    """Empty: on all of them."""
    on_panel: bool
    """Limits are columns and rows of the panel, both included; else places x, y in pixels."""
    low: tuple[float, float]
    high: tuple[float, float]


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class TiledDetector:
    """All tiles of a detector."""

    panels: tuple[Panel, ...]
    bad: tuple[BadRegion, ...] = ()

    @property
    def shape(self) -> tuple[int, int]:
        """(ny, nx) of the image that holds all panels."""
        return max(p.bottom for p in self.panels), max(p.right for p in self.panels)

    def corners(self) -> NDArray[np.float64]:
        """Return the four corners of each pixel, going round.

        Returns
        -------
        corners : (ny, nx, 4, 3) float64, m
            x, y, z; NaN for pixels of the image that are on no panel.
        """
        out = np.full((*self.shape, 4, 3), np.nan)
        for panel in self.panels:
            out[panel.top : panel.bottom, panel.left : panel.right] = _corners(panel)
        return out

    def mask(self) -> NDArray[np.bool_]:
        """Return the pixels to ignore: on no panel, on an ignored one, or in a bad region.

        Returns
        -------
        mask : (ny, nx) bool, True = ignore
        """
        mask = np.ones(self.shape, dtype=np.bool_)
        for panel in self.panels:
            mask[panel.top : panel.bottom, panel.left : panel.right] = panel.ignored
            for region in self.bad:
                if region.panel in ("", panel.name):
                    _leave_out(mask, panel, region)
        return mask


def _corners(panel: Panel) -> NDArray[np.float64]:
    row = np.arange(panel.bottom - panel.top)[:, None, None]
    column = np.arange(panel.right - panel.left)[None, :, None]
    first = panel.corner + row * panel.slow + column * panel.fast
    around = (0 * panel.fast, panel.fast, panel.fast + panel.slow, panel.slow)
    return np.stack([first + step for step in around], axis=2)


def _leave_out(mask: NDArray[np.bool_], panel: Panel, region: BadRegion) -> None:
    inside = mask[panel.top : panel.bottom, panel.left : panel.right]
    (a, b), (c, d) = region.low, region.high
    if region.on_panel:
        rows = slice(max(int(b) - panel.top, 0), max(int(d) + 1 - panel.top, 0))
        inside[rows, max(int(a) - panel.left, 0) : max(int(c) + 1 - panel.left, 0)] = True
        return
    size = float(np.linalg.norm(panel.fast))
    centre = _corners(panel).mean(axis=2) / size
    x, y = centre[..., 0], centre[..., 1]
    inside |= (a <= x) & (x <= c) & (b <= y) & (y <= d)


def solid_angle(corners: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the solid angle of small flat pixels seen from the origin.

    Ω = |A · r̂| / r² with the vector A of the area, half the cross product of the diagonals: each
    tile counts with its own tilt.

    Parameters
    ----------
    corners : (…, 4, 3) float64, m

    Returns
    -------
    omega : (…) float64, sr
    """
    area = 0.5 * np.cross(
        corners[..., 2, :] - corners[..., 0, :], corners[..., 3, :] - corners[..., 1, :]
    )
    centre = corners.mean(axis=-2)
    distance = np.linalg.norm(centre, axis=-1)
    found: NDArray[np.float64] = np.abs(np.sum(area * centre, axis=-1)) / distance**3
    return found


def pyfai_detector(tiles: TiledDetector) -> tuple[Any, float]:
    """Return a pyFAI detector with these pixels, and its distance from the sample in m.

    pyFAI's axes are (3, 1, 2) = (z, y, x); the distance is that of the nearest corner, tiles
    behind it have a height. Pixels on no tile lie on the first corner; mask them.
    """
    from pyFAI.detectors import Detector

    corners = tiles.corners()
    distance = float(np.nanmin(corners[..., 2]))
    lost = np.isnan(corners[..., 0, 0])
    corners[lost] = tiles.panels[0].corner
    corners[..., 2] -= distance
    first = tiles.panels[0]
    detector = Detector(
        pixel1=float(np.linalg.norm(first.slow)),
        pixel2=float(np.linalg.norm(first.fast)),
        max_shape=tiles.shape,
        orientation=3,
    )
    detector.IS_FLAT = False
    detector.IS_CONTIGUOUS = False
    detector.uniform_pixel = False
    detector.set_pixel_corners(np.ascontiguousarray(corners[..., ::-1], dtype=np.float32))
    detector.mask = tiles.mask().astype(np.int8)
    return detector, distance
