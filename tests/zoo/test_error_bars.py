"""What a test reports: which rows it reads, and two standard errors."""

import contextlib
import math

import numpy as np
import pytest
import tensorflow as tf

from tfflows import batches, models
from tfflows.data import toy
from tfflows.files import write_json
from zoo import evaluate, modalities, registry
from zoo.modalities.base import mean, shared_noise
from zoo.train import stored_values


def test_two_standard_errors_and_not_one():
    values = np.array([1.0, 2.0, 4.0, 9.0])
    result = mean("x", values)
    assert result["x"] == 4.0
    deviation = math.sqrt(np.mean((values - 4.0) ** 2))
    assert result["x_two_standard_errors"] == pytest.approx(2 * deviation / 2, rel=1e-12)


def test_the_interval_holds_the_mean_in_95_of_100_tests():
    rng = np.random.default_rng(0)
    held = 0
    for _ in range(2000):
        result = mean("x", rng.normal(3.0, 7.0, 400))
        held += abs(result["x"] - 3.0) <= result["x_two_standard_errors"]
    # 95.4 % for two errors, 68 % for one, 99.7 % for three; the deviation of 2,000 is 0.5 %.
    assert 0.935 < held / 2000 < 0.97


class Noisy:
    """A bound of six different rows, whose noise is keyed by the row and the number of the draw."""

    samples, event_shape, context_shape = 1, (2,), None
    deviation = 0.5

    def __init__(self, seed):
        self.rng = np.random.default_rng(seed)
        self.draws = self.rng.normal(size=(2, 6)) * self.deviation
        self.first = 0

    def log_prob(self, x, context=None):
        which = np.asarray(x)[:, 0].astype(int)
        return -1.0 * which + self.draws[self.first][which]

    @contextlib.contextmanager
    def other_draws(self):
        self.first = 1
        yield
        self.first = 0


def test_equal_rows_share_the_noise_of_a_bound():
    n, held, ordinary = 500, 0, 0
    for seed in range(600):
        model = Noisy(seed)
        which = model.rng.integers(0, 6, n)
        x = np.stack([which, -which], 1).astype(np.int32)
        values = model.log_prob(x)
        shared = shared_noise(model, x, None)
        gap = abs(np.mean(values) + 2.5)  # from the mean without noise
        held += gap <= mean("x", values, shared)["x_two_standard_errors"]
        ordinary += gap <= mean("x", values)["x_two_standard_errors"]
    # Of six rows the noise is known roughly: somewhat less than 95 %.
    assert 0.85 < held / 600 < 0.99 and ordinary / 600 < 0.75
    x = np.arange(1000).reshape(500, 2)
    assert shared_noise(Noisy(0), x, None) == 0.0  # no rows are equal
    assert shared_noise(Noisy(0), x[:0], None) == 0.0
    exact = Noisy(0)
    exact.samples = None
    assert shared_noise(exact, np.zeros([9, 2]), None) == 0.0
    # Equal rows with different contexts count as different.
    assert shared_noise(Noisy(0), np.zeros([9, 2]), np.arange(9.0)[:, None]) == 0.0


def test_other_draws_are_others_and_the_usual_ones_come_back():
    model = models.CategoricalFlow(2, levels=3, layers=1, width=4, blocks=1, heads=1, components=2)
    x = np.array([[0, 1], [2, 2]])
    model.initialize(x)
    usual = model.log_prob(x).numpy()
    with model.other_draws():
        other = model.log_prob(x).numpy()
    assert (other != usual).all()
    np.testing.assert_array_equal(model.log_prob(x), usual)
    model.samples = 2
    both = model.log_prob(x).numpy()
    np.testing.assert_allclose(both, np.logaddexp(usual, other) - np.log(2.0), atol=1e-5)


class Normal:
    """A model of two independent numbers whose log-density is known, and that notes its rows."""

    event_shape, modality, cells, samples = (2,), "vectors", None, None
    standardization_log_det = 0.5
    asked = None

    def log_prob(self, x, context=None):
        self.asked = x if self.asked is None else np.concatenate([self.asked, x])
        return -np.sum(np.square(x, dtype=np.float64), axis=1)


def workdir(folder, name="affine_moons", **data):
    config = registry.config(name)
    config.data.update(data)
    write_json(folder / registry.CONFIG, stored_values(config))
    card = {"name": name, "dim": 2, "data": {}, "weights_sha256": ""}
    write_json(folder / registry.CARD, card)
    return config


