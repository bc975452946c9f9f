"""Integer flows: exact at every level, probabilities that sum to one, draws that follow them."""

import itertools
import json
import math

import keras
import numpy as np
import pytest
import tensorflow as tf

from tests.small_integers import started
from tfflows.data import integer_toy
from tfflows.distributions.discretized import DiscretizedLogistic
from tfflows.models import ImageIntegerDiscreteFlow, IntegerDiscreteFlow
from tfflows.models.discrete import integer, priors


def flow(shape=(4, 4, 1), bits=8, levels=2, scale=0.2, **kwargs):
    arguments = {"steps": 2, "width": 8, "blocks": 1} | kwargs
    return started(ImageIntegerDiscreteFlow(shape, bits=bits, levels=levels, **arguments), scale)


@pytest.mark.parametrize("quantized", [False, True])
def test_every_level_gives_back_what_it_was_given(quantized):
    model = flow((8, 8, 3), levels=3, quantized=quantized)
    rng = np.random.default_rng(0)
    x = rng.integers(0, 256, (40, 8, 8, 3))
    x[0], x[1], x[2, ::2], x[3, :, ::2] = 0, 255, 0, 255
    latents = model.latents(tf.constant(x, tf.float32))
    assert [tuple(part.shape[1:]) for part, _ in latents] == model.latent_shapes
    assert sum(math.prod(shape) for shape in model.latent_shapes) == 8 * 8 * 3
    values = None
    for level in reversed(range(3)):
        part, known = latents[level]
        for integers in (part, known):
            if integers is not None:
                assert np.array_equal(integers, np.round(integers))
                assert np.min(integers) >= -128 and np.max(integers) <= 127
        if known is not None:
            np.testing.assert_array_equal(values, known)
        values = model.join(level, part, values)
    np.testing.assert_array_equal(values, x)
    assert np.any(latents[0][0] != latents[0][0][::-1])


@pytest.mark.parametrize("quantized", [False, True])
def test_probabilities_of_all_images_sum_to_one(quantized):
    model = flow((2, 2, 1), bits=2, levels=1, steps=3, scale=0.4, quantized=quantized)
    every = np.array(list(itertools.product(range(4), repeat=4))).reshape(-1, 2, 2, 1)
    assert np.exp(np.float64(model.log_prob(every))).sum() == pytest.approx(1.0, abs=1e-5)
    model = flow((4, 2, 1), bits=1, levels=1, scale=0.4, quantized=quantized)
    every = np.array(list(itertools.product(range(2), repeat=8))).reshape(-1, 4, 2, 1)
    assert np.exp(np.float64(model.log_prob(every))).sum() == pytest.approx(1.0, abs=1e-5)


def test_probabilities_sum_to_one_where_one_level_depends_on_the_next():
    model = flow((4, 4, 1), bits=1, levels=2, scale=0.4)
    every = np.array(list(itertools.product(range(2), repeat=16))).reshape(-1, 4, 4, 1)
    total = sum(np.exp(np.float64(model.log_prob(x))).sum() for x in np.split(every, 16))
    assert total == pytest.approx(1.0, abs=1e-5)


def test_draws_follow_the_probabilities():
    model = flow((2, 2, 1), bits=1, levels=1, steps=3, scale=0.5)
    every = np.array(list(itertools.product(range(2), repeat=4)))
    probabilities = np.exp(np.float64(model.log_prob(every.reshape(-1, 2, 2, 1))))
    n = 40_000
    numbers = model.sample(n, seed=0).numpy().reshape(n, 4) @ [8, 4, 2, 1]
    counts = np.bincount(numbers, minlength=16)
    chi_square = np.sum((counts - n * probabilities) ** 2 / (n * probabilities))
    assert chi_square < 15 + 5 * math.sqrt(2 * 15)


def test_a_quantized_prior_is_on_its_grids():
    model = flow((8, 8, 1), scale=0.5, quantized=True)
    (_, known), _ = model.latents(tf.cast(model.sample(30, seed=0), tf.float32))
    logits, mean, place = model.parts.priors[0].places(known)
    assert logits is None
    for values, low, high in (
        (mean, -128 * priors.PHASES, 127 * priors.PHASES),
        (place, 0, priors.SCALES - 1),
    ):
        assert np.array_equal(values, np.round(values))
        assert low <= np.min(values) < np.max(values) <= high


