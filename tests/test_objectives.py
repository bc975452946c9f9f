"""Divergences to train on, their duality, and a flow as a VAE."""

import keras
import numpy as np
import pytest
import tensorflow as tf
import tensorflow_probability as tfp

from tests import small_flows
from tests.sampling import problems
from tests.sampling.problems import LOG_NORMALIZER, WIDER, banana, wider
from tfflows import Flow, models, networks, objectives
from tfflows import bijectors as tb
from tfflows.data import toy

tfd = tfp.distributions

# Two dimensions, each: KL of N(0, 1) from N(0, s^2), and the other way round.
FORWARD = 2 * (np.log(WIDER) + 0.5 / WIDER**2 - 0.5)
REVERSE = 2 * (-np.log(WIDER) + 0.5 * WIDER**2 - 0.5)


def normalized(x):
    return banana(x) - LOG_NORMALIZER


def test_reverse_kl():
    """Against the closed form, to 5 standard errors of 0.005, and in the draws that it says."""
    value = float(objectives.reverse_kl(wider(), banana, 40_000, seed=1))
    assert value + LOG_NORMALIZER == pytest.approx(REVERSE, abs=0.025)
    x, log_q = wider().sample_and_log_prob(100, seed=3, start=7)
    value = float(objectives.reverse_kl(wider(), banana, 100, seed=3, start=7))
    assert value == pytest.approx(np.mean(log_q - banana(x)), abs=1e-4)


def test_forward_kl():
    x = problems.draws(40_000, seed=2)
    value = float(objectives.forward_kl(wider(), x, normalized(x)))
    assert value == pytest.approx(FORWARD, abs=0.015)
    likelihood = float(objectives.forward_kl(wider(), x))
    assert likelihood == pytest.approx(-np.mean(wider().log_prob(x)), abs=1e-5)


def test_forward_kl_by_importance():
    """Of the unnormalised target, and again by another divergence of tfp.vi, of the normalised."""
    value = float(objectives.forward_kl_by_importance(wider(), banana, 40_000, seed=1))
    assert value == pytest.approx(FORWARD, abs=0.02)
    csiszar = objectives.reverse_kl(
        wider(), normalized, 40_000, seed=1, discrepancy_fn=tfp.vi.kl_forward
    )
    assert float(csiszar) == pytest.approx(FORWARD, abs=0.02)
    # A target that ends somewhere: no draw beyond counts, and none turns into NaN.
    half = lambda x: tf.where(x[:, 0] > 0, banana(x), tf.constant(-np.inf))  # noqa: E731
    value = float(objectives.forward_kl_by_importance(wider(), half, 40_000, seed=1))
    assert value == pytest.approx(FORWARD + np.log(2), abs=0.02)


def _gradients(function, variables):
    with tf.GradientTape() as tape:
        value = function()
    return [tf.convert_to_tensor(g).numpy() for g in tape.gradient(value, variables)]


def test_gradients_are_those_of_the_divergence():
    """At the target itself the exact gradient is 0; off it, that of the closed form."""
    scale = tf.Variable([WIDER, 0.5 * WIDER])
    flow = Flow(tb.Chain([wider().bijector.bijectors[0], tfp.bijectors.Scale(scale)]), [2])
    n = 40_000
    # d/ds of the two closed forms, for each dimension by its own unit.
    reverse = np.array([WIDER - 1 / WIDER] * 2) / [1.0, 0.5]
    forward = np.array([1 / WIDER - WIDER**-3] * 2) / [1.0, 0.5]
    x = problems.draws(n, seed=2)
    for expected, loss in (
        (reverse, lambda: objectives.reverse_kl(flow, banana, n, seed=1)),
        (forward, lambda: objectives.forward_kl(flow, x)),
        (forward, lambda: objectives.forward_kl_by_importance(flow, banana, n, seed=1)),
        (forward, lambda: objectives.latent_kl(flow, x, normalized(x))),
    ):
        np.testing.assert_allclose(_gradients(loss, [scale])[0], expected, atol=0.06)


def test_a_model_without_latents_has_the_gradient_of_its_score():
    """No gradient goes through the choice of a component: tfp.vi is told so."""
    mixture = models.GaussianMixture(1, components=2)
    mixture.estimate(toy.get("mixture_1d").sample(1000, 0))
    logits = mixture.parameters.logits
    target = lambda x: -0.5 * tf.square(x[:, 0] - 1.0)  # noqa: E731
    got = _gradients(lambda: objectives.reverse_kl(mixture, target, 100_000, seed=0), [logits])[0]
    grid = np.linspace(-8, 8, 4001, dtype=np.float32)[:, np.newaxis]

    def exact():
        log_q = mixture.log_prob_fn(tf.constant(grid))
        return tf.reduce_sum(tf.exp(log_q) * (log_q - target(grid))) * (16 / 4000)

    np.testing.assert_allclose(got, _gradients(exact, [logits])[0], atol=0.05)


