import time

import numpy as np
import pytest

from tfflows.data import quadrature, toy

NAMES = toy.names()
SMOOTH = [name for name in NAMES if name != "checkerboard"]


def grid(dim, step, edge=6.5):
    ticks = np.arange(-edge, edge, step)
    return np.stack(np.meshgrid(*[ticks] * dim, indexing="ij"), axis=-1).reshape(-1, dim)


def brute_force_arc(x, centre, radius, start, stop, scale, nodes=200_001):
    """Log-density by a sum over very many points of the arc (midpoint rule)."""
    t = start + (stop - start) * (np.arange(nodes) + 0.5) / nodes
    curve = np.array(centre) + radius * np.stack([np.cos(t), np.sin(t)], axis=1)
    result = []
    for point in x:
        logits = -0.5 * np.sum((point - curve) ** 2, axis=1) / scale**2
        peak = logits.max()
        result.append(peak + np.log(np.mean(np.exp(logits - peak))))
    return np.array(result) - np.log(2 * np.pi * scale**2)


def test_names():
    assert set(NAMES) == {
        "two_moons",
        "face",
        "eight_gaussians",
        "checkerboard",
        "rings",
        "pinwheel",
        "spirals",
        "mixture_1d",
    }


@pytest.mark.parametrize("name", NAMES)
def test_samples_have_the_stated_shape_and_repeat(name):
    density = toy.get(name)
    x = density.sample(1000, seed=3)
    assert x.shape == (1000, density.dim) and x.dtype == np.float32
    np.testing.assert_array_equal(x, toy.get(name).sample(1000, seed=3))
    assert not np.array_equal(x, density.sample(1000, seed=4))
    low, high = density.bounds
    assert low.shape == high.shape == (density.dim,)
    big = density.sample(50_000, seed=5)
    assert np.mean(((big >= low) & (big <= high)).all(axis=1)) >= 0.9999
    assert density.sample(0, seed=0).shape == (0, density.dim)


@pytest.mark.parametrize("name", SMOOTH)
def test_density_integrates_to_one_and_entropy_is_the_grid_integral(name):
    density = toy.get(name)
    # The sum over a grid finer than the noise is exact for a smooth density.
    step = 0.05
    log_prob = density.log_prob(grid(density.dim, step))
    prob = np.exp(log_prob)
    volume = step**density.dim
    assert np.sum(prob) * volume == pytest.approx(1.0, abs=1e-8)
    entropy = -np.sum(prob * np.where(prob > 0, log_prob, 0.0)) * volume
    assert density.entropy == pytest.approx(entropy, abs=1e-5)


def test_checkerboard_is_uniform_on_half_of_its_square():
    board = toy.get("checkerboard")
    centres = grid(2, 1.0, edge=5.0) + 0.5
    inside = np.isfinite(board.log_prob(centres))
    assert np.sum(inside) == 32
    np.testing.assert_allclose(board.log_prob(centres)[inside], -np.log(32))
    assert board.entropy == np.log(32)


@pytest.mark.parametrize("name", NAMES)
def test_entropy_is_the_mean_over_samples(name):
    density = toy.get(name)
    log_prob = density.log_prob(density.sample(50_000, seed=11))
    assert np.isfinite(log_prob).all()
    # Four standard errors: a false alarm in 16,000 runs of one case.
    error = 4 * np.std(log_prob) / np.sqrt(len(log_prob))
    assert abs(np.mean(log_prob) + density.entropy) <= error + 1e-9