def test_shifts_start_at_zero():
    """The latents are then the image's own numbers, and their priors are broad."""
    model = ImageIntegerDiscreteFlow((8, 8, 1), levels=2, steps=3, width=8, quantized=True)
    x = np.random.default_rng(0).integers(0, 256, (3, 8, 8, 1))
    parts = np.concatenate(
        [np.reshape(part, (3, -1)) for part, _ in model.latents(tf.constant(x, tf.float32))], 1
    )
    np.testing.assert_array_equal(np.sort(parts + 128), np.sort(x.reshape(3, -1)))
    assert np.mean(model.bits_per_dim(x)) < 12


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"shape": (4, 4)}, "shape: expected"),
        ({"shape": (6, 6, 1)}, "levels: too many for this image: 3 x 3"),
        ({"bits": 9}, "bits: expected 1 to 8, got 9"),
        ({"bits": 2.5}, "bits: expected a whole number, got 2.5"),
        ({"steps": "2"}, "steps: expected a whole number, got '2'"),
        ({"quantized": 1}, "quantized: expected True or False, got 1"),
        ({"levels": 0}, "levels: expected at least 1, got 0"),
        ({"steps": 0}, "steps: expected at least 1, got 0"),
        ({"components": 0}, "components: expected at least 1, got 0"),
        ({"width": 120, "quantized": True}, "width: expected at most 1032 numbers in a sum"),
    ],
)
def test_bad_arguments(arguments, message):
    with pytest.raises(ValueError, match=message):
        ImageIntegerDiscreteFlow(**{"shape": (4, 4, 1), **arguments})


def test_priors_start_from_data():
    """Each number of the last latents from its own values, those between from their channel's."""
    rng = np.random.default_rng(0)
    x = np.clip(rng.normal(40, 12, (256, 8, 8, 1)), 0, 255).round().astype("uint8")
    x[:, ::2, ::2] = 200  # of one channel after the squeeze, in every image
    entropy = 0.75 * math.log2(12 * math.sqrt(2 * math.pi * math.e))
    for quantized in (False, True):
        model = ImageIntegerDiscreteFlow((8, 8, 1), width=8, steps=1, quantized=quantized)
        assert not model.initialized and np.mean(model.bits_per_dim(x)) > 6.5
        model.initialize(x)
        assert model.initialized and np.mean(model.bits_per_dim(x)) < entropy + 1.0
        # What none of them had is not all but impossible.
        assert np.mean(model.bits_per_dim(np.full((1, 8, 8, 1), 255, "uint8"))) < 60
        weights = model.get_weights()
        model.initialize(x + 1)
        assert all(map(np.array_equal, model.get_weights(), weights))


def test_the_clip_of_a_parameter_has_no_gradient_outwards():
    value = tf.constant([-2.0, 0.0, 0.5, 1.0, 3.0])
    for sign, moved in ((1.0, [0, 0, 1, 1, 1]), (-1.0, [1, 1, 1, 0, 0])):
        with tf.GradientTape() as tape:
            tape.watch(value)
            clipped = priors._within(value, 0, 1)
            loss = sign * tf.reduce_sum(clipped)
        np.testing.assert_array_equal(clipped, [0, 0, 0.5, 1, 1])
        np.testing.assert_array_equal(tape.gradient(loss, value), sign * np.array(moved, float))


def test_the_derivative_by_an_integer_points_to_a_better_neighbour():
    mean = tf.constant(1.0)
    values = tf.constant([-4.0, -1.0, 1.0, 2.0, 3.0])
    with tf.GradientTape() as tape:
        tape.watch([mean, values])
        narrow = DiscretizedLogistic(-4, 3, mean, tf.constant(-1.0))
        found = integer._log_prob(narrow, values)
    np.testing.assert_array_equal(found, narrow.log_prob(values))
    by_mean, by_value = tape.gradient(found, [mean, values])
    with tf.GradientTape() as tape:
        tape.watch(mean)
        log_prob = DiscretizedLogistic(-4, 3, mean, tf.constant(-1.0)).log_prob(values)
    np.testing.assert_array_equal(by_mean, tape.gradient(log_prob, mean))
    log_p = narrow.log_prob(tf.range(-4.0, 4.0)).numpy()
    # -4 and 3 are neighbours, both their other neighbours are better; 1 is the best of all.
    expected = [(log_p[1] - log_p[0]) - (log_p[7] - log_p[0]), log_p[4] - log_p[3], 0.0]
    expected += [log_p[6] - log_p[5], log_p[7] - log_p[6]]
    np.testing.assert_allclose(by_value, expected, rtol=1e-5)


@pytest.mark.slow
def test_training_improves_the_probability():
    """Ramps, whose numbers determine each other: priors alone cannot learn that."""
    rng = np.random.default_rng(0)
    start = rng.integers(0, 200, (512, 1, 1, 1))
    x = (start + 3 * np.arange(4)[:, None, None] + 5 * np.arange(4)[:, None]).astype("uint8")
    model = ImageIntegerDiscreteFlow(
        (4, 4, 1), levels=2, steps=2, width=16, blocks=1, quantized=True, components=3
    )
    model.compile(keras.optimizers.Adam(1e-2, global_clipnorm=5.0), jit_compile=False)
    data = tf.data.Dataset.from_tensor_slices(x).repeat().batch(64)
    model.fit(data, steps_per_epoch=200, verbose=0)
    # Each number alone has 7.6 bits.
    assert float(np.mean(model.bits_per_dim(x))) < 5.3