def test_figures_are_those_of_the_test_rows(tmp_path):
    config = workdir(tmp_path, size=1000)
    model = Normal()
    result = evaluate.evaluate(tmp_path, flow=model)
    data = modalities.load(config)
    np.testing.assert_array_equal(model.asked, data.test())
    log_q = -np.sum(np.square(data.test(), dtype=np.float64), axis=1)
    assert result["rows"] == len(log_q) == 100_000
    assert result["log_likelihood"] == pytest.approx(log_q.mean(), rel=1e-9)
    error = 2 * log_q.std() / math.sqrt(len(log_q))
    assert result["log_likelihood_two_standard_errors"] == pytest.approx(error, rel=1e-9)
    assert result["log_likelihood_standardized"] == pytest.approx(log_q.mean() + 0.5, rel=1e-9)
    ratio = toy.get("two_moons").log_prob(data.test()) - log_q
    assert result["kl_divergence"] == pytest.approx(ratio.mean(), rel=1e-9)
    assert result["kl_divergence_two_standard_errors"] == pytest.approx(
        2 * ratio.std() / math.sqrt(len(log_q)), rel=1e-9
    )


def test_only_so_many_rows_as_asked_for_and_the_first(tmp_path):
    rows = np.random.default_rng(0).normal(size=(100, 2))
    np.save(tmp_path / "rows.npy", rows)
    config = workdir(tmp_path, "gaussian_table", path=str(tmp_path / "rows.npy"))
    model = Normal()
    result = evaluate.evaluate(tmp_path, flow=model, rows=4)
    order = np.random.default_rng(0).permutation(100)
    np.testing.assert_allclose(model.asked, rows[order[-10:][:4]], rtol=1e-6)
    assert result["rows"] == 4
    assert len(modalities.load(config).test()) == 10


class Bytes:
    """A model of colour images with classes: its log-density names the row and its context."""

    event_shape, modality, samples = (4, 4, 3), "images", 1

    @staticmethod
    def log_prob(x, context=None):
        assert len(x) == len(context)
        return -100.0 * x[:, 0, 0, 0].astype(np.float64) - context.argmax(1)


def test_contexts_go_with_their_rows_in_every_batch():
    n = 3 * batches._MOST + 7
    x = np.zeros([n, 4, 4, 3], np.uint8)
    x[:, 0, 0, 0] = np.arange(n) % 251
    context = np.eye(5, dtype=np.float32)[(np.arange(n) // 3) % 5]
    expected = -100.0 * x[:, 0, 0, 0] - context.argmax(1)
    np.testing.assert_array_equal(batches.log_prob(Bytes(), x, context), expected)


def test_bits_are_those_of_a_number_and_not_of_a_pixel(tmp_path):
    config = workdir(tmp_path, "glow_images", path=str(tmp_path / "images.npz"))
    config.model.args.classes = 2
    write_json(tmp_path / registry.CONFIG, stored_values(config))
    x = np.random.default_rng(0).integers(0, 256, (40, 4, 4, 3)).astype("uint8")
    np.savez(tmp_path / "images.npz", x=x, y=np.arange(40) % 2)
    result = evaluate.evaluate(tmp_path, flow=Bytes())
    test = modalities.load(config).test()
    nats = 100.0 * test[:, 0, 0, 0] + modalities.load(config).test_context().argmax(1)
    bits = nats / (4 * 4 * 3) / math.log(2.0)
    assert result["bits_per_dim"] == pytest.approx(bits.mean(), rel=1e-9)
    assert result["bits_per_dim_two_standard_errors"] == pytest.approx(
        2 * bits.std() / math.sqrt(len(bits)), rel=1e-9
    )
    assert result["log_likelihood"] == pytest.approx(-nats.mean(), rel=1e-9)


def test_draws_of_a_target_are_numbered_through_all_batches():
    class Numbered:
        event_shape = (1,)

        @staticmethod
        def sample_and_log_prob(n, seed, start, temperature, context):
            numbers = start + np.arange(n, dtype=np.float64)
            return [tf.constant(v) for v in (numbers[:, np.newaxis], -numbers)]

    n, start = 2 * batches._MOST + 5, 1 << 41
    x, log_q = batches.sample_and_log_prob(Numbered, n, 0, start)
    np.testing.assert_array_equal(x[:, 0], start + np.arange(n))
    np.testing.assert_array_equal(log_q, -x[:, 0])
