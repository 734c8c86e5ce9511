import numpy as np
import pytest

from livepdf.numerics.absorption import cylinder_transmission
from livepdf.numerics.capillary import Capillary, attenuation, transmissions

ANGLES = np.linspace(0.0, 1.2, 50)


@pytest.mark.parametrize("mu_r", [0.01, 0.5, 2.0, 4.0])
def test_without_a_wall_it_is_the_bare_cylinder(mu_r: float) -> None:
    bare = cylinder_transmission(two_theta=ANGLES, mu_r=mu_r)

    sample, wall = transmissions(Capillary(radius=0.35, mu=mu_r / 0.35), two_theta=ANGLES)

    np.testing.assert_allclose(sample, bare, rtol=3e-5)
    np.testing.assert_array_equal(wall, 1.0)


def test_a_wall_of_the_sample_itself_makes_a_thicker_cylinder() -> None:
    # Sample and wall together scatter as one cylinder of both, weighted by their areas.
    c = Capillary(radius=0.3, mu=1.4, wall=0.1, wall_mu=1.4)
    whole = cylinder_transmission(two_theta=ANGLES, mu_r=0.4 * 1.4)
    empty = Capillary(radius=0.3, mu=0.0, wall=0.1, wall_mu=1.4)
    sample, ratio = transmissions(c, two_theta=ANGLES)
    wall = ratio * _wall_alone(empty)
    inner = 0.3**2 / 0.4**2

    np.testing.assert_allclose(inner * sample + (1 - inner) * wall, whole, rtol=1e-3)


def test_a_sample_shades_the_wall_behind_it_but_lets_it_through_where_it_absorbs_nothing() -> None:
    thin = Capillary(radius=0.35, mu=0.0, wall=0.01, wall_mu=2.0)
    thick = Capillary(radius=0.35, mu=2.0, wall=0.01, wall_mu=2.0)

    np.testing.assert_allclose(transmissions(thin, two_theta=ANGLES)[1], 1.0, rtol=1e-12)
    # From 1 (rays that miss the sample) down to a whole diameter's worth.
    shaded = transmissions(thick, two_theta=ANGLES)[1]
    assert np.all(shaded < 0.75)
    assert np.all(shaded > np.exp(-2 * 0.7))


@pytest.mark.parametrize(
    ("composition", "per_mass"), [({"H": 2, "O": 1}, 0.2059), ({"W": 1}, 3.713)]
)
def test_substances_absorb_as_the_tables_of_nist_say(
    composition: dict[str, float], per_mass: float
) -> None:
    # Hubbell & Seltzer's mass attenuation at 60 keV, cm²/g.
    mu = attenuation(composition=composition, density=2.0, energy=60.0)

    assert mu == pytest.approx(2.0 * per_mass / 10, rel=0.01)


@pytest.mark.parametrize(
    "change", [{"radius": 0.0}, {"mu": -1.0}, {"wall": -0.1}, {"mu": 40.0}, {"mu": np.nan}]
)
def test_numbers_without_meaning_are_refused(change: dict[str, float]) -> None:
    values = {"radius": 0.35, "mu": 1.0} | change

    with pytest.raises(ValueError, match=r"capillary|µ"):
        transmissions(Capillary(**values), two_theta=ANGLES)


def _wall_alone(c: Capillary) -> np.ndarray:
    """Sum over a fine raster of the ring, straight from the definition."""
    side = (np.arange(900) + 0.5) / 450 - 1
    x, y = (0.4 * a for a in np.meshgrid(side, side))
    distance = np.hypot(x, y)
    ring = (distance < 0.4) & (distance > 0.3)
    x, y = x[ring], y[ring]
    found = []
    for angle in ANGLES:
        total = np.zeros(x.size)
        for way in (np.pi, angle):
            along = x * np.cos(way) + y * np.sin(way)
            across = y * np.cos(way) - x * np.sin(way)
            hollow = np.where(
                (np.abs(across) < 0.3) & (along < 0),
                2 * np.sqrt(np.maximum(0.09 - across**2, 0)),
                0,
            )
            total += np.sqrt(0.16 - across**2) - along - hollow
        found.append(np.mean(np.exp(-c.wall_mu * total)))
    return np.array(found)
