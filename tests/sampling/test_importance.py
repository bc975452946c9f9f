"""Importance sampling: expectations, the normaliser, their errors, the effective sample size."""

import numpy as np
import pytest
import tensorflow as tf

from tests.sampling import problems
from tests.sampling.problems import LOG_NORMALIZER, MOMENTS, WIDER, banana, mixture, wider
from tfflows import Flow, models, sampling
from tfflows import bijectors as tb

PROPOSALS = {"flow": wider, "mixture": mixture}


@pytest.mark.parametrize("log_normalizer", [None, LOG_NORMALIZER])
@pytest.mark.parametrize("name", PROPOSALS)
def test_moments_are_within_their_errors(name, log_normalizer):
    """A right one fails once in 3 * 10^5: five moments, 5 standard errors."""
    weighted = sampling.importance_sampling(PROPOSALS[name](), banana, 50_000, seed=1)
    mean, error = weighted.expectation(problems.functions, log_normalizer)
    assert (np.abs(mean - MOMENTS) < 5 * error).all()
    assert (error < 0.1).all()
    assert abs(weighted.log_normalizer - LOG_NORMALIZER) < 5 * weighted.log_normalizer_error


def test_errors_are_those_of_repetitions():
    """Of 100 runs the spread is what each one says, within 5 errors of a spread (a 14th each)."""
    runs = [
        sampling.importance_sampling(wider(), banana, 1000, seed=2, start=1000 * i)
        for i in range(100)
    ]
    for value, error in (
        zip(*(run.expectation(lambda x: x[:, 1]) for run in runs), strict=True),
        zip(*(run.expectation(lambda x: x[:, 1], LOG_NORMALIZER) for run in runs), strict=True),
        zip(*((run.log_normalizer, run.log_normalizer_error) for run in runs), strict=True),
    ):
        assert np.std(value) == pytest.approx(np.mean(error), rel=0.36)


def test_weights_of_a_wrong_density_fail():
    """Without the proposal's density in the weights the moments are the wrong ones."""
    weighted = sampling.importance_sampling(wider(), banana, 50_000, seed=1)
    log_q = wider().log_prob(weighted.samples).numpy()
    wrong = sampling.Weighted(weighted.samples, weighted.log_weights + log_q)
    mean, error = wrong.expectation(problems.functions)
    assert (np.abs(mean - MOMENTS) > 5 * error).any()


def test_effective_sample_size():
    n = 20_000
    normal = Flow(tb.BoxMuller(2), [2], base="uniform")
    target = lambda x: -0.5 * tf.reduce_sum(tf.square(x), axis=-1)  # noqa: E731
    same = sampling.importance_sampling(normal, target, n, seed=0)
    assert same.effective_sample_size == pytest.approx(n, rel=1e-4)
    assert same.log_normalizer == pytest.approx(np.log(2 * np.pi), abs=1e-3)
    # Of N(0, 1) from N(0, s^2), E[w]^2 / E[w^2] = sqrt(2 s^2 - 1) / s^2: here for two dimensions.
    wide = sampling.importance_sampling(wider(), banana, n, seed=0)
    share = (2 * WIDER**2 - 1) / WIDER**4
    assert wide.effective_sample_size / n == pytest.approx(share, rel=0.02)


def test_draws_are_numbered_whatever_the_batch():
    whole = sampling.importance_sampling(wider(), banana, 9000, seed=4)
    part = sampling.importance_sampling(wider(), banana, 10, seed=4, start=8190)
    np.testing.assert_allclose(whole.samples[8190:8200], part.samples, atol=1e-5)
    np.testing.assert_allclose(whole.log_weights[8190:8200], part.log_weights, atol=1e-3)
    fresh = [sampling.importance_sampling(wider(), banana, 2).samples for _ in range(2)]
    assert np.abs(fresh[0] - fresh[1]).min() > 0


def test_resampling_gives_draws_of_the_target():
    weighted = sampling.importance_sampling(mixture(), banana, 50_000, seed=6)
    rows = weighted.resample(20_000, seed=0)
    off = (problems.functions(rows).mean(0) - MOMENTS) / problems.functions(rows).std(0)
    assert np.abs(off).max() < 5 * np.sqrt(1 / 20_000 + 1 / weighted.effective_sample_size)