@pytest.mark.parametrize("name", SMOOTH)
def test_samples_follow_the_density(name):
    density = toy.get(name)
    n, step = 100_000, 0.5
    x = density.sample(n, seed=2)
    edges = np.arange(-4.5, 4.5 + step, step)
    counts, _ = np.histogramdd(x, [edges] * density.dim)
    fine = 0.05
    ticks = np.arange(-4.5, 4.5, fine) + fine / 2
    points = np.stack(np.meshgrid(*[ticks] * density.dim, indexing="ij"), axis=-1)
    prob = np.exp(density.log_prob(points.reshape(-1, density.dim))) * fine**density.dim
    cells = len(edges) - 1
    prob = prob.reshape([cells, 10] * density.dim).sum(axis=tuple(range(1, 2 * density.dim, 2)))
    filled = prob * n > 20
    chi2 = np.sum((counts - n * prob)[filled] ** 2 / (n * prob)[filled])
    freedom = np.sum(filled)
    assert chi2 < freedom + 5 * np.sqrt(2 * freedom)


@pytest.mark.parametrize(
    ("start", "stop", "radius", "scale"),
    [(0, 180, 2.0, 0.2), (205, 335, 1.7, 0.1), (0, 360, 3.0, 0.1), (-20, 10, 0.5, 0.3)],
)
def test_arc_agrees_with_brute_force(start, stop, radius, scale):
    centre = (0.3, -0.4)
    arc = (centre, radius, np.deg2rad(start), np.deg2rad(stop), scale)
    x = np.random.default_rng(0).uniform(-5, 5, (60, 2))
    x = np.concatenate([x, [centre], [[0.3 - radius, -0.4]], [[0.3, -0.4 - radius]]])
    np.testing.assert_allclose(quadrature.log_arc(x, *arc), brute_force_arc(x, *arc), atol=1e-8)


def test_arc_of_radius_zero_is_the_limit_of_small_ones():
    x = np.random.default_rng(0).uniform(-2, 2, (20, 2))
    point = quadrature.log_arc(x, (0, 0), 0.0, 0.0, 2 * np.pi, 0.5)
    small = quadrature.log_arc(x, (0, 0), 1e-6, 0.0, 2 * np.pi, 0.5)
    np.testing.assert_allclose(point, small, atol=1e-9)


def test_spirals_agree_with_a_finer_rule():
    spirals = toy.get("spirals")
    t, weights = quadrature.panels(3 * np.pi * np.sqrt(np.linspace(0, 1, 301)), order=16)
    arm = t[:, None] / 3 * np.stack([-np.cos(t), np.sin(t)], axis=1)
    x = np.random.default_rng(0).uniform(-4, 4, (500, 2))
    fine = quadrature.log_curve(
        x, np.concatenate([arm, -arm]), np.tile(weights * t / (3 * np.pi) ** 2, 2), 0.1
    )
    np.testing.assert_allclose(spirals.log_prob(x), fine, atol=1e-8)


def test_far_away_is_finite_and_beyond_is_minus_infinity():
    for name in SMOOTH:
        density = toy.get(name)
        assert np.isfinite(density.log_prob(np.full((1, density.dim), 50.0))).all()
        x = np.full((3, density.dim), 0.5)
        x[0, 0], x[1, 0] = np.inf, np.nan
        log_prob = density.log_prob(x)
        assert log_prob[0] == -np.inf and np.isnan(log_prob[1]) and np.isfinite(log_prob[2])


def test_log_prob_does_not_depend_on_the_batch():
    density = toy.get("two_moons")
    x = density.sample(20_000, seed=0)
    whole = density.log_prob(x)
    np.testing.assert_allclose(density.log_prob(x[9000:9003]), whole[9000:9003], atol=1e-12)


def test_two_moons_of_many_points_is_quick():
    moons = toy.get("two_moons")
    x = moons.sample(100_000, seed=0)
    start = time.perf_counter()
    moons.log_prob(x)
    assert time.perf_counter() - start < 10.0  # 0.4 s on an idle core


def test_errors_name_the_argument():
    with pytest.raises(ValueError, match=r"name: expected one of two_moons.*got 'moon'"):
        toy.get("moon")
    with pytest.raises(ValueError, match=r"x: expected shape \[n, 2\], got \[5, 3\]"):
        toy.get("rings").log_prob(np.zeros((5, 3)))
    with pytest.raises(ValueError, match="n: expected 0 or more, got -1"):
        toy.get("rings").sample(-1, seed=0)
