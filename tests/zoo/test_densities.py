"""Every one- and two-dimensional model of the zoo is a density after training.

Whatever optimizer trained it: masks that an optimizer could dissolve, or inverses that a cache
could hide, show as an integral that is not 1.
"""

import keras
import numpy as np
import pytest
import tensorflow as tf
from scipy import stats

import zoo
from tfflows import models
from tfflows.data import pipeline, quadrature, targets, toy
from tfflows.networks import AutoregressiveNetwork
from zoo import families
from zoo.configs import default

STEPS, BATCH = 500, 256
OPTIMIZERS = {
    "adam": lambda: keras.optimizers.Adam(2e-3),
    "adamw": lambda: keras.optimizers.AdamW(2e-3, weight_decay=1e-2),
    "sgd": lambda: keras.optimizers.SGD(1e-2, momentum=0.9, global_clipnorm=1.0),
    "muon": lambda: keras.optimizers.Muon(2e-3),
}
# Without the baselines, which no optimizer trains: tests/models/test_baselines.py integrates them.
MODELS = [
    name
    for name in zoo.names()
    if zoo.config(name).data.source in ("toy", "target")
    and families.modality(zoo.config(name).model.family) == "vectors"  # not of integers
    and not hasattr(default.family(zoo.config(name).model.family), "estimate")
]
# One optimizer a model by default, each of the four in its turn; the full matrix is slow, and so
# are the models that take longest, or of which another of the same kind is trained by default.
ALIKE = {
    *("linear_spline_moons", "quadratic_spline_moons", "sos_moons", "radial_moons"),
    *("sylvester_householder_moons", "sylvester_triangular_moons", "householder_moons"),
    *("residual_moons", "finite_dependency_moons", "lu_moons", "planar_moons"),
    *("sylvester_orthogonal_moons", "cubic_spline_moons", "umnn_moons", "ffjord_moons"),
    *("nsf_ar_moons", "recurrent_moons", "planar_target", "realnvp_moons"),
    *("iaf_target", "maf_moons", "naf_moons", "nsf_moons"),
    *("cdf_gaussian_normal", "cdf_gaussian_uniform", "cdf_logistic_beta", "ar_mixture_moons"),
    "ar_mixture_face",
}
CASES = [
    pytest.param(
        name,
        optimizer,
        marks=[] if (i - j) % 4 == 0 and name not in ALIKE else [pytest.mark.slow],
    )
    for i, name in enumerate(MODELS)
    for j, optimizer in enumerate(OPTIMIZERS)
]


