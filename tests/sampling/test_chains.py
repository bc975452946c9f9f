"""Every kernel leaves a banana as it is, with and without a flow; a wrong one does not."""

import numpy as np
import pytest
import tensorflow as tf
import tensorflow_probability as tfp

from tests.sampling import problems
from tests.sampling.problems import (
    banana,
    bent,
    broad_gaussian,
    check_moments,
    mixture,
    run,
    wider,
)
from tfflows import Flow, models, sampling
from tfflows import bijectors as tb

mcmc = tfp.mcmc


def walk(target, scale=0.6):
    return mcmc.RandomWalkMetropolis(target, mcmc.random_walk_normal_fn(scale))


def langevin(step_size):
    return mcmc.MetropolisAdjustedLangevinAlgorithm(banana, step_size)


def hamiltonian(step_size):
    return mcmc.HamiltonianMonteCarlo(banana, step_size, num_leapfrog_steps=4)


def given_x1(x, seed):
    """x2 from its distribution given x1, which is known."""
    noise = tf.random.stateless_normal(tf.shape(x[..., 1]), seed)
    return tf.stack([x[..., 0], tf.square(x[..., 0]) + 0.5 * noise], axis=-1)


KERNELS = {
    "walk": lambda: walk(banana),
    "langevin": lambda: langevin(0.1),
    "hamiltonian": lambda: hamiltonian(0.25),
    "independence": lambda: sampling.independence_metropolis(banana, broad_gaussian()),
    "independence_mixture": lambda: sampling.independence_metropolis(banana, mixture()),
    "independence_flow": lambda: sampling.independence_metropolis(banana, wider()),
    "flow_walk": lambda: sampling.precondition(walk(banana), bent()),
    "flow_langevin": lambda: sampling.precondition(langevin(0.1), bent()),
    "flow_hamiltonian": lambda: sampling.precondition(hamiltonian(0.4), wider()),
    "gibbs": lambda: sampling.Gibbs([sampling.Block([0], walk), given_x1], banana),
    "gibbs_blocks": lambda: sampling.Gibbs(
        [sampling.Block([1], walk), sampling.Block([0], walk)], banana
    ),
}


@pytest.mark.parametrize("name", KERNELS)
def test_moments(name):
    check_moments(run(KERNELS[name]()))


@pytest.mark.slow
@pytest.mark.parametrize("flow", [False, True])
def test_no_u_turn(flow):
    kernel = mcmc.NoUTurnSampler(banana, step_size=0.2, max_tree_depth=4)
    kernel = sampling.precondition(kernel, bent()) if flow else kernel
    check_moments(run(kernel, steps=30, burn=10))


class _NoCorrection(sampling.UncalibratedIndependence):
    def one_step(self, *args, **kwargs):
        state, results = super().one_step(*args, **kwargs)
        zero = tf.zeros_like(results.log_acceptance_correction)
        return state, results._replace(log_acceptance_correction=zero)


class _InverseCorrection(sampling.UncalibratedIndependence):
    def one_step(self, *args, **kwargs):
        state, results = super().one_step(*args, **kwargs)
        wrong = -results.log_acceptance_correction
        return state, results._replace(log_acceptance_correction=wrong)


class _ForgetsLogDet(tb.FullAffine):
    """Bends nothing, but says that its volume is another at every point."""

    def _forward_and_log_det(self, x, context):
        y, log_det = super()._forward_and_log_det(x, context)
        return y, log_det + 0.5 * x[..., 0]


def wrong_conditional(x, seed):
    return given_x1(x, seed) + [0.0, 0.1]


WRONG = {
    "no_correction": lambda: mcmc.MetropolisHastings(_NoCorrection(banana, broad_gaussian())),
    "inverse": lambda: mcmc.MetropolisHastings(_InverseCorrection(banana, broad_gaussian())),
    "never_rejected": lambda: sampling.UncalibratedIndependence(banana, broad_gaussian()),
    "log_det": lambda: sampling.precondition(langevin(0.1), Flow(_ForgetsLogDet(2), [2])),
    "conditional": lambda: sampling.Gibbs([sampling.Block([0], walk), wrong_conditional], banana),
    "block_of_another_target": lambda: sampling.Gibbs(
        [sampling.Block([0], lambda target: walk(lambda v: 0.4 * target(v))), given_x1], banana
    ),
}