def vectors(dim=3, levels=5, scale=0.4, **kwargs):
    arguments = {"layers": 2, "width": 8, "components": 2} | kwargs
    return started(IntegerDiscreteFlow(dim, levels=levels, **arguments), scale)


@pytest.mark.parametrize("least", [[0, 0, 0], [-2, 10, 1000]])
def test_probabilities_of_all_vectors_sum_to_one_and_draws_follow_them(least):
    model = vectors()
    model.set_least(least)
    every = np.array(list(itertools.product(range(5), repeat=3))) + least
    probabilities = np.exp(np.float64(model.log_prob(every)))
    assert probabilities.sum() == pytest.approx(1.0, abs=1e-5)
    n = 40_000
    draws = model.sample(n, seed=0).numpy()
    assert draws.dtype == np.int32
    counts = np.bincount((draws - least) @ [25, 5, 1], minlength=125)
    chi_square = np.sum((counts - n * probabilities) ** 2 / (n * probabilities))
    assert chi_square < 124 + 5 * math.sqrt(2 * 124)


@pytest.mark.parametrize("dim", [1, 2, 5])
def test_vectors_of_any_length_come_back(dim):
    model = vectors(dim, levels=200)
    x = np.random.default_rng(0).integers(0, 200, (50, dim))
    x[0], x[1] = 0, 199
    values = None
    for level, (part, _) in reversed(list(enumerate(model.latents(tf.constant(x, tf.float32))))):
        values = model.join(level, part, values)
    np.testing.assert_array_equal(values, x)


def test_the_least_integers_are_saved_with_the_model(tmp_path):
    model = vectors()
    model.set_least([7, -3, 0])
    model.save(tmp_path / "m.keras")
    again = keras.saving.load_model(tmp_path / "m.keras")
    np.testing.assert_array_equal(again.least, [7, -3, 0])
    x = np.array([[7, -3, 4], [11, 1, 0]])
    np.testing.assert_allclose(again.log_prob(x), model.log_prob(x), rtol=1e-6)
    outside = model.log_prob(np.array([[6, -3, 4], [7, 2, 0], [7.5, 0, 0]])).numpy()
    assert np.isneginf(outside).all()


@pytest.mark.parametrize(
    ("least", "message"),
    [
        ([0, 0], r"least: expected 3 whole numbers, got \[0.0, 0.0\]"),
        ([0, 0.5, 0], "least: expected 3 whole numbers"),
        ([0, 0, 2**24], r"least: expected numbers within \+-2\*\*24"),
    ],
)
def test_bad_least_integers(least, message):
    with pytest.raises(ValueError, match=message):
        vectors().set_least(least)


def test_rows_outside_of_the_range_are_not_trained_on():
    model = vectors()
    model.set_least([0, 0, 7])
    with pytest.raises(ValueError, match="x: expected integers 0 to 4, got numbers from"):
        model.check_data("x", np.array([[1, 2, 8], [0, 0, 1]]))


@pytest.mark.parametrize("argument", ["dim", "layers", "components"])
def test_counts_of_vectors_are_checked(argument):
    with pytest.raises(ValueError, match=f"{argument}: expected at least 1, got 0"):
        IntegerDiscreteFlow(**({"dim": 2} | {argument: 0}))


@pytest.mark.slow
def test_a_toy_is_learned_to_within_a_fiftieth_of_a_bit():
    """Eight Gaussians on a grid of 64 x 64, whose entropy is known."""
    toy = integer_toy.get("eight_gaussians", 64)
    model = IntegerDiscreteFlow(2, levels=64, layers=2, width=64)
    rate = keras.optimizers.schedules.CosineDecay(3e-3, 3000)
    model.compile(keras.optimizers.Adam(rate, global_clipnorm=5.0), jit_compile=True)
    data = tf.data.Dataset.from_tensor_slices(toy.sample(500_000, seed=1)).repeat()
    model.fit(data.batch(512, drop_remainder=True), steps_per_epoch=3000, verbose=0)
    every = np.array(list(itertools.product(range(64), repeat=2)))
    log_q = np.float64(model.log_prob(every)).reshape(64, 64)
    assert np.exp(log_q).sum() == pytest.approx(1.0, abs=1e-5)
    p = toy.probabilities
    seen = p > 0
    divergence = np.sum(p[seen] * (np.log(p[seen]) - log_q[seen])) / math.log(2.0)
    assert divergence < 0.02


def test_numbers_of_numpy_are_plain_in_the_config():
    """A codec's fingerprint is of the config, so equal models must have equal ones."""
    one, other = (
        ImageIntegerDiscreteFlow((4, 4, 1), bits=bits, levels=1, steps=1, width=4, name="a")
        for bits in (np.int64(5), 5)
    )
    assert json.dumps(one.get_config()) == json.dumps(other.get_config())