def _train(name, optimizer):
    config = zoo.config(name)
    flow = zoo.build(name)
    if config.data.source == "toy":
        rows, held_out = (toy.get(config.data.name).sample(n, n) for n in (50_000, 4096))
        data, target = pipeline.training_dataset(rows, BATCH, seed=0), None
        flow.initialize(rows[:1000])

        def loss():
            return -np.mean(flow.log_prob(held_out))
    else:
        target = targets.get(config.data.name)
        data = tf.data.Dataset.range(10**9).batch(BATCH, drop_remainder=True)

        def loss():
            x, log_q = flow.sample_and_log_prob(4096, seed=7)
            return np.mean(log_q - target(x))

    # Without XLA, whose compilation takes longer than these few steps.
    flow.compile(optimizer, target_log_prob=target, steps_per_execution=STEPS // 10)
    before = loss()
    flow.fit(data, steps_per_epoch=STEPS, verbose=0, shuffle=False)
    return flow, before, loss()


def integral(flow, draws=40_000):
    """The density's integral over a box that holds 99.99 % of its draws.

    A point at random in each cell of a grid. The cells' midpoints would beat against the jumps of a
    linear spline's density, whose bins hold six of them or seven: an error of 1 %.
    """
    x = np.concatenate([flow.sample(draws // 10, seed=7, start=i * draws // 10) for i in range(10)])
    tail = 0.5e-4 / x.shape[1]
    low, high = np.quantile(x, tail, axis=0), np.quantile(x, 1 - tail, axis=0)
    points = 100_000 if x.shape[1] == 1 else 400
    cells = np.stack(np.meshgrid(*[np.arange(points)] * x.shape[1]), -1).reshape(-1, x.shape[1])
    within = np.random.default_rng(0).random(cells.shape)
    grid = (low + (high - low) * (cells + within) / points).astype("float32")
    log_prob = np.concatenate([flow.log_prob(part) for part in np.array_split(grid, 20)])
    assert not np.isnan(log_prob).any()
    return np.exp(log_prob.astype("float64")).sum() * np.prod((high - low) / points)


def test_jumps_of_a_density_are_resolved():
    """Jumps at known places, so that Gauss's rule between them gives the exact mass."""
    bins, bound = 64, 4.0
    arguments = {"spline": "linear", "bins": bins, "bound": bound}
    flow = models.NSF(2, layers=1, autoregressive=True, hidden_units=(32,), **arguments)
    for number, variable in enumerate(made_networks(flow)[0].trainable_variables):
        noise = np.random.default_rng(number).normal(size=variable.shape)
        variable.assign_add(tf.constant(0.3 * noise, tf.float32))
    axes = [quadrature.panels(np.linspace(-bound, bound, bins + 1), order) for order in (3, 5)]
    grid = np.stack(np.meshgrid(*[nodes for nodes, _ in axes]), -1).reshape(-1, 2)
    weights = np.multiply.outer(axes[1][1], axes[0][1]).ravel()
    mass = weights @ np.exp(flow.log_prob(grid).numpy().astype("float64"))
    inside = 2 * stats.norm.cdf(bound) - 1  # of each number: beyond, the density is the base's
    assert mass == pytest.approx(inside**2, abs=2e-5)
    assert integral(flow) == pytest.approx(1.0, abs=2e-3)


def made_networks(flow):
    """The masked networks of a flow."""
    return [m for m in flow.bijector.submodules if isinstance(m, AutoregressiveNetwork)]


def check_triangular(network, size):
    """No output of a masked network moves with an input at or after its own place."""
    x = tf.random.stateless_normal([4, size], [0, 0])
    with tf.GradientTape() as tape:
        tape.watch(x)
        parameters = network(x)
    jacobian = tape.batch_jacobian(parameters, x).numpy()  # [batch, output, parameter, input]
    for output in range(size):
        assert not jacobian[:, output, :, output:].any()


@pytest.mark.parametrize(("name", "optimizer"), CASES)
def test_density_integrates_to_one_after_training(name, optimizer):
    flow, before, after = _train(name, OPTIMIZERS[optimizer]())
    print(f"{name} {optimizer}: loss {before:.3f} to {after:.3f} in {STEPS} steps")
    assert before - after > 0.02, f"the loss went from {before} to {after}"
    assert integral(flow) == pytest.approx(1.0, abs=5e-3)
    for network in made_networks(flow):
        check_triangular(network, flow.event_shape[0])


def test_an_unmasked_network_fails_the_triangle():
    network = AutoregressiveNetwork(2, 3, (8, 8), activation="tanh")
    network(tf.zeros([1, 3]))
    for variable in network.variables:
        variable.assign_add(tf.ones_like(variable))
    check_triangular(network, 3)
    for layer in [*network._layers, network._last]:
        layer["degrees"] = tuple(np.zeros_like(d) for d in layer["degrees"])
    with pytest.raises(AssertionError):
        check_triangular(network, 3)


def test_a_log_det_off_by_a_percent_fails_the_integral():
    flow = zoo.build("affine_moons")

    class Wrong:
        sample = flow.sample

        @staticmethod
        def log_prob(x):
            return flow.log_prob(x).numpy() + 0.01

    assert integral(flow) == pytest.approx(1.0, abs=5e-3)
    assert integral(Wrong) != pytest.approx(1.0, abs=5e-3)
