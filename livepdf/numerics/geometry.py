"""Where each pixel looks: Q, solid angle and polarization, all from pyFAI."""

from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from livepdf.numerics.tiles import solid_angle

RadialUnit = Literal["q_A^-1", "q_nm^-1", "2th_deg"]
"""Q in Å⁻¹, Q in nm⁻¹, or the scattering angle 2θ in degrees; pyFAI's own names."""

ORIENTATION = 3
"""The only detector orientation that is understood: pyFAI's native one."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Directions:
    """Where some pixels look."""

    q: NDArray[np.float64]
    """(k,) Å⁻¹"""
    two_theta: NDArray[np.float64]
    """(k,) rad"""
    azimuth: NDArray[np.float64]
    """(k,) rad, from the detector's x axis."""
    solid_angle: NDArray[np.float64]
    """(k,) relative to one at normal incidence."""

    def polarization(self, factor: float) -> NDArray[np.float64]:
        r"""Return the share of the scattering that the beam's polarization leaves, as pyFAI does.

        .. math:: P = \frac{1}{2}\left(1 + \cos^2 2\theta - f \cos 2\chi \sin^2 2\theta\right)
        """
        square = np.cos(self.two_theta) ** 2
        uneven = factor * np.cos(2 * self.azimuth) * (1 - square)
        return np.asarray((1 + square - uneven) / 2, dtype=np.float64)


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Geometry:
    """A calibrated detector. Arrays are made anew at each call: keep what you need.

    A geometry may be used by one thread at a time; what was made from it, by many.
    """

    shape: tuple[int, int]
    """(ny, nx): rows, then columns, as the calibration sees the image."""
    wavelength: float
    """Å"""
    orientation: int
    """pyFAI's detector orientation: always 3."""
    pyfai_version: str
    """Version of the pyFAI that reads the calibration."""
    pyfai: Any
    """The AzimuthalIntegrator behind it; nobody changes its parameters."""

    def q(self) -> NDArray[np.float64]:
        """Return the scattering vector of each pixel centre.

        Returns
        -------
        q : (ny, nx) float64, Å⁻¹
        """
        return np.asarray(self._centres("q_A^-1"), dtype=np.float64)

    def two_theta(self) -> NDArray[np.float64]:
        """Return the scattering angle of each pixel centre.

        Returns
        -------
        two_theta : (ny, nx) float64, rad
        """
        return np.asarray(np.deg2rad(self._centres("2th_deg")), dtype=np.float64)

    def solid_angle(self) -> NDArray[np.float64]:
        """Return the solid angle of each pixel, relative to one at normal incidence.

        A detector of tiles is taken tile by tile, each with its own tilt and size of pixels;
        pyFAI would take it for one plane.

        Returns
        -------
        solid_angle : (ny, nx) float64
        """
        detector = self.pyfai.detector
        if detector.IS_FLAT:
            array = self.pyfai.solidAngleArray(self.shape)
            self._forget()
            return np.asarray(array, dtype=np.float64)
        corners = np.stack(self.pyfai.calc_pos_zyx(corners=True)[::-1], axis=-1)
        self._forget()
        normal = float(detector.pixel1 * detector.pixel2 / self.pyfai.dist**2)
        return solid_angle(corners.astype(np.float64)) / normal

    def polarization(self, factor: float) -> NDArray[np.float64]:
        """Return the share of the scattering that the beam's polarization leaves, per pixel.

        Parameters
        ----------
        factor : float
            From −1 (vertical) over 0 (none) to 1 (horizontal, as at a synchrotron).

        Returns
        -------
        polarization : (ny, nx) float64
        """
        if not -1.0 <= factor <= 1.0:
            raise ValueError(f"polarization factor {factor} is outside -1 … 1")
        array = self.pyfai.polarization(shape=self.shape, factor=factor)
        self._forget()
        return np.asarray(array, dtype=np.float64)

    def at(self, *, rows: NDArray[np.int64], columns: NDArray[np.int64]) -> "Directions":
        """Return where some pixels look; far cheaper than arrays of all of them.

        Parameters
        ----------
        rows, columns : (k,) int64
            As the calibration sees the image.
        """
        wanted = (rows.astype(np.float64), columns.astype(np.float64))
        z, y, x = self.pyfai.calc_pos_zyx(d0=None, d1=wanted[0], d2=wanted[1])
        two_theta = np.arctan2(np.hypot(x, y), z)
        if self.pyfai.detector.IS_FLAT:
            solid = np.asarray(self.pyfai.diffSolidAngle(*wanted), dtype=np.float64)
        else:
            solid = self.solid_angle()[rows, columns]
        return Directions(
            q=4 * np.pi / self.wavelength * np.sin(two_theta / 2),
            two_theta=two_theta,
            azimuth=np.arctan2(y, x),
            solid_angle=np.broadcast_to(solid, rows.shape),
        )

    def detector_mask(self) -> NDArray[np.bool_] | None:
        """Return the gaps of the detector model that the calibration names.

        Returns
        -------
        mask : (ny, nx) bool or None
            True = ignore, as the calibration sees the image; None for a model without gaps.
        """
        mask = self.pyfai.detector.mask
        return None if mask is None else np.asarray(mask).astype(np.bool_)

    def _centres(self, unit: RadialUnit) -> Any:
        array = self.pyfai.array_from_unit(self.shape, "center", unit, scale=True)
        self._forget()
        return array

    def _forget(self) -> None:
        # pyFAI keeps every array it ever made: hundreds of megabytes for a large detector.
        self.pyfai.reset(collect_garbage=False)


def geometry_from_pyfai(pyfai: Any, *, shape: tuple[int, int] | None = None) -> Geometry:
    """Freeze a pyFAI geometry.

    Parameters
    ----------
    pyfai : AzimuthalIntegrator
        With its wavelength set. Hand it over: it must not be changed afterwards.
    shape : (ny, nx), optional
        Of the images; needed where the detector has no size of its own.

    Raises
    ------
    ValueError
        No wavelength, no size, another size than the images', or an orientation other than 3.
    """
    from pyFAI import version

    if not pyfai.wavelength:
        raise ValueError("the calibration has no wavelength")
    orientation = int(pyfai.detector.orientation) or ORIENTATION
    if orientation != ORIENTATION:
        raise ValueError(
            f"found detector orientation {orientation}, wanted {ORIENTATION}: "
            "calibrate in orientation 3 and flip the image instead"
        )
    return Geometry(
        shape=_agreed_shape(pyfai.detector.shape, shape),
        wavelength=float(pyfai.wavelength) * 1e10,
        orientation=orientation,
        pyfai_version=str(version),
        pyfai=pyfai,
    )


def _agreed_shape(own: Any, wanted: tuple[int, int] | None) -> tuple[int, int]:
    known = None if own is None or None in tuple(own) else (int(own[0]), int(own[1]))
    if known is None and wanted is None:
        raise ValueError("the calibration's detector has no size: give that of the images")
    if known is not None and wanted is not None and known != wanted:
        raise ValueError(f"the calibration is for images of {known}, found {wanted}")
    agreed = wanted if known is None else known
    if agreed is None:
        raise ValueError("the calibration's detector has no size")
    return agreed
