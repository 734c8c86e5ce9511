from dataclasses import replace

import numpy as np
import pytest

from livepdf.analysis.size import fit_size
from livepdf.analysis.sphere import SizeModel, size_model, sphere_fq
from livepdf.numerics.pairs import crystal_pairs
from tests.analysis.particles import Particle, particle


def model_of(
    sample: Particle, *, qdamp: float = 0.0, rmin: float = 4.0, rmax: float = 62.0
) -> SizeModel:
    structure = sample.structure
    shells = crystal_pairs(
        cell=structure.cell,
        positions=structure.positions,
        species=structure.species_index,
        r_max=rmax,
    )
    return size_model(
        q=sample.q,
        shells=shells,
        fractions=sample.fractions,
        density=len(structure.elements) / structure.volume,
        amplitudes=sample.amplitudes,
        mean_amplitude=sample.fractions @ sample.amplitudes,
        uiso=sample.uiso,
        qdamp=qdamp,
        rmin=rmin,
        rmax=rmax,
    )


@pytest.fixture(scope="module")
def hafnia() -> Particle:
    return particle("hfo2-monoclinic", diameter=35.0)


@pytest.fixture(scope="module")
def hafnia_model(hafnia: Particle) -> SizeModel:
    return model_of(hafnia)


@pytest.mark.parametrize(("diameter", "qmax"), [(20.0, 20.0), (40.0, 8.0), (48.0, 20.0)])
@pytest.mark.parametrize("name", ["pt", "sno2-rutile", "tio2-anatase", "hfo2-monoclinic"])
def test_size_and_lattice_of_explicit_particles_are_found(
    name: str, diameter: float, qmax: float
) -> None:
    sample = particle(name, diameter=diameter, qmax=qmax, centres=3, step=0.02)

    fit = fit_size(model_of(sample, rmax=56.0), fq=sample.fq, sigma=sample.sigma(1e7))

    assert fit.reason == ""
    assert fit.diameter == pytest.approx(diameter, rel=0.015)
    assert abs(fit.strain) < 3e-4
    assert fit.scale == pytest.approx(1.0, abs=0.03)


def test_errors_are_the_scatter(hafnia: Particle, hafnia_model: SizeModel) -> None:
    random = np.random.default_rng(2)
    sigma = hafnia.sigma(1e6)
    truth = fit_size(hafnia_model, fq=hafnia.fq, sigma=sigma)

    fits = [
        fit_size(
            hafnia_model, fq=hafnia.fq + sigma * random.standard_normal(len(sigma)), sigma=sigma
        )
        for _ in range(60)
    ]

    for name in ("diameter", "strain", "scale"):
        value = np.array([getattr(fit, name) for fit in fits])
        error = np.array([getattr(fit, f"{name}_sigma") for fit in fits])
        pull = (value - getattr(truth, name)) / error
        assert abs(pull.mean()) < 0.35, name
        assert 0.8 < pull.std() < 1.25, name


def test_slow_terms_of_any_size_change_nothing(hafnia: Particle, hafnia_model: SizeModel) -> None:
    sigma = hafnia.sigma(1e7)
    plain = fit_size(hafnia_model, fq=hafnia.fq, sigma=sigma)
    slow = 30.0 * hafnia.q * np.exp(-((hafnia.q - 9.0) ** 2) / 60.0)

    spoilt = fit_size(hafnia_model, fq=hafnia.fq + slow, sigma=sigma)

    assert spoilt.diameter == pytest.approx(plain.diameter, rel=1e-3)
    assert spoilt.scale == pytest.approx(plain.scale, rel=1e-3)


def test_small_angle_scattering_hardly_matters(hafnia: Particle, hafnia_model: SizeModel) -> None:
    at = {"diameter": 50.0, "strain": 0.0, "extra_uiso": np.zeros(2)}
    bare = sphere_fq(hafnia_model, **at).fq
    void = replace(hafnia_model.grid, neighbours=hafnia_model.uniform)
    small_angles = sphere_fq(replace(hafnia_model, grid=void), **at).fq

    fit = fit_size(hafnia_model, fq=bare + small_angles, sigma=hafnia.sigma(1e9))

    assert np.abs(small_angles[:20]).max() > 10 * hafnia.sigma(1e9)[0]
    assert fit.diameter == pytest.approx(50.0, rel=0.002)


def test_short_order_of_a_precursor_is_left_out(hafnia: Particle) -> None:
    sigma = hafnia.sigma(1e7)
    short = particle("hfo2-monoclinic", diameter=7.0)
    mixed = 0.6 * hafnia.fq + 0.4 * short.fq

    fit = fit_size(model_of(hafnia, rmin=7.0), fq=mixed, sigma=sigma)

    assert fit.diameter == pytest.approx(35.0, rel=0.03)
    assert fit.scale == pytest.approx(0.6, rel=0.05)


def test_a_lattice_one_percent_away_is_still_caught(hafnia_model: SizeModel) -> None:
    still = np.zeros(2)
    for strain in (-0.009, 0.009):
        curve = sphere_fq(hafnia_model, diameter=48.0, strain=strain, extra_uiso=still)

        fit = fit_size(hafnia_model, fq=curve.fq, sigma=np.full(len(curve.fq), 0.05))

        assert fit.strain == pytest.approx(strain, abs=1e-5)
        assert fit.diameter == pytest.approx(48.0, abs=0.05)