# The duality of the two directions: KL(p_x, q_x) = KL(p_z, base).


def _grid(low, high, points):
    axes = [
        a + (b - a) * (np.arange(points) + 0.5) / points for a, b in zip(low, high, strict=True)
    ]
    grid = np.stack(np.meshgrid(*axes), -1).reshape(-1, 2).astype(np.float32)
    return grid, np.prod((np.array(high) - low) / points)


@pytest.fixture(scope="module")
def bent_moons():
    """A flow that is not the moons, but near enough to cover them."""
    flow = models.RealNVP(2, layers=2, hidden_units=(8,), actnorm=False)
    small_flows.shake(flow, seed=1, scale=0.15)
    return Flow(tb.Chain([tfp.bijectors.Scale([1.7, 1.2]), flow.bijector]), [2])


def _latent_integral(flow, moons):
    """KL(p_z, base) by quadrature among the latents, by the map from latents to data alone."""
    z, area = _grid([-7, -7], [7, 7], 250)
    x, log_det = tb.forward_and_log_det(flow.bijector, tf.constant(z), 1)
    log_p_z = moons.log_prob(x.numpy()) + log_det.numpy()
    log_base = flow.base.log_prob(tf.constant(z)).numpy().sum(axis=1)
    p_z = np.exp(log_p_z)
    assert p_z.sum() * area == pytest.approx(1.0, abs=2e-3)
    return np.sum(np.where(p_z > 0, p_z * (log_p_z - log_base), 0.0)) * area


def test_duality_by_quadrature(bent_moons):
    moons = toy.get("two_moons")
    x, area = _grid([-6, -6], [6, 6], 250)
    log_p, log_q = moons.log_prob(x), bent_moons.log_prob(x).numpy().astype(np.float64)
    forward = np.sum(np.exp(log_p) * (log_p - log_q)) * area
    assert 0.3 < forward < 3  # the flow is another density
    assert _latent_integral(bent_moons, moons) == pytest.approx(forward, abs=5e-3)


def test_duality_by_monte_carlo(bent_moons):
    """Data carried to the latents, against the integral among the latents; 5 standard errors."""
    moons = toy.get("two_moons")
    x = moons.sample(40_000, seed=1)
    log_p = moons.log_prob(x).astype(np.float32)
    dual = float(objectives.latent_kl(bent_moons, x, log_p))
    error = float(np.std(log_p - bent_moons.log_prob(x))) / 200
    assert dual == pytest.approx(_latent_integral(bent_moons, moons), abs=5 * error)
    forward = float(objectives.forward_kl(bent_moons, x, log_p))
    assert dual == pytest.approx(forward, abs=1e-4)


# A flow is a VAE whose encoder and decoder are deterministic (Nielsen et al., SurVAE Flows, 2020,
# https://arxiv.org/abs/2007.02731).


@pytest.fixture(scope="module")
def map64():
    """A smooth map in float64."""

    def network(outputs):
        return networks.MLP(outputs, (6,), activation="tanh", dtype="float64")

    masks = [[True, False], [False, True]]
    bijector = tb.Chain([tb.Coupling(mask, tb.Affine(), network) for mask in masks])
    rng = np.random.default_rng(0)
    for variable in bijector.trainable_variables:
        variable.assign_add(0.5 * rng.normal(size=variable.shape))
    return bijector


def _log_prob64(bijector, x):
    z, log_det = tb.inverse_and_log_det(bijector, x, 1)
    return z, tf.reduce_sum(tfd.Normal(tf.zeros([], x.dtype), 1.0).log_prob(z), -1) + log_det


