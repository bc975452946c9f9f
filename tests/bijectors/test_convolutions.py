"""Convolutions: each against its explicit matrix, and how the 1x1 kinds start."""

import numpy as np
import pytest
import tensorflow as tf

from tests.bijector_checks import Case
from tfflows import bijectors as tb

KINDS = ("plain", "lu", "qr")
SHAPES = [((3, 4, 2), 3), ((4, 5, 2), 5), ((2, 2, 3), 3), ((1, 6, 1), 3)]


def _random(convolution, shape, kernel_size):
    case = Case(lambda dtype: convolution(shape, kernel_size, dtype=dtype), event_shape=shape)
    return case.randomized("float64")


def _matrix(bijector, shape):
    """The matrix `[size, size]` of `inverse`, and its log-determinant as the bijector states it."""
    basis = tf.reshape(tf.eye(int(np.prod(shape)), dtype=tf.float64), [-1, *shape])
    columns, log_det = tb.inverse_and_log_det(bijector, basis, 3)
    return tf.reshape(columns, [len(basis), -1]).numpy().T, log_det.numpy()[0]


@pytest.mark.parametrize(("shape", "kernel_size"), SHAPES)
def test_periodic_convolution_goes_round_the_image(shape, kernel_size):
    bijector = _random(tb.PeriodicConvolution, shape, kernel_size)
    y, kernel = np.random.default_rng(0).normal(size=(2, *shape)), bijector.kernel.numpy()
    expected, reach = 0.0, kernel_size // 2
    for (row, column), weights in zip(
        np.ndindex(kernel_size, kernel_size), kernel.reshape(-1, *kernel.shape[2:]), strict=True
    ):
        expected += np.roll(y, (reach - row, reach - column), axis=(1, 2)) @ weights
    np.testing.assert_allclose(bijector.inverse(tf.constant(y)), expected, atol=1e-12)


@pytest.mark.parametrize("convolution", [tb.PeriodicConvolution, tb.EmergingConvolution])
@pytest.mark.parametrize(("shape", "kernel_size"), SHAPES)
def test_the_log_determinant_and_the_way_back_are_those_of_the_matrix(
    convolution, shape, kernel_size
):
    bijector = _random(convolution, shape, kernel_size)
    matrix, log_det = _matrix(bijector, shape)
    np.testing.assert_allclose(log_det, np.linalg.slogdet(matrix)[1], atol=1e-10)
    x = np.random.default_rng(0).normal(size=(2, *shape))
    expected = np.linalg.solve(matrix, x.reshape(2, -1).T).T.reshape(x.shape)
    np.testing.assert_allclose(bijector.forward(tf.constant(x)), expected, rtol=1e-8, atol=1e-8)


def _autoregressive_matrix(kernel, shape):
    """Of the convolution in which a pixel sees those above and to the left, entry by entry."""
    height, width, channels = shape
    last = kernel.shape[0] - 1
    matrix = np.zeros(shape + shape)
    for row, column, up, left in np.ndindex(height, width, last + 1, last + 1):
        if row >= up and column >= left:
            weights = kernel[last - up, last - left].copy()
            if up == left == 0:
                weights = np.triu(weights, 1) + np.diag(np.exp(np.diag(weights)))
            matrix[row, column, :, row - up, column - left, :] = weights.T
    return matrix.reshape([height * width * channels] * 2)


@pytest.mark.parametrize(("shape", "kernel_size"), SHAPES)
def test_emerging_convolution_is_a_product_of_triangular_matrices(shape, kernel_size):
    bijector = _random(tb.EmergingConvolution, shape, kernel_size)
    lower = _autoregressive_matrix(bijector.first.numpy(), shape)
    # Of the opposite order in rows, columns and channels.
    upper = _autoregressive_matrix(bijector.second.numpy(), shape)[::-1, ::-1]
    np.testing.assert_array_equal(lower, np.tril(lower))
    np.testing.assert_array_equal(upper, np.triu(upper))
    np.testing.assert_allclose(_matrix(bijector, shape)[0], upper @ lower, atol=1e-12)


def test_the_emerging_convolution_sees_what_its_kernel_size_says():
    bijector = _random(tb.EmergingConvolution, (7, 7, 2), 3)
    point = np.zeros([1, 7, 7, 2])
    point[0, 3, 3] = 1.0
    seen = np.abs(bijector.inverse(tf.constant(point)).numpy()).sum(-1)[0] > 0
    expected = np.zeros([7, 7], bool)
    expected[2:5, 2:5] = True
    np.testing.assert_array_equal(seen, expected)


def test_what_goes_through_the_substitution_trains_under_xla():
    case = Case(lambda dtype: tb.EmergingConvolution((3, 4, 2), dtype=dtype), event_shape=(3, 4, 2))
    bijector, x = case.randomized(), case.latent_events("float32")

    def gradients(x):
        with tf.GradientTape() as tape:
            y, log_det = tb.forward_and_log_det(bijector, x, 3)
            loss = tf.reduce_sum(tf.sin(y)) - tf.reduce_sum(log_det)
        return tape.gradient(loss, [bijector.first, bijector.second])

    compiled = tf.function(gradients, jit_compile=True)(x)
    for got, expected in zip(compiled, gradients(x), strict=True):
        np.testing.assert_allclose(got, expected, rtol=1e-3, atol=1e-3)