def test_a_target_that_ends_somewhere():
    """Weights of 0 where the target is; its mass is the part of the normal above 0."""
    normal = models.AffineFlow(1)

    def half(x):
        inside = normal.log_prob_fn(x)
        return tf.where(x[:, 0] > 0, inside, tf.fill(tf.shape(inside), -np.inf))

    weighted = sampling.importance_sampling(normal, half, 20_000, seed=0)
    assert weighted.log_normalizer == pytest.approx(np.log(0.5), abs=0.05)
    mean, error = weighted.expectation(lambda x: x[:, 0])
    assert mean == pytest.approx(np.sqrt(2 / np.pi), abs=5 * error)


@pytest.mark.parametrize(
    ("target", "n", "message"),
    [
        (lambda x: x[:, 0] * np.nan, 5, "target_log_prob_fn: expected finite values or -inf, got"),
        (lambda x: x[:, 0] + np.inf, 5, "target_log_prob_fn: expected finite values or -inf, got"),
        (
            lambda x: x[:, 0] - np.inf,
            5,
            "expected a finite value for some draw, got -inf for all 5",
        ),
        (lambda x: x, 5, r"target_log_prob_fn: expected shape \[5\], got \[5, 2\]"),
        (banana, 1, "n: expected a whole number from 2"),
    ],
)
def test_bad_arguments(target, n, message):
    with pytest.raises(ValueError, match=message):
        sampling.importance_sampling(wider(), target, n, seed=0)


def test_a_proposal_that_does_not_know_its_own_draws(monkeypatch):
    """The error names the proposal, not the target."""
    normal, broken = models.AffineFlow(2), np.array([0.5, -np.inf, 0.5])
    monkeypatch.setattr(
        normal, "sample_and_log_prob", lambda n, *_: (tf.zeros([n, 2]), tf.constant(broken))
    )
    with pytest.raises(ValueError, match="proposal: expected a finite log-density .* got -inf"):
        sampling.importance_sampling(normal, banana, 3, seed=0)


def test_a_function_of_another_shape():
    weighted = sampling.importance_sampling(wider(), banana, 5, seed=0)
    with pytest.raises(ValueError, match=r"function: expected values of shape \[5\], got \[\]"):
        weighted.expectation(np.mean)


def test_box_muller_makes_standard_normals():
    flow = Flow(tb.BoxMuller(4), [4], base="uniform")
    x = flow.sample(40_000, seed=0).numpy()
    normal = models.AffineFlow(4)
    np.testing.assert_allclose(flow.log_prob(x), normal.log_prob(x), atol=2e-4)
    # Five standard errors each: means, covariances, fourth moments.
    assert np.abs(x.mean(0)).max() < 5 / 200
    assert np.abs(x.T @ x / len(x) - np.eye(4)).max() < 5 * np.sqrt(2) / 200
    assert np.abs((x**4).mean(0) - 3).max() < 5 * np.sqrt(96) / 200
    origin = tf.Variable([[0.0, 0.0, 1.0, 1.0]])
    with tf.GradientTape() as tape:
        total = tf.reduce_sum(flow.bijector.inverse(origin)) + tf.reduce_sum(
            flow.log_prob_fn(origin)
        )
    assert np.isfinite(tape.gradient(total, origin)).all()
    for size in (0, 3):
        with pytest.raises(ValueError, match=f"size: expected an even number, got {size}"):
            tb.BoxMuller(size)


def test_draws_outside_of_the_target_do_not_count():
    """Whatever a function makes of them: here the root of a negative number."""

    def half(x):
        outside = tf.fill(tf.shape(x)[:1], -np.inf)
        return tf.where(x[:, 0] > 0, -0.5 * tf.reduce_sum(x**2, axis=1), outside)

    weighted = sampling.importance_sampling(models.AffineFlow(2), half, 4000, seed=0)
    for log_normalizer in (None, np.log(np.pi)):
        with np.errstate(invalid="ignore"):
            mean, error = weighted.expectation(lambda x: np.sqrt(x[:, 0]), log_normalizer)
        assert abs(mean - 0.82217) < 4 * error < 0.1  # 2^(1/4) Gamma(3/4) / sqrt(pi)