@pytest.mark.parametrize("name", WRONG)
def test_wrong_kernels_fail(name):
    with pytest.raises(AssertionError, match="standard errors"):
        check_moments(run(WRONG[name](), burn=100))


def test_chains_find_the_target_from_elsewhere():
    start = np.random.default_rng(0).normal(1.0, 0.3, (1000, 2)).astype(np.float32)
    with pytest.raises(AssertionError, match="standard errors"):
        check_moments(start[np.newaxis].astype(np.float64))
    check_moments(run(KERNELS["independence_flow"](), burn=40, start=start))
    check_moments(run(KERNELS["flow_hamiltonian"](), burn=40, start=start))


def test_a_chain_is_a_function_of_its_seed():
    kernel = sampling.independence_metropolis(banana, broad_gaussian())
    one, again, other = (run(kernel, 5, 0, 10, seed=s) for s in ((1, 2), (1, 2), (1, 3)))
    np.testing.assert_array_equal(one, again)
    assert np.abs(one - other).max() > 0.1


def test_independent_proposals_under_xla_and_for_one_chain():
    """TFP's own random numbers differ under XLA, and so do the chains."""
    kernel = sampling.independence_metropolis(banana, mixture())

    def sample(state):
        return mcmc.sample_chain(20, state, kernel=kernel, seed=(0, 1), trace_fn=None)

    for shape in ([2], [3, 2], [2, 3, 2]):
        state = tf.fill(shape, 0.1)
        for xla in (False, True) if shape == [3, 2] else (False,):
            states = tf.function(sample, jit_compile=xla)(state)
            assert states.shape == [20, *shape]
            assert np.isfinite(states).all() and np.ptp(states, axis=0).min() > 0.1


def test_gibbs_reports_acceptance_of_its_blocks():
    kernel = sampling.Gibbs(
        [sampling.Block([1], walk), given_x1, sampling.Block([0], walk)], banana
    )
    state = tf.constant(problems.draws(500))
    _, results = tf.function(lambda: kernel.one_step(state, kernel.bootstrap_results(state)))()
    assert [r.shape for r in results.is_accepted] == [(500,), (500,)]
    assert 0.1 < np.mean(results.is_accepted[0]) < 0.9


def conditional():
    return models.MAF(2, layers=1, hidden_units=(4,), context_dim=1, actnorm=False)


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: sampling.precondition(walk(banana), mixture()), "flow: expected a Flow, got a"),
        (
            lambda: sampling.precondition(walk(banana), models.AutoregressiveMixture(2)),
            "flow: expected a normal base, got uniform",
        ),
        (lambda: sampling.precondition(walk(banana), conditional()), "flow: .* without a context"),
        (lambda: sampling.precondition(walk(banana), models.RealNVP(2)), "flow: .* trained flow"),
        (
            lambda: sampling.independence_metropolis(banana, conditional()),
            "proposal: expected a model without a context",
        ),
        (
            lambda: sampling.independence_metropolis(banana, models.Histogram(2)),
            "proposal: expected a trained model",
        ),
        (
            lambda: sampling.independence_metropolis(banana, tb.BoxMuller(2)),
            "proposal: expected a DensityModel, got a BoxMuller",
        ),
        (
            lambda: KERNELS["independence"]().bootstrap_results(tf.zeros([4, 3])),
            r"init_state: expected float32 \[chains, 2\], got float32 \[4, 3\]",
        ),
        (lambda: sampling.Gibbs([]), "updates: expected at least one, got none"),
        (
            lambda: sampling.Gibbs([sampling.Block([0], walk)]),
            "target_log_prob_fn: expected a function, because a Block needs it, got None",
        ),
        (
            lambda: sampling.Gibbs([sampling.Block([0, 0], walk)], banana),
            r"indices: expected different coordinates, none negative, got \[0, 0\]",
        ),
        (
            lambda: sampling.Gibbs([sampling.Block([2], walk)], banana).bootstrap_results(
                tf.zeros([4, 2])
            ),
            "indices: expected coordinates below 2, got 2",
        ),
    ],
)
def test_bad_arguments(call, message):
    with pytest.raises(ValueError, match=message):
        call()