@pytest.mark.parametrize("channels", [1, 2, 6])
def test_every_1x1_kind_starts_as_the_same_rotation(channels):
    shape, size = (1, 1, channels), channels
    made = {kind: tb.InvertibleConvolution1x1(size, kind, 3, dtype="float64") for kind in KINDS}
    rotation = made["plain"].kernel.numpy()
    np.testing.assert_allclose(rotation @ rotation.T, np.eye(size), atol=1e-12)
    for kind, bijector in made.items():
        matrix, log_det = _matrix(bijector, shape)
        np.testing.assert_allclose(matrix, rotation, atol=1e-12, err_msg=kind)
        np.testing.assert_allclose(log_det, 0.0, atol=1e-12, err_msg=kind)
        assert [v.shape for v in bijector.trainable_variables] == [(size, size)]


def test_the_seed_decides_the_rotation():
    one, same, other = (tb.InvertibleConvolution1x1(4, seed=seed).kernel for seed in (0, 0, 1))
    np.testing.assert_array_equal(one, same)
    assert np.abs(one.numpy() - other.numpy()).max() > 0.1


@pytest.mark.parametrize("kind", KINDS)
def test_a_1x1_convolution_multiplies_the_pixels_once(kind):
    bijector = tb.InvertibleConvolution1x1(3, kind)
    spec = tf.TensorSpec([None, 8, 8, 3], tf.float32)
    for joint in (tb.forward_and_log_det, tb.inverse_and_log_det):
        graph = tf.function(lambda x, joint=joint: joint(bijector, x, 3)).get_concrete_function(
            spec
        )
        products = [
            operation
            for operation in graph.graph.get_operations()
            if "MatMul" in operation.type or "Solve" in operation.type or "Inv" in operation.type
            if any(not tensor.shape.is_fully_defined() for tensor in operation.outputs)
        ]
        assert [operation.type for operation in products] == ["MatMul"]


@pytest.mark.parametrize(
    "bijector",
    [
        tb.InvertibleConvolution1x1(2),
        tb.PeriodicConvolution((3, 4, 2)),
        tb.EmergingConvolution((3, 4, 2)),
    ],
    ids=lambda bijector: bijector.name,
)
@pytest.mark.parametrize("batch", [(), (2, 3)])
def test_any_batch(bijector, batch):
    y = tf.constant(np.random.default_rng(0).normal(size=(*batch, 3, 4, 2)), tf.float32)
    x, log_det = tb.inverse_and_log_det(bijector, y, 3)
    assert (x.shape, log_det.shape) == (y.shape, batch)
    y2, log_det = tb.forward_and_log_det(bijector, tf.identity(x), 3)
    assert log_det.shape == batch
    np.testing.assert_allclose(y2, y, atol=1e-5)


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: tb.InvertibleConvolution1x1(3, "svd"), "kind: expected one of plain, lu, qr, got"),
        (lambda: tb.InvertibleConvolution1x1(0), "channels: expected at least 1, got 0"),
        (lambda: tb.PeriodicConvolution((4, 4)), "shape: expected .height, width, channels., got"),
        (lambda: tb.EmergingConvolution((4, 0, 2)), "shape: expected .height, width, channels."),
        (lambda: tb.PeriodicConvolution((4, 4, 2), 4), "kernel_size: expected an odd number"),
        (lambda: tb.EmergingConvolution((4, 4, 2), 1), "kernel_size: expected an odd number"),
        (lambda: tb.PeriodicConvolution((2, 4, 2), 7), "kernel_size: expected at most 5"),
        (
            # As many numbers as there should be, so that a reshape would take them.
            lambda: tb.EmergingConvolution((4, 6, 2)).inverse(tf.zeros([5, 6, 4, 2])),
            r"event: emerging_convolution expects arrays \[4, 6, 2\], got",
        ),
        (
            lambda: tb.InvertibleConvolution1x1(3).inverse(tf.zeros([5, 2, 2, 6])),
            "event: convolution1x1 expects vectors of length 3, got",
        ),
        (
            # They would broadcast, to more numbers than came.
            lambda: tb.ActNorm((4, 4, 3)).inverse(tf.zeros([2, 1, 4, 3])),
            r"event: act_norm expects arrays \[4, 4, 3\], got",
        ),
        (
            lambda: tb.ContextAffine(3, tb.Affine(), (2,)).inverse(
                tf.zeros([5, 4, 4, 1]), context=tf.zeros([5, 2])
            ),
            "event: context_affine expects vectors of length 3, got",
        ),
    ],
)
def test_bad_arguments(make, message):
    with pytest.raises(ValueError, match=message):
        make()