def _elbo(bijector, x, width, points=24):
    """The ELBO of a row `x` `[1, 2]`, by Gauss-Hermite quadrature over the encoder's noise.

    The encoder is Gaussian about f(x), and the decoder about g(z) = f^-1(z) with deviation
    `width`. The encoder has the decoder's width as the map carries it to the latents: its
    covariance is width^2 J J^T, J the Jacobian of f at x.
    """
    with tf.GradientTape() as tape:
        tape.watch(x)
        z0 = bijector.inverse(tf.identity(x))
    jacobian = tape.batch_jacobian(z0, x)[0]
    nodes, weights = np.polynomial.hermite_e.hermegauss(points)
    u = np.stack(np.meshgrid(nodes, nodes), -1).reshape(-1, 2)
    weights = np.outer(weights, weights).reshape(-1) / np.sum(weights) ** 2
    z = z0 + width * tf.linalg.matvec(jacobian, u)

    def normal(value):
        return tf.reduce_sum(tfd.Normal(tf.zeros([], value.dtype), 1.0).log_prob(value), -1)

    log_encoder = normal(tf.constant(u)) - tf.linalg.slogdet(width * jacobian)[1]
    log_decoder = normal((x - bijector.forward(z)) / width) - 2 * np.log(width)
    return float(np.sum(weights * (normal(z) + log_decoder - log_encoder)))


def test_elbo_of_a_delta_encoder_is_the_log_likelihood(map64):
    """As encoder and decoder narrow, the bound closes, by the square of their width."""
    x = tf.constant([[0.7, -0.4]], tf.float64)
    exact = float(_log_prob64(map64, x)[1][0])
    gaps = np.array([exact - _elbo(map64, x, width) for width in (0.08, 0.04, 0.02, 0.01)])
    assert (gaps > 0).all()  # a bound from below
    assert gaps[-1] < 2e-3
    np.testing.assert_allclose(gaps[:-1] / gaps[1:], 4.0, rtol=0.02)
    # What is left without the pair of widths is the likelihood less the volume: not a bound.
    z, log_det = tb.inverse_and_log_det(map64, x, 1)
    assert abs(float(log_det[0])) > 0.1


def test_elbo_by_tfp_is_the_log_likelihood_for_every_draw(map64):
    """In the limit itself, nothing is left of the noise: the two deltas leave the volume alone.

    tfp.vi gets the decoder's volume term in the place of log p(x|z) - log q(z|x), and an encoder
    that draws f(x).
    """
    x = tf.constant(np.random.default_rng(0).normal(size=(5, 2)))
    z, log_likelihood = _log_prob64(map64, x)
    prior = tfd.Independent(tfd.Normal(tf.zeros([2], tf.float64), 1.0), 1)

    def joint(z):
        return prior.log_prob(z) - tb.forward_and_log_det(map64, z, 1)[1]

    delta = tfd.VectorDeterministic(z)  # log-density 0 at z, by the convention of a delta
    bound = -tfp.vi.monte_carlo_variational_loss(joint, delta, sample_size=3, seed=(0, 0))
    np.testing.assert_allclose(bound, log_likelihood, atol=1e-10)


def _fit(loss_of, steps=800):
    """A small flow trained on `loss_of(flow, step)`."""
    flow = models.RealNVP(2, layers=4, hidden_units=(32, 32), actnorm=False)
    optimizer = keras.optimizers.Adam(keras.optimizers.schedules.CosineDecay(1e-2, steps))
    optimizer.build(flow.trainable_variables)

    @tf.function(jit_compile=True)
    def train(step):
        with tf.GradientTape() as tape:
            loss = loss_of(flow, step)
        optimizer.apply(tape.gradient(loss, flow.trainable_variables), flow.trainable_variables)

    for step in range(steps):
        train(tf.constant(step, tf.int64))
    return flow


@pytest.mark.slow
def test_samples_and_unnormalised_density_lead_to_the_same_flow():
    """Fitted to draws by forward KL, and to the density by reverse KL."""
    rows = tf.reshape(problems.draws(256 * 200), [200, 256, 2])
    by_samples = _fit(lambda flow, step: objectives.forward_kl(flow, tf.gather(rows, step % 200)))
    by_density = _fit(
        lambda flow, step: objectives.reverse_kl(flow, banana, 256, seed=0, start=256 * step)
    )
    x = problems.draws(20_000, seed=9)
    for flow in (by_samples, by_density):
        assert objectives.forward_kl(flow, x, normalized(x)) < 0.01
        assert objectives.reverse_kl(flow, normalized, 20_000, seed=5) < 0.01
    between = objectives.reverse_kl(by_samples, by_density.log_prob_fn, 20_000, seed=6)
    assert abs(between) < 0.02


def test_bad_arguments():
    conditional = models.MAF(2, layers=1, hidden_units=(4,), context_dim=1, actnorm=False)
    with pytest.raises(ValueError, match="model: expected a model without a context"):
        objectives.reverse_kl(conditional, banana, 10, seed=0)