def test_derivatives_are_those_of_finite_differences(hafnia_model: SizeModel) -> None:
    at = {"diameter": 33.0, "strain": 0.002, "extra_uiso": np.array([0.001, -0.001])}
    curve = sphere_fq(hafnia_model, **at)

    def change(name: str, step: float) -> np.ndarray:
        up = sphere_fq(hafnia_model, **{**at, name: at[name] + step})
        down = sphere_fq(hafnia_model, **{**at, name: at[name] - step})
        return (up.fq - down.fq) / (2 * np.max(step))

    scale = np.abs(curve.fq).max()
    np.testing.assert_allclose(curve.by_diameter, change("diameter", 1e-3), atol=1e-4 * scale)
    np.testing.assert_allclose(curve.by_strain, change("strain", 1e-6), atol=1e-2 * scale)
    for kind in range(2):
        step = 1e-6 * np.eye(2)[kind]
        np.testing.assert_allclose(
            curve.by_uiso[kind],
            change("extra_uiso", step),
            rtol=1e-3,
            atol=1e-3 * np.abs(curve.by_uiso[kind]).max(),
        )


def test_forgetting_the_resolution_makes_particles_smaller_and_its_error_counts() -> None:
    sample = particle("hfo2-monoclinic", diameter=40.0, step=0.02)
    sharp = model_of(sample)
    damped = replace(sharp, qdamp=0.04)
    seen = sphere_fq(damped, diameter=40.0, strain=0.0, extra_uiso=np.zeros(2)).fq
    sigma = sample.sigma(1e7)

    forgotten = fit_size(sharp, fq=seen, sigma=sigma)
    known = fit_size(damped, fq=seen, sigma=sigma)
    doubtful = fit_size(damped, fq=seen, sigma=sigma, qdamp_sigma=0.002)
    shifted = fit_size(replace(sharp, qdamp=0.038), fq=seen, sigma=sigma)

    assert forgotten.diameter == pytest.approx(0.88 * 40.0, rel=0.03)
    assert known.diameter == pytest.approx(40.0, abs=0.1)
    extra = np.sqrt(doubtful.diameter_sigma**2 - known.diameter_sigma**2)
    assert extra == pytest.approx(abs(shifted.diameter - known.diameter), rel=0.15)


@pytest.mark.parametrize(
    ("scale", "photons", "reason"),
    [(0.0, 1e6, "too little crystalline signal"), (0.02, 1e5, "too little crystalline signal")],
)
def test_size_is_withheld_without_enough_signal(
    hafnia: Particle, hafnia_model: SizeModel, scale: float, photons: float, reason: str
) -> None:
    sigma = hafnia.sigma(photons)
    noise = sigma * np.random.default_rng(0).standard_normal(len(sigma))

    fit = fit_size(hafnia_model, fq=scale * hafnia.fq + noise, sigma=sigma)

    assert fit.reason.startswith(reason) or "did not settle" in fit.reason


def test_size_is_withheld_where_the_resolution_hides_it(hafnia: Particle) -> None:
    model = model_of(hafnia, qdamp=0.1)
    seen = sphere_fq(model, diameter=45.0, strain=0.0, extra_uiso=np.zeros(2)).fq

    fit = fit_size(model, fq=seen, sigma=hafnia.sigma(1e9))

    assert "Q resolution" in fit.reason
    assert fit.strain_reason == ""


def test_size_is_withheld_beyond_the_compared_distances() -> None:
    sample = particle("pt", diameter=70.0, centres=2, step=0.02)

    fit = fit_size(model_of(sample, rmax=50.0), fq=sample.fq, sigma=sample.sigma(1e7))

    assert fit.reason != ""


def test_another_structure_is_not_taken_for_a_size(hafnia_model: SizeModel) -> None:
    anatase = particle("tio2-anatase", diameter=40.0)

    fit = fit_size(hafnia_model, fq=anatase.fq, sigma=anatase.sigma(1e8))

    assert fit.reason != ""
    assert fit.strain_reason != ""


def test_data_without_errors_are_refused_in_words(
    hafnia: Particle, hafnia_model: SizeModel
) -> None:
    unknown = np.full(len(hafnia.q), np.nan)

    fit = fit_size(hafnia_model, fq=hafnia.fq, sigma=unknown)

    assert np.isnan(fit.diameter)
    assert "uncertainty" in fit.reason


def test_settings_without_meaning_are_refused(hafnia: Particle) -> None:
    with pytest.raises(ValueError, match="qdamp is -1"):
        model_of(hafnia, qdamp=-1.0)
    with pytest.raises(ValueError, match="rmax is 9"):
        model_of(hafnia, rmax=9.0)


def test_a_size_that_a_precursor_could_feign_is_withheld() -> None:
    small = particle("pt", diameter=16.0)
    sigma = small.sigma(1e8)

    near = fit_size(model_of(small, rmin=3.0), fq=small.fq, sigma=sigma)
    far = fit_size(model_of(small, rmin=6.0), fq=small.fq, sigma=sigma)

    assert near.reason == ""
    assert near.diameter == pytest.approx(16.0, rel=0.03)
    assert "precursor" in far.reason
    assert far.strain_reason == ""
